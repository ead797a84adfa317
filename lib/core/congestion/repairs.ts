// SPDX-License-Identifier: Apache-2.0
/**
 * Which stalls of a subflow are TCP's repairs of losses. What is behind a lost packet waits for about a round trip, and
 * then arrives with it at once. Jitter delays by less than that. A kernel that sends in clumps stalls in every round.
 * A process that stands still looks like a repair: but then the kernel has sent nothing again since the last one.
 */
import type { Millis } from '../../clock.js'

/** A repair delays acks by about a round trip: by this share of it at least, and by this many milliseconds. */
const STALL_SHARE = 0.8
const STALL_MS = 5
/** The first ack after it takes longer than any of the round before, by this share of a round trip. */
const RISE_SHARE = 0.5
/** Acks of data that arrived at once come within this time, milliseconds. */
export const TOGETHER_MS = 4
/** Repairs within this many round trips are one: packets that are lost together, and what is lost again. */
const APART_ROUNDS = 4
/** This many repairs within EVIDENCE_ROUNDS round trips show that losses limit the rate: CUBIC's window is then about 30 packets. */
const EVIDENCE = 5
/** This many within the same time are a reason to measure what the path brings. */
const SUSPICION = 3
const EVIDENCE_ROUNDS = 100

/** The ack that ended a stall, and when its frame had left. */
interface Stall {
  readonly at: Millis
  readonly sentAt: Millis
}

/** When the first of the last `count` was; -Infinity where there were fewer. */
function timeOf(times: readonly Millis[], count: number): Millis {
  return times.at(-count) ?? -Infinity
}

function note(times: Millis[], now: Millis): void {
  times.push(now)
  if (times.length > EVIDENCE) times.shift()
}

export class Repairs {
  #lastAckAt: Millis = 0
  #lastRtt = 0
  /** Longest round trips of the round under way and of the one before, and when the former began. */
  #longest = 0
  #longestBefore = 0
  #roundAt: Millis = 0
  #end: Stall | undefined
  /** Times of the last repairs that acks showed, oldest first. */
  readonly #seen: Millis[] = []
  /** Of these, the ones that the kernel's count confirmed; all of them where there is no count. */
  readonly #times: Millis[] = []
  /** Set once it is watched. */
  #retransmits: (() => number | undefined) | undefined
  /** What they were at the last repair. */
  #retransmitsBefore: number | undefined

  /** When acks last looked like one; -Infinity where none did. */
  get lastAt(): Millis {
    return timeOf(this.#seen, 1)
  }

  get isWatched(): boolean {
    return this.#retransmits !== undefined
  }

  /**
   * Notes repairs from now on.
   *
   * @param retransmits - segments that the kernel has sent again; `undefined` where that is not known. It is called rarely
   */
  watch(retransmits: () => number | undefined): void {
    this.#retransmits = retransmits
    this.#retransmitsBefore = retransmits()
  }

  /** The kernel's count confirms each repair. Where there is none, acks alone decide. */
  get isCounted(): boolean {
    return this.#retransmitsBefore !== undefined
  }

  /** An ack of what left at `sentAt`. @param minRtt - of the path, milliseconds */
  acked(sentAt: Millis, now: Millis, minRtt: Millis): void {
    const rtt = now - sentAt
    if (this.#isStallOver(rtt, now, minRtt)) this.#end = { at: now, sentAt }
    else if (this.#end !== undefined) this.#follow(this.#end, sentAt, now, minRtt)
    this.#lastAckAt = now
    this.#lastRtt = rtt
    if (now - this.#roundAt > minRtt) {
      this.#longestBefore = this.#longest
      this.#longest = 0
      this.#roundAt = now
    }
    this.#longest = Math.max(this.#longest, rtt)
  }

  /** Acks alone are suspicious. */
  isFrequent(now: Millis, minRtt: Millis): boolean {
    return timeOf(this.#seen, SUSPICION) >= now - EVIDENCE_ROUNDS * minRtt
  }

  /** Losses have limited the rate lately. */
  isLossy(now: Millis, minRtt: Millis): boolean {
    return timeOf(this.#times, EVIDENCE) >= now - EVIDENCE_ROUNDS * minRtt
  }

  /** Losses may limit the rate. */
  isSuspicious(now: Millis, minRtt: Millis): boolean {
    return timeOf(this.#times, SUSPICION) >= now - EVIDENCE_ROUNDS * minRtt
  }

  #isStallOver(rtt: Millis, now: Millis, minRtt: Millis): boolean {
    // Before a whole round has passed, the kernel's first flight holds up the end of ours.
    if (this.#longestBefore === 0) return false
    const stall = Math.max(STALL_MS, STALL_SHARE * minRtt)
    const rise = Math.max(STALL_MS, RISE_SHARE * minRtt)
    const longest = Math.max(this.#longest, this.#longestBefore)
    return now - this.#lastAckAt >= stall && rtt - this.#lastRtt >= stall && rtt - longest >= rise
  }

  /** Acks behind a stall: where they are of what left over half of its time, it was a repair. */
  #follow(end: Stall, sentAt: Millis, now: Millis, rtt: Millis): void {
    if (now - end.at > TOGETHER_MS) this.#end = undefined
    else if (sentAt - end.sentAt >= Math.max(STALL_MS, STALL_SHARE * rtt) / 2) {
      this.#end = undefined
      const isApart = (times: readonly Millis[]): boolean => now - timeOf(times, 1) >= APART_ROUNDS * rtt
      if (isApart(this.#seen)) note(this.#seen, now)
      if (isApart(this.#times) && this.#mayBeRepair()) note(this.#times, now)
    }
  }

  #mayBeRepair(): boolean {
    if (this.#retransmits === undefined) return false
    const before = this.#retransmitsBefore
    const count = (this.#retransmitsBefore = this.#retransmits())
    return before === undefined || count === undefined || count > before
  }
}

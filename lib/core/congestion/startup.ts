// SPDX-License-Identifier: Apache-2.0
/** A path that is filled for the first time: by how much its window grows, and when it is full. */
import type { Millis } from '../../clock.js'
import { STEADY_GAIN } from './congestion.js'
import type { Round } from './delivery-rate.js'
import { TOGETHER_MS } from './repairs.js'
import type { KernelView } from './kernel-view.js'
import type { RttEstimator } from './rtt.js'

/** Window in pipes: short paths, where growth takes no time, and long ones; between these RTTs the one becomes the other. */
const SHORT_STARTUP_GAIN = 1.45
const LONG_STARTUP_GAIN = 1.85
const SHORT_STARTUP_MS = 60
const LONG_STARTUP_MS = 160
/**
 * BBR has 2.89 pipes in flight until three rounds have brought no more, and a round trip's worth waits behind each repair. With less to send
 * it counts no rounds: it stays in its startup, and overflows every short queue.
 */
const FED_GAIN = 4
/** Data that waits in the kernel delays what other paths have brought. Above the first RTT, the window shrinks; from the second RTT on, it is the usual one. */
const FED_MS = 60
const UNFED_MS = 100
/** The first flight finds no queue: if its round trips differ by more than this factor, the path has jitter, and gets the usual window. */
const JITTERY = 2
/** An ack shows a queue if it exceeds the minimum RTT by this share, and by at least this many milliseconds. */
export const QUEUEING_SHARE: number = 1 / 2
const QUEUEING_MS = 4
/** The rate has stopped growing when so many full rounds brought less than a quarter more. */
const FLAT_ROUNDS = 3
const GROWTH = 1.25
/** A round that delivered less than this share of the rate does not count. */
const FULL_RATE_SHARE = 0.8
/** A stall is a time without acks: this share of the minimum RTT, and at least this many milliseconds. */
const STALL_SHARE = 1 / 4
const STALL_MS = 20
/** The stall was a repair if at least this share of the bytes delivered lately is acked at once when it ends. */
const TOGETHER_SHARE = 1 / 8
/** Stalls of the first rounds are no repairs: the kernel's own window is still small. */
const FIRST_ROUNDS = 2
/** After a repair, the window grows by what the last round trips delivered. A repair takes up to this many of them. */
const REPAIR_ROUNDS = 3
/** It grows only while the rate has risen within this many round trips. Each loss slows CUBIC down, and leaves more data in its buffer. */
const GROWTH_ROUNDS = 4

/** A kernel is asked how it sends once more than this is under way, bytes: half of its first flight, after which CUBIC's window grows. */
const HALF_FLIGHT_BYTES = 5 * 1400

/** What has to be known of the kernel below. */
export type KernelAsked = Pick<KernelView, 'isModelBased'>

const between = (from: number, to: number, share: number): number => from + (to - from) * share

/** Finds repairs by itself: `repairs.ts` compares a stall with the round before it, and misses repairs that follow one another. */
export class Startup {
  readonly #rtt: RttEstimator
  /** Until it has been asked. */
  #kernel: KernelAsked | undefined
  #isKernelModelBased = false
  /** It began before, and the kernel did not begin anew. */
  #isRestart = false
  #rounds = 0
  #flatRounds = 0
  #bestRate = 0
  #grownAt: Millis = 0
  /** Bytes, of which an e-th is left after {@link REPAIR_ROUNDS}. */
  #deliveredLately = 0
  #ackedAt: Millis = 0
  /** When the last stall ended, and the bytes that were acked at once then. */
  #stallEndedAt: Millis = -Infinity
  #together = 0
  /** How long acks had come without a stall while the newest flight was on its way. */
  #steadyMs: Millis = 0
  #repairedAt: Millis = -Infinity
  /** The longest round trip of the first flight, which finds no queue: its first ack ends a round. */
  #longestFirst = 0

  constructor(rtt: RttEstimator, kernel?: KernelAsked) {
    this.#rtt = rtt
    this.#kernel = kernel
  }

  /** As far as is known: the kernel is one with BBR. */
  get isKernelModelBased(): boolean {
    return this.#isKernelModelBased
  }

  /** So many bytes are under way. @returns whether that has told something of the kernel */
  left(inFlight: number): boolean {
    if (this.#kernel === undefined || inFlight <= HALF_FLIGHT_BYTES || this.#rtt.samples === 0) return false
    this.#isKernelModelBased = this.#kernel.isModelBased()
    this.#kernel = undefined
    return true
  }

  /** An ack of `bytes` that left at `sentAt`; the RTT has been sampled. */
  acked(bytes: number, sentAt: Millis, now: Millis): void {
    const { min } = this.#rtt
    const elapsed = now - this.#ackedAt
    this.#ackedAt = now
    if (this.#rounds <= 1) this.#longestFirst = Math.max(this.#longestFirst, now - sentAt)
    this.#deliveredLately = this.#deliveredLately * Math.exp(-elapsed / (REPAIR_ROUNDS * min)) + bytes
    if (elapsed > Math.max(STALL_MS, STALL_SHARE * min)) {
      this.#stallEndedAt = now
      this.#together = 0
    }
    if (now - this.#stallEndedAt <= TOGETHER_MS) this.#together += bytes
    this.#steadyMs = now - Math.max(sentAt, this.#stallEndedAt)
    if (this.#isLong(now - sentAt) && !this.#isQueueing && this.#isBunch) this.#repairedAt = now
  }

  /** Pipes that may be in flight. */
  get gain(): number {
    if (this.#isFed) return between(FED_GAIN, this.#usualGain, this.#share(FED_MS, UNFED_MS))
    return this.#isQueueing ? STEADY_GAIN : this.#usualGain
  }

  get #usualGain(): number {
    return between(SHORT_STARTUP_GAIN, LONG_STARTUP_GAIN, this.#share(SHORT_STARTUP_MS, LONG_STARTUP_MS))
  }

  /**
   * Bytes that may be in flight besides. While acks wait for a repair, the rate looks smaller than it is, the window is used up
   * and the kernel has nothing to send: BBR then takes the path for full. With the gain of a fed kernel, the queue would be seconds long.
   */
  get slackBytes(): number {
    const isGrowing = this.#ackedAt - this.#grownAt < GROWTH_ROUNDS * this.#rtt.min
    return this.#isRepairing && isGrowing ? Math.min(this.gain, this.#usualGain) * this.#deliveredLately : 0
  }

  /** It was filled for so long, and brought hardly more; or a queue shows that it should not have. */
  get isFull(): boolean {
    if (this.#flatRounds === 0) return false
    // With repairs, a round may last for seconds.
    const rounds = FLAT_ROUNDS * (this.#isFed ? this.gain : REPAIR_ROUNDS)
    const isFlatForLong = this.#ackedAt - this.#grownAt > rounds * this.#rtt.min
    const showsQueue = !this.#isFed && this.#isLong(this.#rtt.recentMin)
    return this.#flatRounds >= FLAT_ROUNDS || isFlatForLong || showsQueue
  }

  /** Anew. The kernel has ended its own startup long ago. */
  begin(): void {
    this.#isRestart = true
    this.#rounds = 0
    this.#bestRate = 0
    this.#flatRounds = 0
    this.#deliveredLately = 0
    this.#repairedAt = -Infinity
  }

  /** @param best - the highest rate so far, bytes per millisecond */
  roundEnded({ rate, wasFull }: Round, best: number): void {
    this.#rounds++
    // A kernel that measures its RTT (BBR) hardly sends for a round: that says nothing of the path. Repairs make rounds uneven, too.
    if (!wasFull || (!this.#isRepairing && rate < FULL_RATE_SHARE * best)) return
    if (best >= this.#bestRate * GROWTH) {
      this.#bestRate = best
      this.#flatRounds = 0
      this.#grownAt = this.#ackedAt
    } else this.#flatRounds++
  }

  /** A round trip is long because of a queue only if acks kept coming. A stall means a repair, or a small window of the kernel's. */
  get #isQueueing(): boolean {
    return this.#isLong(this.#steadyMs)
  }

  /** The kernel always has something to send. */
  get #isFed(): boolean {
    const { min } = this.#rtt
    return (
      this.#isKernelModelBased &&
      !this.#isRestart &&
      min < UNFED_MS &&
      this.#longestFirst < JITTERY * min + QUEUEING_MS
    )
  }

  /** Where the minimum RTT lies between two, 0 to 1. */
  #share(from: Millis, to: Millis): number {
    return Math.min(1, Math.max(0, (this.#rtt.min - from) / (to - from)))
  }

  get #isRepairing(): boolean {
    return this.#ackedAt - this.#repairedAt < REPAIR_ROUNDS * this.#rtt.min
  }

  /** What came at once after the stall had piled up behind a lost packet. */
  get #isBunch(): boolean {
    return this.#rounds >= FIRST_ROUNDS && this.#together > TOGETHER_SHARE * this.#deliveredLately
  }

  /** A kernel that paces its first flights delays by a third of a round trip: that is not long. */
  #isLong(rtt: Millis): boolean {
    return rtt - this.#rtt.min > Math.max(QUEUEING_MS, QUEUEING_SHARE * this.#rtt.min)
  }
}

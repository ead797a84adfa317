// SPDX-License-Identifier: Apache-2.0
/** A path that is filled for the first time: by how much its window grows, and when it is full. */
import type { Millis } from '../clock.js'
import { STEADY_GAIN } from './congestion.js'
import type { Round } from './delivery-rate.js'
import type { RttEstimator } from './rtt.js'

/** Window in pipes: short paths, where growth takes no time, and long ones; between these RTTs the one becomes the other. */
const SHORT_STARTUP_GAIN = 1.45
const LONG_STARTUP_GAIN = 1.85
const SHORT_STARTUP_MS = 60
const LONG_STARTUP_MS = 160
/** An ack shows a queue if it exceeds the minimum RTT by this share, and by at least this many milliseconds. */
export const QUEUEING_SHARE: number = 1 / 2
const QUEUEING_MS = 4
/** The rate has stopped growing when so many full rounds brought less than a quarter more. */
const FLAT_ROUNDS = 3
const GROWTH = 1.25
/** A round that delivered less than this share of the rate does not count. */
const FULL_RATE_SHARE = 0.8
/** Acks that stay away for this share of a minimum RTT, and for at least so many milliseconds, are a stall. */
const STALL_SHARE = 1 / 4
const STALL_MS = 20
/** It was a repair if this share of what was delivered lately comes within so many milliseconds after it. */
const TOGETHER_SHARE = 1 / 8
const TOGETHER_MS = 4
/** Before so many rounds have ended, acks stall because the kernel's own window is small. */
const FIRST_ROUNDS = 2
/** After a repair, the window grows by what so many round trips delivered: a repair may take as many. */
const REPAIR_ROUNDS = 3
/** But only if the rate has grown within so many: CUBIC gets slower with each loss, and what is in its buffer waits. */
const GROWTH_ROUNDS = 4

export class Startup {
  readonly #rtt: RttEstimator
  #rounds = 0
  #flatRounds = 0
  #bestRate = 0
  #grownAt: Millis = 0
  /** Bytes, of which an e-th is left after {@link REPAIR_ROUNDS}. */
  #deliveredLately = 0
  #ackedAt: Millis = 0
  /** When acks came again after a stall, and how many bytes of them at once. */
  #stallEndedAt: Millis = -Infinity
  #together = 0
  /** How long acks had kept coming while the newest one was on its way. */
  #steadyMs: Millis = 0
  #repairedAt: Millis = -Infinity

  constructor(rtt: RttEstimator) {
    this.#rtt = rtt
  }

  /** An ack of `bytes` that left at `sentAt`; the RTT has been sampled. */
  acked(bytes: number, sentAt: Millis, now: Millis): void {
    const { min } = this.#rtt
    const elapsed = now - this.#ackedAt
    this.#ackedAt = now
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
    if (this.#isQueueing) return STEADY_GAIN
    const length = (this.#rtt.min - SHORT_STARTUP_MS) / (LONG_STARTUP_MS - SHORT_STARTUP_MS)
    return SHORT_STARTUP_GAIN + (LONG_STARTUP_GAIN - SHORT_STARTUP_GAIN) * Math.min(1, Math.max(0, length))
  }

  /**
   * Bytes that may be in flight besides. While acks wait for a repair, the rate looks smaller than it is, the window is used up
   * and the kernel has nothing to send: BBR then takes the path for full.
   */
  get slackBytes(): number {
    const isGrowing = this.#ackedAt - this.#grownAt < GROWTH_ROUNDS * this.#rtt.min
    return this.#isRepairing && isGrowing ? this.gain * this.#deliveredLately : 0
  }

  /** It was filled for so long, and brought hardly more; or a queue shows. */
  get isFull(): boolean {
    if (this.#flatRounds === 0) return false
    // With repairs, a round may last for seconds.
    const isFlatForLong = this.#ackedAt - this.#grownAt > FLAT_ROUNDS * REPAIR_ROUNDS * this.#rtt.min
    return this.#flatRounds >= FLAT_ROUNDS || isFlatForLong || this.#isLong(this.#rtt.recentMin)
  }

  /** Anew. */
  begin(): void {
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

  /** A long round trip tells of a queue where acks kept coming all the while; where they stalled, of a repair or a small window of the kernel's. */
  get #isQueueing(): boolean {
    return this.#isLong(this.#steadyMs)
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

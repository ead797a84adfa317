// SPDX-License-Identifier: Apache-2.0
/** A path that is filled for the first time: by how much its window grows, and when it is full. */
import { STEADY_GAIN } from './congestion.js'
import type { Round } from './delivery-rate.js'
import type { RttEstimator } from './rtt.js'

/** Window in pipes: short paths, where growth takes no time, and long ones; between these RTTs the one becomes the other. */
const SHORT_STARTUP_GAIN = 1.45
const LONG_STARTUP_GAIN = 1.85
const SHORT_STARTUP_MS = 60
const LONG_STARTUP_MS = 160
/** A queue has built up when an ack takes longer than the minimum by this share and by so many milliseconds. */
export const QUEUEING_SHARE: number = 1 / 2
const QUEUEING_MS = 4
/** One may have begun when several acks are all later by this share, within these limits (RFC 9406: MIN_RTT_DIVISOR, MIN_RTT_THRESH, MAX_RTT_THRESH). */
const LATE_SHARE = 1 / 8
const LEAST_LATE_MS = 4
const MOST_LATE_MS = 16
/** The rate has stopped growing when so many full rounds brought less than a quarter more. */
const FLAT_ROUNDS = 3
const GROWTH = 1.25
/** A round that delivered less than this share of the rate does not count. */
const FULL_RATE_SHARE = 0.8

export class Startup {
  readonly #rtt: RttEstimator
  #flatRounds = 0
  #bestRate = 0
  /** The most that was delivered from the departure of a frame to its ack, since nothing was in flight. */
  #largestRound = 0

  constructor(rtt: RttEstimator) {
    this.#rtt = rtt
  }

  /** Pipes that may be in flight. */
  get gain(): number {
    if (this.#isQueueing(this.#rtt.latest)) return STEADY_GAIN
    const length = (this.#rtt.min - SHORT_STARTUP_MS) / (LONG_STARTUP_MS - SHORT_STARTUP_MS)
    return SHORT_STARTUP_GAIN + (LONG_STARTUP_GAIN - SHORT_STARTUP_GAIN) * Math.min(1, Math.max(0, length))
  }

  /**
   * What the path holds as far as it has been filled, bytes. The rate says too little of that: it is measured over round trips
   * that are longer than the shortest, and a window made of it would grow by so much less, round after round.
   *
   * @param known - rate × minimum RTT, bytes
   */
  pipe(known: number): number {
    return this.#isLate ? known : Math.max(known, this.#largestRound)
  }

  /** It was filled for so long, and brought hardly more; or a queue shows. */
  get isFull(): boolean {
    return this.#flatRounds >= FLAT_ROUNDS || (this.#flatRounds > 0 && this.#isQueueing(this.#rtt.recentMin))
  }

  /** Anew. */
  begin(): void {
    this.#bestRate = 0
    this.#flatRounds = 0
  }

  /** Nothing is in flight: what comes now may be less than the path held before. */
  idle(): void {
    this.#largestRound = 0
  }

  /** @param delivered - bytes since the acked frame had left */
  acked(delivered: number): void {
    this.#largestRound = Math.max(this.#largestRound, delivered)
  }

  /** @param best - the highest rate so far, bytes per millisecond */
  roundEnded({ rate, wasFull }: Round, best: number): void {
    // A kernel that measures its RTT (BBR) hardly sends for a round: that says nothing of the path.
    if (!wasFull || rate < FULL_RATE_SHARE * best) return
    if (best >= this.#bestRate * GROWTH) {
      this.#bestRate = best
      this.#flatRounds = 0
    } else this.#flatRounds++
  }

  /** Several acks in a row were so late that a queue may have begun. */
  get #isLate(): boolean {
    const { min, recentMin } = this.#rtt
    return recentMin - min > Math.min(MOST_LATE_MS, Math.max(LEAST_LATE_MS, LATE_SHARE * min))
  }

  /** A round trip so long tells of a queue. A kernel that paces its first flights delays by a third of one. */
  #isQueueing(rtt: number): boolean {
    return rtt - this.#rtt.min > Math.max(QUEUEING_MS, QUEUEING_SHARE * this.#rtt.min)
  }
}

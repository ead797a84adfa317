// SPDX-License-Identifier: Apache-2.0
/** Round-trip time of one subflow: smoothed mean and variance (RFC 6298), and the recent minimum. */
import type { Millis } from '../clock.js'

/** How long a minimum stands before it has to be seen again, milliseconds. BBR's choice. */
export const MIN_RTT_WINDOW_MS = 10_000
/** On long paths a minimum stands for so many of itself: measuring it costs about half a round trip. */
export const MIN_RTT_WINDOW_ROUNDS = 60

/** As many samples as HyStart looks at (RFC 9406: N_RTT_SAMPLE). */
const RECENT_SAMPLES = 8

export class RttEstimator {
  #smoothed: number | undefined
  #variance = 0
  #min = Infinity
  #minAt = 0
  /** Minima of the eight samples under way and of the eight before. */
  #recentMin = Infinity
  #earlierMin = Infinity
  #samples = 0
  #latest = 0

  /** Smoothed RTT in milliseconds; `undefined` before the first sample. */
  get smoothed(): number | undefined {
    return this.#smoothed
  }

  get variance(): number {
    return this.#variance
  }

  /** Smallest RTT of the last seconds, milliseconds; Infinity before the first sample. */
  get min(): number {
    return this.#min
  }

  /** The newest sample, milliseconds; 0 before the first. */
  get latest(): number {
    return this.#latest
  }

  /**
   * The smallest of the last eight to sixteen samples, milliseconds; Infinity before the first. A queue delays
   * them all, the repair of a loss only some.
   */
  get recentMin(): number {
    return Math.min(this.#recentMin, this.#earlierMin)
  }

  /** When the minimum was last seen or lowered. */
  get minAt(): Millis {
    return this.#minAt
  }

  sample(rtt: number, now: Millis): void {
    this.#latest = rtt
    if (this.#samples++ % RECENT_SAMPLES === 0) {
      this.#earlierMin = this.#recentMin
      this.#recentMin = Infinity
    }
    this.#recentMin = Math.min(this.#recentMin, rtt)
    if (this.#smoothed === undefined) {
      this.#smoothed = rtt
      this.#variance = rtt / 2
    } else {
      this.#variance += (Math.abs(rtt - this.#smoothed) - this.#variance) / 4
      this.#smoothed += (rtt - this.#smoothed) / 8
    }
    if (rtt <= this.#min) {
      this.#min = rtt
      this.#minAt = now
    }
  }

  /** Replaces the minimum by what a drained path showed: see phased-window.ts. */
  resetMin(rtt: number, now: Millis): void {
    this.#min = rtt
    this.#minAt = now
  }

  /** Silence of so many milliseconds after sending is more than jitter; never under `floor`. */
  timeout(floor: number): number {
    return this.#smoothed === undefined
      ? Math.max(floor, UNKNOWN_TIMEOUT_MS)
      : Math.max(floor, this.#smoothed + 4 * this.#variance)
  }
}

/** RFC 6298 section 2.1: before the first sample, wait a second. */
const UNKNOWN_TIMEOUT_MS = 1000

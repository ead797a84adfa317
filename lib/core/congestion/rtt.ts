// SPDX-License-Identifier: Apache-2.0
/** Round-trip time of one subflow: smoothed mean and variance (RFC 6298), and the recent minimum. */
import type { Millis } from '../../clock.js'

/** How long a minimum stands before it has to be seen again, milliseconds. BBR's choice. */
export const MIN_RTT_WINDOW_MS = 10_000
/** On long paths a minimum stands for this many round trips: measuring it costs about half of one. */
export const MIN_RTT_WINDOW_ROUNDS = 60

/** As many samples as HyStart looks at (RFC 9406: N_RTT_SAMPLE). */
const RECENT_SAMPLES = 8

/** {@link RttEstimator.late} rises by this share of itself with a sample above it, and falls by a 99th of that with others. */
const LATE_STEP_SHARE = 1 / 8
const PUNCTUAL = 99
/** In the first rounds the share is larger: LEARNING_STEPS divided by FIRST_ROUND and the rounds so far. It never rises far above a sample. */
const LEARNING_STEPS = 50
const FIRST_ROUND = 8
const LATE_MARGIN_SHARE = 1 / 4

/** The mean of round-trip times and their mean distance from it, milliseconds. */
export class SmoothedRtt {
  #smoothed: number | undefined
  #variance = 0

  /** Smoothed RTT in milliseconds; `undefined` before the first sample. */
  get smoothed(): number | undefined {
    return this.#smoothed
  }

  get variance(): number {
    return this.#variance
  }

  smooth(rtt: number): void {
    if (this.#smoothed === undefined) {
      this.#smoothed = rtt
      this.#variance = rtt / 2
    } else {
      this.#variance += (Math.abs(rtt - this.#smoothed) - this.#variance) / 4
      this.#smoothed += (rtt - this.#smoothed) / 8
    }
  }
}

export class RttEstimator extends SmoothedRtt {
  #min = Infinity
  #minAt = 0
  /** Minima of the eight samples under way and of the eight before. */
  #recentMin = Infinity
  #earlierMin = Infinity
  #samples = 0
  #latest = 0
  #late = 0
  #roundAt: Millis = -Infinity
  #rounds = 0

  /** Smallest RTT of the last seconds, milliseconds; Infinity before the first sample. */
  get min(): number {
    return this.#min
  }

  /** The number of samples so far. */
  get samples(): number {
    return this.#samples
  }

  /** The newest sample, milliseconds; 0 before the first. */
  get latest(): number {
    return this.#latest
  }

  /**
   * The time that 99 of 100 round trips do not exceed, milliseconds: a stochastic approximation, and a margin because many
   * may take equally long. 0 before the first sample.
   */
  get late(): number {
    const usual = this.smoothed ?? 0
    return Math.max(this.#late, usual) + Math.max(this.variance, LATE_MARGIN_SHARE * usual)
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
    if (this.smoothed === undefined) this.#late = rtt
    else if (now - rtt >= this.#roundAt) this.#judge(rtt, now)
    this.smooth(rtt)
    if (rtt <= this.#min) {
      this.#min = rtt
      this.#minAt = now
    }
  }

  /** One sample of each round: a pause delays all that is under way, and counts once. */
  #judge(rtt: number, now: Millis): void {
    const share = Math.max(LATE_STEP_SHARE, LEARNING_STEPS / (FIRST_ROUND + this.#rounds++))
    const step = share * this.#late
    if (rtt > this.#late) this.#late = Math.min(this.#late + step, (1 + LATE_STEP_SHARE) * rtt)
    else this.#late -= step / PUNCTUAL
    this.#roundAt = now
  }

  /** Replaces the minimum by what a drained path showed: see phased-window.ts. */
  resetMin(rtt: number, now: Millis): void {
    this.#min = rtt
    this.#minAt = now
  }

  /** Silence after sending that jitter does not explain, milliseconds; never under `floor`. */
  timeout(floor: number): number {
    return this.smoothed === undefined
      ? Math.max(floor, UNKNOWN_TIMEOUT_MS)
      : Math.max(floor, this.smoothed + 4 * this.variance)
  }
}

/** RFC 6298 section 2.1: before the first sample, wait a second. */
const UNKNOWN_TIMEOUT_MS = 1000

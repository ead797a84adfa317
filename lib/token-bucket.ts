// SPDX-License-Identifier: Apache-2.0
/** So many at once, and so many a second after that. */
import type { Millis } from './clock.js'

export class TokenBucket {
  readonly #burst: number
  #perSecond: number
  #tokens: number
  #at: Millis

  constructor(burst: number, perSecond: number, now: Millis) {
    this.#burst = burst
    this.#perSecond = perSecond
    this.#tokens = burst
    this.#at = now
  }

  /** Whether there are so many left. */
  has(now: Millis, count = 1): boolean {
    const earned = ((now - this.#at) * this.#perSecond) / 1000
    // Infinity a second times no time at all is no number.
    this.#tokens = Number.isNaN(earned) ? this.#burst : Math.min(this.#burst, this.#tokens + earned)
    this.#at = now
    return this.#tokens >= count
  }

  /** @returns whether there were so many left; where not, all whole ones are taken */
  take(now: Millis, count = 1): boolean {
    const isEnough = this.has(now, count)
    this.#tokens -= isEnough ? count : Math.floor(this.#tokens)
    return isEnough
  }

  /** From `now` on. */
  setRate(now: Millis, perSecond: number): void {
    this.has(now)
    this.#perSecond = perSecond
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * How long something was under way, by stamps of a clock that is not ours. The smallest difference between the clocks that has
 * been seen lately belongs to what came over the fastest path without a wait, which took half of the shortest round trip.
 */
import type { Millis } from '../../clock.js'

/** Two clocks differ by hardly a millisecond more after this time, unless one of them stood still while its machine slept. */
const SPAN_MS = 10_000
/** After a silence as long as that, what comes tells within this time whether one has: until then, it is taken for late. */
const RELEARN_MS = 1000

export class Transit {
  readonly #stamps: number
  #lowest = Infinity
  #lowestBefore = Infinity
  #since: Millis = -Infinity
  #last: Millis = -Infinity
  /** Of the first stamp, so that differences are small numbers. */
  #first: number | undefined

  /** @param stamps - stamps begin again behind so many milliseconds */
  constructor(stamps: number) {
    this.#stamps = stamps
  }

  /**
   * Something came at `now` that left at `stamp`.
   *
   * @param leastMs - what the fastest path takes, milliseconds
   * @returns how long it was under way, milliseconds
   */
  took(stamp: number, now: Millis, leastMs: number): number {
    if (now - this.#since > SPAN_MS) {
      this.#lowestBefore = this.#lowest
      this.#lowest = Infinity
      this.#since = now - this.#last > SPAN_MS ? now - SPAN_MS + RELEARN_MS : now
    }
    this.#last = now
    const difference = now - stamp
    const ahead = difference - (this.#first ??= difference)
    const shifted = ahead - this.#stamps * Math.round(ahead / this.#stamps)
    this.#lowest = Math.min(this.#lowest, shifted)
    return shifted - Math.min(this.#lowest, this.#lowestBefore) + leastMs
  }
}

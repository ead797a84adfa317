// SPDX-License-Identifier: Apache-2.0
/**
 * Delay that comes and goes, as where a radio or a queue of others holds a link up: what leaves close together is
 * delayed alike. Were it drawn for each packet, a stream that keeps its order would always have nearly the most.
 */
import type { Millis } from '../clock.js'
import type { SeededRandom } from './seeded-random.js'

export class Jitter {
  readonly #random: SeededRandom
  #from = 0
  #to = 0
  #fromAt: Millis = -Infinity

  constructor(random: SeededRandom) {
    this.#random = random
  }

  /**
   * How late what leaves at `at` is. It takes the time of the largest delay from one draw to the next, so that it never
   * falls faster than time passes: nothing overtakes.
   *
   * @param most - largest delay, milliseconds
   */
  lateMs(at: Millis, most: number): Millis {
    if (most === 0) return 0
    if (at >= this.#fromAt + 2 * most) {
      this.#fromAt = at
      this.#from = most * this.#random.random()
      this.#to = most * this.#random.random()
    }
    if (at >= this.#fromAt + most) {
      this.#fromAt += most
      this.#from = this.#to
      this.#to = most * this.#random.random()
    }
    const passed = Math.max(0, at - this.#fromAt) / most
    return this.#from + passed * (this.#to - this.#from)
  }
}

// SPDX-License-Identifier: Apache-2.0
/** Chance that a seed repeats: every number of a simulation comes from one generator. */

/** Marsaglia's xorshift with 32 bits of state, over a seed scrambled so that neighbours differ. Not for secrets. */
export class SeededRandom {
  /** The seed, to repeat the run with. */
  readonly seed: number
  #state: number

  /** @param seed - any integer; the same one gives the same numbers */
  constructor(seed: number) {
    this.seed = seed
    const scrambled = Math.imul((seed | 0) ^ ((seed | 0) >>> 16), 0x45d9_f3b) ^ 0x9e37_79b9
    this.#state = scrambled === 0 ? 1 : scrambled
    for (let i = 0; i < 8; i++) this.#next()
  }

  /** From 0 up to and without 1. */
  readonly random = (): number => this.#next() / 2 ** 32

  /** An integer from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.random() * (max - min + 1))
  }

  /** One of `items`. */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.integer(0, items.length - 1)]
    if (item === undefined) throw new RangeError('nothing to pick from')
    return item
  }

  /** Random bytes. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    for (let i = 0; i < length; i++) bytes[i] = this.#next() >>> 24
    return bytes
  }

  #next(): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state
    return state >>> 0
  }
}

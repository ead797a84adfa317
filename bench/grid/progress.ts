// SPDX-License-Identifier: Apache-2.0
/** A line a minute: how many cells are done, how long the rest takes, and the worst so far. */
import { keyOf } from './cell.js'
import type { Result } from './results.js'

const EVERY_MS = 60_000

export class Progress {
  readonly #of: number
  readonly #began = Date.now()
  #saidAt = Date.now()
  #done = 0
  #worst: Result | undefined

  constructor(of: number) {
    this.#of = of
  }

  add(result: Result): void {
    this.#done++
    if (this.#worst === undefined || result.outcome.share < this.#worst.outcome.share) this.#worst = result
    const now = Date.now()
    if (now - this.#saidAt < EVERY_MS) return
    this.#saidAt = now
    const left = ((now - this.#began) / this.#done) * (this.#of - this.#done)
    const { cell, outcome } = this.#worst
    console.log(
      `${this.#done} of ${this.#of} cells, ${Math.ceil(left / 60_000)} min left, worst: share ${outcome.share.toFixed(2)} at ${keyOf(cell)}`,
    )
  }
}

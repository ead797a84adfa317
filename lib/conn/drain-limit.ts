// SPDX-License-Identifier: Apache-2.0
/** After the connection is over, the reader drains what arrived; one that stops reading is not waited for. */
import type { Clock } from '../clock.js'

export class DrainLimit {
  readonly #clock: Clock
  readonly #ms: number
  #cancel: (() => void) | undefined

  constructor(clock: Clock, ms: number) {
    this.#clock = clock
    this.#ms = ms
  }

  /** Calls `onLate` unless {@link stop} comes, or the reader goes on reading, within the limit. */
  start(onLate: () => void): void {
    if (this.#cancel !== undefined || this.#ms === Infinity) return
    this.#cancel = this.#clock.callAt(this.#clock.now() + this.#ms, onLate)
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }
}

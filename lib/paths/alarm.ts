// SPDX-License-Identifier: Apache-2.0
/** One timer that can be moved. */
import type { Clock, Millis } from '../clock.js'

export class Alarm {
  readonly #clock: Clock
  readonly #run: () => void
  #at: Millis = Infinity
  #cancel: (() => void) | undefined

  constructor(clock: Clock, run: () => void) {
    this.#clock = clock
    this.#run = run
  }

  /** Runs at `at`, and not when it would have before; never where that is Infinity. */
  set(at: Millis): void {
    this.#cancel?.()
    this.#at = at
    this.#cancel = at === Infinity ? undefined : this.#clock.callAt(at, this.#ring)
  }

  /** Runs at `at`, or when it would have anyway if that is sooner. */
  noLaterThan(at: Millis): void {
    if (at < this.#at) this.set(at)
  }

  readonly #ring = (): void => {
    this.#at = Infinity
    this.#cancel = undefined
    this.#run()
  }
}

// SPDX-License-Identifier: Apache-2.0
/** What goes wrong while paths are looked for: told once, and again when it is another problem. */

export class Problems {
  readonly #tell: (error: Error) => void
  readonly #known = new Map<string, Error>()

  constructor(tell: (error: Error) => void) {
    this.#tell = tell
  }

  get all(): Error[] {
    return [...this.#known.values()]
  }

  /** @param about - what it is about: one problem each */
  raise(about: string, error: Error): void {
    const isKnown = this.#known.get(about)?.message === error.message
    this.#known.set(about, error)
    if (!isKnown) this.#tell(error)
  }

  settle(about: string): void {
    this.#known.delete(about)
  }

  clear(): void {
    this.#known.clear()
  }
}

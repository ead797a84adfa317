// SPDX-License-Identifier: Apache-2.0
/**
 * Signals that the command passes on to the program. One from the terminal comes to the whole foreground group: the command,
 * its helper and the program. What the helper has heard as well, the program has already.
 */

/** So long a signal that the helper has heard stands for one that the command has, milliseconds. */
const SAME_MS = 1000

export interface SignalRelayInit {
  readonly send: (name: NodeJS.Signals) => void
  /** Milliseconds. */
  readonly now: () => number
}

export class SignalRelay {
  readonly #init: SignalRelayInit
  readonly #heardAt = new Map<NodeJS.Signals, number>()

  constructor(init: SignalRelayInit) {
    this.#init = init
  }

  /** The helper has got it. */
  heard(name: NodeJS.Signals): void {
    this.#heardAt.set(name, this.#init.now())
  }

  /** The command has got it. Whatever the helper got at the same time has been told by now. */
  passOn(name: NodeJS.Signals): void {
    const heardAt = this.#heardAt.get(name)
    this.#heardAt.delete(name)
    if (heardAt === undefined || this.#init.now() - heardAt > SAME_MS) this.#init.send(name)
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * The suspended connections of one dialer. They try the same paths: together as often as a few would, and all at once as soon as
 * one of them goes on.
 */
import type { Clock, Millis } from '../clock.js'

/** So many try as often as they like. */
const FEW = 4
/** From one time when all try to the next, milliseconds: several connections may go on at once. */
const HURRY_MS = 250

export class SuspendedConns {
  readonly #clock: Clock
  readonly #hurries = new Set<() => void>()
  #hurriedAt: Millis = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How much longer than a few each has to wait from one attempt to the next. */
  get patience(): number {
    return Math.max(1, this.#hurries.size / FEW)
  }

  /** One more. @param hurry - ends its waits; names it from now on */
  add(hurry: () => void): void {
    this.#hurries.add(hurry)
  }

  /** It is suspended no longer. @param goesOn - a path has carried it: it may carry the others */
  delete(hurry: () => void, goesOn: boolean): void {
    if (!this.#hurries.delete(hurry) || !goesOn) return
    const now = this.#clock.now()
    if (now - this.#hurriedAt < HURRY_MS) return
    this.#hurriedAt = now
    for (const each of [...this.#hurries]) each()
  }
}

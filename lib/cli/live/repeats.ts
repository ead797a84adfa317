// SPDX-License-Identifier: Apache-2.0
/** What goes wrong again and again for the same reason: told once, and then rarely. */
import { REMIND_MS } from './path-journal.js'

export class Repeats {
  #text: string | undefined
  #toldAt = -Infinity

  /** Whether `text` is worth a line at `now`, milliseconds: it is new, or was told long ago. */
  isNews(text: string, now: number): boolean {
    if (text === this.#text && now - this.#toldAt < REMIND_MS) return false
    this.#text = text
    this.#toldAt = now
    return true
  }

  /** It works again: the next failure is news. */
  clear(): void {
    this.#text = undefined
  }
}

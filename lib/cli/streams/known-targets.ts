// SPDX-License-Identifier: Apache-2.0
/** Targets that were reached a short while ago: one more connection to such a one is all but sure to succeed. */

/** Long enough for a page and what it loads later; what has gone down since costs one reset without a reason. */
const KNOWN_MS = 60_000
/** The oldest is forgotten for one more. */
const MAX_KNOWN = 1024

/** Times in milliseconds, of any clock that only goes forward. */
export class KnownTargets {
  readonly #reachedAt = new Map<string, number>()

  has(target: string, now: number): boolean {
    const at = this.#reachedAt.get(target)
    return at !== undefined && now - at <= KNOWN_MS
  }

  reached(target: string, now: number): void {
    this.#reachedAt.delete(target)
    this.#reachedAt.set(target, now)
    if (this.#reachedAt.size > MAX_KNOWN) this.#reachedAt.delete(this.#reachedAt.keys().next().value!)
  }

  failed(target: string): void {
    this.#reachedAt.delete(target)
  }
}

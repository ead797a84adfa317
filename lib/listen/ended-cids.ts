// SPDX-License-Identifier: Apache-2.0
/** Connections that have ended a moment ago: their joins may still be on their way, and are no misuse. */
import type { Millis } from '../clock.js'

/** Connections that are remembered: about 4 MiB. The oldest makes room. */
const MAX_ENDED_CIDS = 16_384
/** For so long: a SYN that was lost comes again after 1, 3, 7 and 15 s. */
const ENDED_MS = 30_000

interface Ended {
  readonly at: Millis
  joinsLeft: number
}

export class EndedCids {
  readonly #joins: number
  /** The oldest first. */
  readonly #byKey = new Map<string, Ended>()

  /** @param joins - late joins that are taken for such, of each connection */
  constructor(joins: number) {
    this.#joins = joins
  }

  get size(): number {
    return this.#byKey.size
  }

  /** @param key - of {@link CidKeys}: what is kept is no CID */
  add(key: string, now: Millis): void {
    for (const [oldest, { at }] of this.#byKey) {
      if (now - at < ENDED_MS && this.#byKey.size < MAX_ENDED_CIDS) break
      this.#byKey.delete(oldest)
    }
    this.#byKey.set(key, { at: now, joinsLeft: this.#joins })
  }

  /** Whether a join comes late for a connection that has ended a moment ago; counts it. */
  takes(key: string, now: Millis): boolean {
    const ended = this.#byKey.get(key)
    return ended !== undefined && now - ended.at < ENDED_MS && --ended.joinsLeft >= 0
  }
}

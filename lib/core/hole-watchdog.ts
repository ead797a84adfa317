// SPDX-License-Identifier: Apache-2.0
/** Notices what a Go peer will not send again: a frame is missing, and nothing but signs of life comes. */
import type { Millis } from '../clock.js'

/** The time is up only after so many signs of life, so that a standstill of our own never is that time. */
const LEAST_SIGNS = 4

export class HoleWatchdog {
  readonly #missingMs: number
  #heardAt: Millis = -Infinity
  #quietMs = 0

  constructor(missingMs: number) {
    this.#missingMs = missingMs
  }

  /**
   * The peer was heard.
   *
   * @param isWaiting - a frame is missing, and what came is no data that might fill the hole or go on behind it
   * @returns whether that has been so for too long
   */
  heard(isWaiting: boolean, now: Millis): boolean {
    const stepMs = Math.min(now - this.#heardAt, this.#missingMs / LEAST_SIGNS)
    this.#heardAt = now
    this.#quietMs = isWaiting ? this.#quietMs + stepMs : 0
    return this.#quietMs >= this.#missingMs
  }
}

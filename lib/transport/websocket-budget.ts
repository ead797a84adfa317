// SPDX-License-Identifier: Apache-2.0
/** How many frames without payload a WebSocket may bring: pings, pongs and empty messages carry no data. */
import type { Millis } from '../clock.js'

/** At once. A proxy or a browser sends one in many seconds. */
export const MAX_EMPTY_FRAMES = 256
/** And so many each second after that, beside one for each frame that has a payload. */
const EMPTY_FRAMES_PER_SECOND = 16

export class FrameBudget {
  #left = MAX_EMPTY_FRAMES
  #at: Millis | undefined

  /** Time has passed. */
  refill(now: Millis): void {
    const earned = ((now - (this.#at ?? now)) * EMPTY_FRAMES_PER_SECOND) / 1000
    this.#left = Math.min(MAX_EMPTY_FRAMES, this.#left + earned)
    this.#at = now
  }

  /** A frame with a payload: some implementations end each message with one that has none. */
  earn(): void {
    if (this.#left < MAX_EMPTY_FRAMES) this.#left++
  }

  /** @returns whether one more frame without payload may come */
  spend(): boolean {
    return --this.#left >= 0
  }
}

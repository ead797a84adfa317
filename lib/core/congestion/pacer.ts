// SPDX-License-Identifier: Apache-2.0
/** Lets bytes go at a rate, with a short burst after a pause. */
import type { Millis } from '../../clock.js'

export class Pacer {
  #bytesPerMs = Infinity
  #burstMs: Millis = 0
  /** Bytes that may leave now; below 0 after a frame that was longer. */
  #credit = 0
  #creditedAt: Millis = -Infinity

  get bytesPerMs(): number {
    return this.#bytesPerMs
  }

  /**
   * @param bytesPerMs - Infinity lets everything go
   * @param burstMs - after a pause, what this rate brings in so many milliseconds may leave in one go
   */
  set(bytesPerMs: number, burstMs: Millis): void {
    this.#bytesPerMs = bytesPerMs
    this.#burstMs = burstMs
  }

  /** Nothing is left of a burst. */
  empty(): void {
    this.#credit = Math.min(this.#credit, 0)
  }

  /** When the next frame may leave: at once, or later than `now`. */
  readyAt(now: Millis): Millis {
    if (this.#bytesPerMs === Infinity) return now
    this.#refill(now)
    return this.#credit > 0 ? now : now + (1 - this.#credit) / this.#bytesPerMs
  }

  /** A frame leaves. */
  spend(bytes: number, now: Millis): void {
    if (this.#bytesPerMs === Infinity) return
    this.#refill(now)
    this.#credit -= bytes
  }

  #refill(now: Millis): void {
    const burst = Math.max(1, this.#bytesPerMs * this.#burstMs)
    const elapsed = now - this.#creditedAt
    this.#credit = elapsed === Infinity ? burst : Math.min(burst, this.#credit + elapsed * this.#bytesPerMs)
    this.#creditedAt = now
  }
}

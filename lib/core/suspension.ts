// SPDX-License-Identifier: Apache-2.0
/**
 * A connection without a subflow, which is held for a while: both sides keep what they have, and wait for a subflow.
 *
 * ```
 * last subflow gone ─► suspended ─┬─ a subflow shows life ─► resumed: what is missing is sent again once HAVE has come
 *                                 └─ the hold time is over ─► the end
 * ```
 */
import type { Millis } from '../clock.js'

export class Suspension {
  #since: Millis | undefined
  #expiresAt: Millis = Infinity
  #endedAt: Millis = -Infinity
  #awaitsHave = false

  /** No subflow is there that has shown life, and the connection is held. */
  get isOn(): boolean {
    return this.#since !== undefined
  }

  /** When the hold time is over; Infinity where nothing is held. */
  get expiresAt(): Millis {
    return this.#expiresAt
  }

  /** Until when no ack could come; Infinity while it is on. */
  get idleUntil(): Millis {
    return this.isOn ? Infinity : this.#endedAt
  }

  /** What the peer has received is not known: only what is missing shall be sent again. */
  get awaitsHave(): boolean {
    return this.#awaitsHave
  }

  /** The last subflow is gone. Does nothing where none has come up since the one before. */
  begin(now: Millis, holdMs: number): void {
    if (this.isOn) return
    this.#since = now
    this.#expiresAt = now + holdMs
    this.#awaitsHave = true
  }

  /** A subflow shows life. @returns how long it took, milliseconds */
  end(now: Millis): Millis {
    const durationMs = now - (this.#since ?? now)
    this.#since = undefined
    this.#expiresAt = Infinity
    this.#endedAt = now
    return durationMs
  }

  /** The connection is over. */
  over(): void {
    this.#since = undefined
    this.#expiresAt = Infinity
    this.#awaitsHave = false
  }

  /** The peer has said what it has received. */
  haveHeard(): void {
    this.#awaitsHave = false
  }
}

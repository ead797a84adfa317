// SPDX-License-Identifier: Apache-2.0
/**
 * How much the peer may send on one stream. The window begins with yamux's 256 KiB and doubles while a half of it
 * is used up within two round trips: it then holds up the sender. So it ends between two and four times the
 * bandwidth-delay product, within what stream and session allow.
 */
import type { Millis } from '../clock.js'
import { INITIAL_WINDOW_BYTES, protocolError } from './frame.js'

/** A half of the window in fewer round trips than these: it is too small. */
const BUSY_ROUND_TRIPS = 2

/** What all windows of a session share. */
export interface WindowBudget {
  /** Bytes that windows may still grow by. */
  left: number
}

export interface Growth {
  readonly budget: WindowBudget
  readonly maxBytes: number
  /** Round trip, milliseconds; `undefined` while it is not known. */
  readonly rttMs: Millis | undefined
}

export class ReceiveWindow {
  #size = INITIAL_WINDOW_BYTES
  /** What the peer may send before it hears from us. */
  #credit = INITIAL_WINDOW_BYTES
  #grantedAt: Millis

  constructor(now: Millis) {
    this.#grantedAt = now
  }

  get size(): number {
    return this.#size
  }

  /** @throws ERR_MULTIPATH_MUX_PROTOCOL where the peer sends more than it may */
  spend(bytes: number): void {
    if (bytes > this.#credit)
      throw protocolError(`the peer sent ${bytes} bytes on a stream with a window of ${this.#credit}`)
    this.#credit -= bytes
  }

  /** Whether so much has been read that the peer should hear of it. Go: stream.go, sendWindowUpdate. */
  isDue(unreadBytes: number): boolean {
    return this.#size - unreadBytes - this.#credit >= this.#size / 2
  }

  /** @returns the bytes that the peer may now send in addition; 0 where it needs not hear of them yet */
  grant(unreadBytes: number, now: Millis, growth: Growth): number {
    if (!this.isDue(unreadBytes)) return 0
    const { rttMs, budget, maxBytes } = growth
    if (rttMs !== undefined && now - this.#grantedAt < rttMs * BUSY_ROUND_TRIPS) {
      const extra = Math.max(0, Math.min(this.#size, maxBytes - this.#size, budget.left))
      this.#size += extra
      budget.left -= extra
    }
    const granted = this.#size - unreadBytes - this.#credit
    this.#credit += granted
    this.#grantedAt = now
    return granted
  }

  /** The stream is over: what its window had grown by is for others. */
  release(budget: WindowBudget): void {
    budget.left += this.#size - INITIAL_WINDOW_BYTES
    this.#size = INITIAL_WINDOW_BYTES
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * How much a peer of ours may send: what is unread and what is on its way fit into the window. It begins with an eighth of
 * `maxUnreadBytes`, and doubles while the reader takes it within a few round trips: then it holds up the sender.
 */
import type { Millis } from '../clock.js'
import type { ResolvedConnOptions } from './options.js'

/** The smallest window, bytes, whatever the budget is. */
const LEAST_WINDOW_BYTES = 1400
/** The window starts at this share of the budget, or at FIRST_BYTES if that is more and the budget allows it. */
const FIRST_SHARE = 1 / 8
const FIRST_BYTES = 65_536
/** The peer hears of it when the limit has grown by this share of the window. */
const UPDATE_SHARE = 1 / 4
/** A reader that takes a whole window in fewer round trips than these gets a larger one: a sender may have as many in flight. */
const BUSY_ROUND_TRIPS = 5
/** A round trip counts as at least so long, milliseconds: data comes in bunches, and the queue of a path counts too. */
const LEAST_ROUND_TRIP_MS = 30

/** What has come, bytes. */
export interface Received {
  /** What the reader has taken so far. */
  readonly takenBytes: number
  /** In order, and not taken. */
  readonly unreadBytes: number
  /** Ahead of a missing frame. */
  readonly outOfOrderBytes: number
}

export class ReceiveWindow {
  readonly #options: ResolvedConnOptions
  #size = 0
  #limit = 0
  #updatedAt: Millis = -Infinity
  #takenThen = 0

  constructor(options: ResolvedConnOptions) {
    this.#options = options
  }

  /** What the peer may send in all, payload bytes from the first one on; it never shrinks. */
  get limitBytes(): number {
    return this.#limit
  }

  /** Whether the limit can grow by so much that the peer should hear of it. */
  isDue(received: Received): boolean {
    const { maxUnreadBytes } = this.#options
    const least = Math.min(this.#fit(maxUnreadBytes), this.#aheadBytes) * UPDATE_SHARE
    return this.#limitFor(received) - this.#limit >= least
  }

  /** The limit grows. @param rttMs - the longest round trip, milliseconds */
  raise(received: Received, now: Millis, rttMs: Millis): void {
    const { takenBytes } = received
    this.#limit = this.#limitFor(received)
    this.#size = this.#grown(takenBytes - this.#takenThen, now - this.#updatedAt, rttMs)
    this.#updatedAt = now
    this.#takenThen = takenBytes
  }

  /** What waits for a missing frame is no fault of the reader, and must not stop the other paths. */
  #limitFor({ takenBytes, unreadBytes, outOfOrderBytes }: Received): number {
    const size = this.#fit(this.#options.maxUnreadBytes)
    return takenBytes + Math.min(size + outOfOrderBytes, unreadBytes + this.#aheadBytes)
  }

  get #aheadBytes(): number {
    return Math.max(LEAST_WINDOW_BYTES, this.#options.maxReorderBytes)
  }

  /** The budget may have changed. */
  #fit(budget: number): number {
    const first = Math.min(budget, Math.max(budget * FIRST_SHARE, FIRST_BYTES))
    return Math.max(LEAST_WINDOW_BYTES, Math.floor(Math.min(budget, Math.max(this.#size, first))))
  }

  #grown(readBytes: number, elapsedMs: Millis, rttMs: Millis): number {
    const size = this.#fit(this.#options.maxUnreadBytes)
    const busyMs = BUSY_ROUND_TRIPS * Math.max(LEAST_ROUND_TRIP_MS, rttMs)
    return elapsedMs * size < readBytes * busyMs ? 2 * size : size
  }
}

/**
 * What a subflow brings that gets its connection nowhere: copies, frames that are refused, pings, acks of nothing. Some
 * of it is honest: a Go peer sends again early, a scheduler may send everything twice, a path that was frozen brings
 * what others have brought since. So much is allowed for each second, and more for each byte of progress. Beyond that
 * the subflow is left unread for a while: it costs a flood its speed, and an honest peer nothing that it had.
 */
import type { Millis } from '../clock.js'

/** What a frame costs beside its bytes: a header takes us about as long as so many bytes of payload. */
export const FRAME_COST_BYTES = 64
/** So much at once, in seconds of what is allowed. */
const BURST_SECONDS = 4
/** Each byte that was new, and each that the reader took, pays for so many. */
const PER_PROGRESS = 2
/** Progress pays for at most so much that is yet to come, bytes: what the kernels of a path hold when it thaws. */
const MOST_EARNED_BYTES = 16 * 1024 * 1024

export class Waste {
  /** Brought since it was last settled. */
  #unsettled = 0
  /** What is not paid for by time; below zero, what progress has paid in advance. */
  #debt = 0
  #settledAt: Millis
  #progress = 0

  constructor(now: Millis) {
    this.#settledAt = now
  }

  /** A frame with a payload of `bytes` brought nothing. */
  add(bytes: number): void {
    this.#unsettled += bytes + FRAME_COST_BYTES
  }

  /**
   * @param progress - bytes of the connection so far, of all subflows
   * @returns how long the subflow should not be read, milliseconds
   */
  settle(now: Millis, progress: number, perSecond: number): Millis {
    if (this.#unsettled === 0 || perSecond === Infinity) return 0
    const perMs = perSecond / 1000
    const paid = (now - this.#settledAt) * perMs
    const earned = PER_PROGRESS * (progress - this.#progress)
    this.#debt = Math.max(Math.min(this.#debt, 0), this.#debt - paid)
    this.#debt = Math.max(-MOST_EARNED_BYTES, this.#debt - earned) + this.#unsettled
    this.#settledAt = now
    this.#progress = progress
    this.#unsettled = 0
    return Math.max(0, this.#debt / perMs - BURST_SECONDS * 1000)
  }
}

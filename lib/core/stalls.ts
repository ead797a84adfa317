// SPDX-License-Identifier: Apache-2.0
/**
 * Tells a lossy path by its stalls: while TCP repairs a loss, nothing behind it is delivered, and then a
 * burst is. Such a path needs a longer window to stay full meanwhile. A window that overflows a queue makes
 * losses of its own, so the short one is tried again from time to time.
 */
import type { Millis } from '../clock.js'
import type { RttEstimator } from './rtt.js'

/** Time is judged in slices: so many milliseconds or round trips, whichever is longer. */
const SLICE_MS = 150
const SLICE_ROUNDS = 4
/** A slice is stalled where acks were missing for this share of it. */
const STALLED_SHARE = 0.25
/** One silence, or the fifth of a second that BBR takes to measure its RTT, fills at most three slices. */
const FIRST_SLICES = 4
/** BBR measures it ten seconds after it saw the last minimum: a young path's stalls are losses. */
const YOUNG_MS = 8000
const YOUNG_SLICES = 2
/** A path that was lossy before is believed sooner. */
const NEXT_SLICES = 1
/** The longer window is kept for this long at first, and twice as long each time the short one fails. */
const FIRST_HOLD_MS = 2000
const LAST_HOLD_MS = 16_000
/** On longer paths four pipes are megabytes: what they would overflow takes longer to repair than they gain. */
const LONG_RTT_MS = 150
/** A gap between acks counts from this share of the minimum RTT on, and never under the floor. */
const RTT_SHARE = 0.75
const FLOOR_MS = 12

export class StallCounter {
  #firstAckAt: Millis = Infinity
  #lastAckAt: Millis = Infinity
  #lossyUntil: Millis = -Infinity
  #holdMs = FIRST_HOLD_MS
  #sliceBegan: Millis = -Infinity
  /** Milliseconds of the slice without acks. */
  #stalledMs = 0
  /** Slices in a row that were stalled, and that were not. */
  #stalledRow = 0
  #calmRow = FIRST_SLICES

  /**
   * @param isTelling - the window was full, so that acks should have come, and no queue had built up: what
   *   overflows a queue is no loss of the path's
   */
  acked(now: Millis, rtt: RttEstimator, isTelling: boolean): void {
    const { min: minRtt, smoothed = 0 } = rtt
    const gap = now - this.#lastAckAt
    this.#lastAckAt = now
    this.#firstAckAt = Math.min(this.#firstAckAt, now)
    // Until the longer window has drained, stalls are still its own.
    if (minRtt > LONG_RTT_MS || now < this.#lossyUntil + 2 * smoothed) {
      this.#beginSlice(now)
      return
    }
    if (isTelling && gap >= Math.max(FLOOR_MS, RTT_SHARE * minRtt)) this.#stalledMs += gap
    const elapsed = now - this.#sliceBegan
    if (elapsed >= Math.max(SLICE_MS, SLICE_ROUNDS * minRtt)) this.#judge(now, elapsed)
  }

  /** No acks were to be expected until now. */
  rested(now: Millis): void {
    this.#lastAckAt = Infinity
    this.#beginSlice(now)
  }

  #beginSlice(now: Millis): void {
    this.#sliceBegan = now
    this.#stalledMs = 0
  }

  #judge(now: Millis, elapsed: number): void {
    const isStalled = this.#stalledMs >= STALLED_SHARE * elapsed
    this.#beginSlice(now)
    this.#stalledRow = isStalled ? this.#stalledRow + 1 : 0
    this.#calmRow = isStalled ? this.#calmRow : this.#calmRow + 1
    const wasLossy = this.#calmRow < FIRST_SLICES
    if (this.#stalledRow < this.#slicesWanted(wasLossy, now)) return
    this.#holdMs = wasLossy ? Math.min(2 * this.#holdMs, LAST_HOLD_MS) : FIRST_HOLD_MS
    this.#lossyUntil = now + this.#holdMs
    this.#calmRow = 0
  }

  #slicesWanted(wasLossy: boolean, now: Millis): number {
    if (wasLossy) return NEXT_SLICES
    return now - this.#firstAckAt < YOUNG_MS ? YOUNG_SLICES : FIRST_SLICES
  }

  isLossy(now: Millis): boolean {
    return now < this.#lossyUntil
  }
}

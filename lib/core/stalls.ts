/**
 * Tells a lossy path by its stalls: while TCP repairs a loss, nothing behind it is delivered, and then a
 * burst is. Such a path needs a longer window to stay full meanwhile. A window that overflows a queue makes
 * losses of its own, so the short one is tried again from time to time.
 */
import type { Millis } from '../clock.js'

/** A path is lossy when it stalls for this share of a span: less costs less than a longer queue. */
const STALLED_SHARE = 0.15
const STALLS = 4
const SPAN_MS = 1000
/** The longer window is kept for this long at first, and twice as long each time the short one fails. */
const FIRST_HOLD_MS = 1000
const LAST_HOLD_MS = 16_000
const AFTERMATH_MS = 300
/** On longer paths four pipes are megabytes: what they would overflow takes longer to repair than they gain. */
const LONG_RTT_MS = 150
/** A gap between acks counts from this share of the minimum RTT on, and never under the floor. */
const RTT_SHARE = 0.75
const FLOOR_MS = 12

export class StallCounter {
  #stalls: { readonly at: Millis; readonly gap: number }[] = []
  #lastAckAt: Millis = Infinity
  #lossyUntil: Millis = -Infinity
  #ignoreUntil: Millis = -Infinity
  #holdMs = FIRST_HOLD_MS

  /**
   * @param minRtt - milliseconds
   * @param rtt - what an ack takes now
   * @param isFull - the window was full, so that acks should have come
   */
  acked(now: Millis, minRtt: number, rtt: number, isFull: boolean): void {
    const gap = now - this.#lastAckAt
    this.#lastAckAt = now
    if (minRtt > LONG_RTT_MS) return
    // Until the longer window has drained, stalls are still its own.
    if (
      !isFull ||
      now < this.#ignoreUntil ||
      now < this.#lossyUntil + 2 * rtt ||
      gap < Math.max(FLOOR_MS, RTT_SHARE * minRtt)
    )
      return
    const span = Math.max(SPAN_MS, 10 * minRtt)
    this.#stalls = this.#stalls.filter(({ at }) => now - at < span)
    this.#stalls.push({ at: now, gap })
    const stalled = this.#stalls.reduce((sum, stall) => sum + stall.gap, 0)
    if (this.#stalls.length < STALLS || stalled < STALLED_SHARE * span) return
    this.#stalls = []
    const isFresh = now - this.#lossyUntil > LAST_HOLD_MS
    this.#holdMs = isFresh ? FIRST_HOLD_MS : Math.min(2 * this.#holdMs, LAST_HOLD_MS)
    this.#lossyUntil = now + Math.max(this.#holdMs, 10 * minRtt)
  }

  /** Startup overflows queues by itself: its stalls, and those that come of it, say nothing. */
  ignore(now: Millis, rtt: number): void {
    this.#lastAckAt = now
    this.#ignoreUntil = now + Math.max(AFTERMATH_MS, 4 * rtt)
  }

  isLossy(now: Millis): boolean {
    return now < this.#lossyUntil
  }
}

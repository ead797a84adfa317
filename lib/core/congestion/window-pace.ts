// SPDX-License-Identifier: Apache-2.0
/** How fast a window leaves. A bunch of acks makes room for many frames at once, and sent as one burst they would overflow a short queue. */
import type { Millis } from '../../clock.js'
import { Pacer } from './pacer.js'

/** The longest burst after a pause, since timers are late: milliseconds of the pace, or this share of the minimum RTT. */
const BURST_MS = 4
const BURST_SHARE = 1 / 8
/**
 * Over a kernel that does not pace (CUBIC), the pace is at most this many times the rate. A kernel that had run dry would otherwise send
 * at once all that a bunch of acks makes room for, and overflow a queue.
 */
const PACE_GAIN = 1.5

export class WindowPace extends Pacer {
  #isLimited = false
  #isRepaired = false

  /**
   * For a round trip after a repair, the pace is no higher than the rate: behind a loss, all of the window is acked at once, and the path is
   * empty. With more, a second overflow would follow each.
   *
   * @param isRepaired - TCP has repaired a loss within the last round trip
   */
  acked(isRepaired: boolean): void {
    if (isRepaired && !this.#isRepaired && this.#isLimited) this.empty()
    this.#isRepaired = isRepaired
  }

  /** All may leave at once. */
  free(): void {
    this.#isLimited = false
    this.set(Infinity, BURST_MS)
  }

  /** A window of `bytes` leaves within a minimum RTT. @param rate - delivery rate, bytes per millisecond @param isKernelPaced - the kernel below paces */
  follow(bytes: number, rate: number, minRtt: Millis, isKernelPaced: boolean): void {
    this.#isLimited = !isKernelPaced
    const limit = isKernelPaced ? Infinity : (this.#isRepaired ? 1 : PACE_GAIN) * rate
    this.set(Math.min(bytes / minRtt, limit), Math.max(BURST_MS, BURST_SHARE * minRtt))
  }
}

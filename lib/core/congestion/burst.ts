// SPDX-License-Identifier: Apache-2.0
/** What leaves on a path from the moment when nothing was in flight until nothing is again, and how fast it was delivered. */
import type { Millis } from '../../clock.js'

/** Node and the kernel may delay acks by this much: what seems to be delivered in less tells little of the rate. */
const LEAST_BURST_MS = 5
/** Fewer bytes do not show how fast a path is: what a kernel sends in its first flight (RFC 6928). */
const TELLING_BYTES = 10 * 1400
/** What left within this share of the time in which it was delivered has queued in front of the path. */
const QUEUED_SHARE = 1 / 2

export class Burst {
  #beganAt: Millis = 0
  #from = 0
  #rate = 0
  #isTelling = false

  /** Bytes per millisecond: a lower bound unless it is {@link isTelling}. */
  get rate(): number {
    return this.#rate
  }

  /** It has queued in front of the path, for long enough to show what the path brings. */
  get isTelling(): boolean {
    return this.#isTelling
  }

  /** Bytes that had been delivered before it. */
  get from(): number {
    return this.#from
  }

  begin(now: Millis, delivered: number): void {
    this.#beganAt = now
    this.#from = delivered
  }

  /**
   * What left at `sentAt` has been acked, and `delivered` bytes in all. The path had a round trip less to deliver them than
   * has passed: a burst that is over within a few round trips would otherwise seem to be half as fast as it was, or less. But
   * a kernel sends no more in a round trip than it has been seen to.
   */
  acked(sentAt: Millis, now: Millis, delivered: number, minRtt: Millis): void {
    const bytes = delivered - this.#from
    const sentMs = sentAt - this.#beganAt
    const deliveredMs = now - this.#beganAt - minRtt
    const leastMs = Math.max(minRtt, LEAST_BURST_MS)
    this.#rate = bytes / Math.max(deliveredMs, sentMs, leastMs)
    this.#isTelling = bytes >= TELLING_BYTES && deliveredMs >= Math.max(leastMs, sentMs / QUEUED_SHARE)
  }
}

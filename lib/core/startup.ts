// SPDX-License-Identifier: Apache-2.0
/** A path that is filled for the first time: by how much its window grows, and when it is full. */
import type { Millis } from '../clock.js'
import { STEADY_GAIN } from './congestion.js'
import type { Round } from './delivery-rate.js'
import type { Repairs } from './repairs.js'
import type { RttEstimator } from './rtt.js'

/** Window in pipes: short paths, where growth takes no time, and long ones; between these RTTs the one becomes the other. */
const SHORT_STARTUP_GAIN = 1.45
const LONG_STARTUP_GAIN = 1.85
const SHORT_STARTUP_MS = 60
const LONG_STARTUP_MS = 160
/** An ack shows a queue if it exceeds the minimum RTT by this share, and by at least this many milliseconds. */
export const QUEUEING_SHARE: number = 1 / 2
const QUEUEING_MS = 4
/** The rate has stopped growing when so many full rounds brought less than a quarter more. */
const FLAT_ROUNDS = 3
const GROWTH = 1.25
/** A round that delivered less than this share of the rate does not count. */
const FULL_RATE_SHARE = 0.8
/** Once TCP has repaired a loss, the window grows by what the last round trips delivered: a repair may take this many. */
const REPAIR_ROUNDS = 3

/** What a window has to know of its path's repairs. */
export type RepairsSeen = Pick<Repairs, 'lastAt' | 'isFrequent'>

export class Startup {
  readonly #rtt: RttEstimator
  readonly #repairs: () => RepairsSeen
  #flatRounds = 0
  #bestRate = 0
  /** When the last repair before it was. */
  #repairBefore: Millis = -Infinity
  /** Bytes, of which an e-th is left after {@link REPAIR_ROUNDS}. */
  #deliveredLately = 0
  #ackedAt: Millis = 0

  constructor(rtt: RttEstimator, repairs: () => RepairsSeen) {
    this.#rtt = rtt
    this.#repairs = repairs
  }

  acked(bytes: number, now: Millis): void {
    this.#deliveredLately *= Math.exp((this.#ackedAt - now) / (REPAIR_ROUNDS * this.#rtt.min))
    this.#deliveredLately += bytes
    this.#ackedAt = now
  }

  /** Pipes that may be in flight. */
  get gain(): number {
    if (this.#isQueueing(this.#rtt.latest)) return STEADY_GAIN
    const length = (this.#rtt.min - SHORT_STARTUP_MS) / (LONG_STARTUP_MS - SHORT_STARTUP_MS)
    return SHORT_STARTUP_GAIN + (LONG_STARTUP_GAIN - SHORT_STARTUP_GAIN) * Math.min(1, Math.max(0, length))
  }

  /**
   * Bytes that may be in flight besides. While acks wait for a repair, the window is used up and the kernel has nothing to
   * send: BBR then takes the path for full.
   */
  get slackBytes(): number {
    const isLossy = this.#repairs().lastAt > this.#repairBefore
    return isLossy && !this.#isQueueing(this.#rtt.latest) ? this.#deliveredLately : 0
  }

  /** It was filled for so long, and brought hardly more; or a queue shows. */
  get isFull(): boolean {
    return this.#flatRounds >= FLAT_ROUNDS || (this.#flatRounds > 0 && this.#isQueueing(this.#rtt.recentMin))
  }

  /** Anew. */
  begin(): void {
    this.#bestRate = 0
    this.#flatRounds = 0
    this.#repairBefore = this.#repairs().lastAt
    this.#deliveredLately = 0
  }

  /** @param best - the highest rate so far, bytes per millisecond */
  roundEnded({ rate, wasFull }: Round, best: number): void {
    // A kernel that measures its RTT (BBR) hardly sends for a round: that says nothing of the path.
    if (!wasFull || rate < FULL_RATE_SHARE * best) return
    if (best >= this.#bestRate * GROWTH) {
      this.#bestRate = best
      this.#flatRounds = 0
    } else this.#flatRounds++
  }

  /** A round trip so long tells of a queue. A kernel that paces its first flights delays by a third of one. */
  #isQueueing(rtt: number): boolean {
    return rtt - this.#rtt.min > Math.max(QUEUEING_MS, QUEUEING_SHARE * this.#rtt.min)
  }
}

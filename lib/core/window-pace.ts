// SPDX-License-Identifier: Apache-2.0
/** How fast a window leaves. A bunch of acks makes room for many frames at once, and sent as one burst they would overflow a short queue. */
import type { Millis } from '../clock.js'
import { Pacer } from './pacer.js'

/** The longest burst after a pause, since timers are late: milliseconds of the pace, or this share of the minimum RTT. */
const BURST_MS = 4
const BURST_SHARE = 1 / 8
/**
 * The pace is at most this many times the rate. A kernel that had run dry (CUBIC) would otherwise send at once all that a bunch of
 * acks makes room for, and overflow a queue.
 */
const PACE_GAIN = 1.5
/**
 * That limit holds only after this many rounds. BBR ends its startup after three rounds in which it always had something to send, and
 * each may last three times the minimum RTT.
 */
const SETTLING_ROUNDS = 8

export class WindowPace extends Pacer {
  #repairRounds = 0

  /** TCP repaired losses for a round, or the path has jitter. */
  repairRound(): void {
    if (this.#repairRounds < SETTLING_ROUNDS) this.#repairRounds++
  }

  /** The path is found anew. */
  restart(): void {
    this.#repairRounds = 0
  }

  /** A window of `bytes` leaves within a minimum RTT; at Infinity, at once. @param rate - delivery rate, bytes per millisecond */
  follow(bytes: number, rate: number, minRtt: Millis): void {
    const most = bytes === Infinity ? Infinity : bytes / minRtt
    const pace = this.#repairRounds < SETTLING_ROUNDS ? most : Math.min(most, PACE_GAIN * rate)
    this.set(pace, Math.max(BURST_MS, BURST_SHARE * minRtt))
  }
}

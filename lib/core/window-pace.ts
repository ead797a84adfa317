// SPDX-License-Identifier: Apache-2.0
/** How fast a window leaves: as a burst, what a bunch of acks makes room for would overflow a short queue. */
import type { Millis } from '../clock.js'
import { Pacer } from './pacer.js'

/** Timers are late: a burst after a pause may have so many milliseconds, or such a share of the minimum RTT. */
const BURST_MS = 4
const BURST_SHARE = 1 / 8
/**
 * What a bunch of acks makes room for leaves at no more than so many times the rate: a kernel that ran dry meanwhile (CUBIC)
 * would send all of it at once, into a queue that overflows.
 */
const PACE_GAIN = 1.5
/** But BBR ends its startup only after three rounds in which it always had something to send, each up to three times as long as the minimum RTT. */
const SETTLING_ROUNDS = 8

export class WindowPace extends Pacer {
  #repairRounds = 0
  #isCurrent = false

  /** It is that of the window as it is now. */
  get isCurrent(): boolean {
    return this.#isCurrent
  }

  /** Window, rate or round trip have changed. */
  outdated(): void {
    this.#isCurrent = false
  }

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
    this.#isCurrent = true
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * What silences a path has ended by itself: a suspicion of so short a one would have been a false alarm. Karn's
 * rule discards what an ack of before a suspicion would tell of the path, so that patience has to grow here.
 */
import type { Millis } from '../clock.js'

/** A silence up to so many times the usual wait ended too soon for a suspicion to have been worth its resends. */
const FALSE_ALARM_WAITS = 5
/** The path is trusted to end silences that are longer by this factor than any it has ended. */
const PATIENCE = 1.25
/** A path that was calm for so long, milliseconds, is judged as quickly as any other. */
const CALM_MS = 30_000

export class FalseAlarms {
  #longest: Millis = 0
  #longestAt: Millis = -Infinity

  /**
   * A silence ended while an answer was owed.
   *
   * @param wait - after which a path without a history is suspect
   * @returns whether it was an outage, worth the suspicion
   */
  ended(silence: Millis, wait: Millis, now: Millis): boolean {
    const isOutage = silence > FALSE_ALARM_WAITS * wait
    if (silence > wait && !isOutage) this.#remember(silence, now)
    return isOutage
  }

  #remember(silence: Millis, now: Millis): void {
    // One hardly shorter says that the path is not calm yet.
    if (silence < this.#longest / PATIENCE && now - this.#longestAt < CALM_MS) return
    this.#longest = now - this.#longestAt < CALM_MS ? Math.max(silence, this.#longest) : silence
    this.#longestAt = now
  }

  /** How long a silence of the path must last to be suspect; `wait` where it has no history. */
  wait(wait: Millis, now: Millis): Millis {
    return now - this.#longestAt < CALM_MS ? Math.max(wait, PATIENCE * this.#longest) : wait
  }
}

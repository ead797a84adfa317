// SPDX-License-Identifier: Apache-2.0
/**
 * How much more comes in one go than a path delivers steadily, as BBR's `extra_acked`: of a window for the minimum RTT
 * alone, such a path would be empty for as long as acks are missing. Jitter, TCP's repair of a loss, a radio's turns and
 * processes that are not scheduled all show so. A queue of our own does not, since the path empties it at its rate.
 */
import type { Millis } from '../../clock.js'
import { MaxFilter } from './delivery-rate.js'

/** A bunch counts for so long, milliseconds, or so many round trips. */
const SPAN_MS = 1000
const SPAN_ROUNDS = 10
/** It ends when the path has had time for it and a tenth more: at the very rate of the path it would last for ever. */
const LEAK = 1.1

export class AckAggregation {
  #longest = new MaxFilter()
  #began: Millis = 0
  /** How long the path takes for the acks since then, at its rate. */
  #worth: Millis = 0

  /** The longest bunch lately, in milliseconds of the path's rate. */
  get bunchMs(): Millis {
    return this.#longest.value
  }

  /** @param rate - bytes per millisecond that the path delivers */
  acked(now: Millis, bytes: number, rate: number, rtt: Millis): void {
    if (this.#worth <= LEAK * (now - this.#began)) {
      this.#began = now
      this.#worth = 0
    }
    this.#worth += bytes / rate
    const bunch = this.#worth - LEAK * (now - this.#began)
    this.#longest.update(bunch, now, Math.max(SPAN_MS, SPAN_ROUNDS * rtt))
  }

  /** Bunches are to be measured anew. */
  reset(): void {
    this.#longest = new MaxFilter()
  }
}

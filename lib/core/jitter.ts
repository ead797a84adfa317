// SPDX-License-Identifier: Apache-2.0
/**
 * What a path's jitter asks of its window. The minimum RTT is what jitter adds nothing to: a window for it alone
 * would starve the path. Jitter shows in acks that come in bunches, more at once than the rate explains after less (as
 * BBR's `extra_acked`); a queue of our own does not show there, since the path empties it at its rate. But a window
 * that overflows a queue makes bunches too, when TCP repairs the loss. So more is given step by step, as long as it pays.
 */
import type { Millis } from '../clock.js'

/** Acks are looked at for so long, or so many round trips. What a single look shows is no jitter. */
const LOOK_MS = 200
const LOOK_ROUNDS = 8
/** Shorter bunches are the processes' own. */
const LEAST_BUNCH_MS = 5
/** A bunch gets so much of its length, up to MOST_MS. */
const BUNCH_GAIN = 1.5
const MOST_MS = 40
/** Given without asking whether it pays: this share of a round trip, which no queue of one pipe overflows at. */
const FREE_SHARE = 0.6
/** More is given in such steps, and kept if the rate is higher by so much a look later. */
const STEP = 1.5
const PAYING = 1.1
/** What did not pay is tried again after this time. */
const RETRY_MS = 5000

/** A change of what is given, on trial. */
interface Step {
  readonly from: Millis
  /** The rate before it. */
  readonly rate: number
  looks: number
}

export class Jitter {
  #bunchBegan: Millis = 0
  /** How long the path takes for the acks of the bunch, at its rate. */
  #worth: Millis = 0
  #longest: Millis = 0
  #previous: Millis = 0
  #lookBegan: Millis = 0
  #lookBytes = 0
  /** What jitter asks for, and the most it is given. */
  #wanted: Millis = 0
  #given: Millis = 0
  #step: Step | undefined
  #retryAt: Millis = 0

  /** How much longer than the pipe the window should be, milliseconds of the path's rate. */
  get slack(): Millis {
    return Math.min(this.#wanted, this.#given)
  }

  /** @param rate - bytes per millisecond that the path delivers */
  acked(now: Millis, bytes: number, rate: number, minRtt: Millis): void {
    if (this.#worth <= now - this.#bunchBegan) {
      this.#bunchBegan = now
      this.#worth = 0
    }
    this.#worth += bytes / rate
    this.#lookBytes += bytes
    this.#longest = Math.max(this.#longest, this.#worth - (now - this.#bunchBegan))
    const elapsed = now - this.#lookBegan
    if (elapsed < Math.max(LOOK_MS, LOOK_ROUNDS * minRtt)) return
    const bunch = Math.min(this.#longest, this.#previous)
    this.#wanted = bunch < LEAST_BUNCH_MS ? 0 : Math.min(BUNCH_GAIN * bunch, MOST_MS)
    this.#give(now, this.#lookBytes / elapsed, FREE_SHARE * minRtt)
    this.#previous = this.#longest
    this.#longest = 0
    this.#lookBegan = now
    this.#lookBytes = 0
  }

  #give(now: Millis, rate: number, free: Millis): void {
    this.#given = Math.max(this.#given, free)
    // The look of the step itself is half of before.
    if (this.#step !== undefined && ++this.#step.looks < 2) return
    const step = this.#step
    this.#step = undefined
    const wasMore = step !== undefined && this.#given > step.from
    if (wasMore && rate < PAYING * step.rate) {
      // What did not pay is taken back, and given again if that costs.
      this.#stepTo(step.from, rate)
      return
    }
    if (step !== undefined && !wasMore) {
      if (PAYING * rate < step.rate) this.#given = step.from
      else this.#retryAt = now + RETRY_MS
    }
    if (this.#wanted < free) this.#given = free
    else if (this.#wanted > this.#given && now >= this.#retryAt) this.#stepTo(STEP * this.#given, rate)
  }

  #stepTo(given: Millis, rate: number): void {
    this.#step = { from: this.#given, rate, looks: 0 }
    this.#given = given
  }
}

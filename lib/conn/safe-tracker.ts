// SPDX-License-Identifier: Apache-2.0
/** Keeps a user's StatsTracker from hurting the connection. */
import type { StatsTracker } from '../core/tracker.js'
import { NullTracker } from '../core/tracker.js'
import { debug } from '../debug.js'

const NULL_TRACKER = new NullTracker()

/** Calls every tracker in turn; what one throws is logged and dropped. */
export function safeTracker(...trackers: readonly (StatsTracker | undefined)[]): StatsTracker {
  const present = trackers.filter((tracker) => tracker !== undefined)
  // A copied array has no spare capacity, and each subflow keeps one for its whole life.
  return present.length === 0 ? NULL_TRACKER : new SafeTracker([...present])
}

class SafeTracker implements StatsTracker {
  readonly #trackers: readonly StatsTracker[]

  constructor(trackers: readonly StatsTracker[]) {
    this.#trackers = trackers
  }

  onRecv(bytes: number): void {
    this.#each('onRecv', bytes)
  }

  onSent(bytes: number): void {
    this.#each('onSent', bytes)
  }

  onRetransmit(bytes: number): void {
    this.#each('onRetransmit', bytes)
  }

  updateRTT(milliseconds: number): void {
    this.#each('updateRTT', milliseconds)
  }

  #each(method: keyof StatsTracker, value: number): void {
    for (const tracker of this.#trackers) {
      try {
        tracker[method](value)
      } catch (error) {
        debug('a StatsTracker threw: %s', error)
      }
    }
  }
}

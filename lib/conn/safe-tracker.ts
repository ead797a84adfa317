/** Keeps a user's StatsTracker from hurting the connection. */
import type { StatsTracker } from '../core/tracker.js'
import { NullTracker } from '../core/tracker.js'
import { debug } from '../debug.js'

const NULL_TRACKER = new NullTracker()

/** Calls every tracker in turn; what one throws is logged and dropped. */
export function safeTracker(...trackers: readonly (StatsTracker | undefined)[]): StatsTracker {
  const present = trackers.filter((tracker) => tracker !== undefined)
  if (present.length === 0) return NULL_TRACKER
  const each = (call: (tracker: StatsTracker) => void): void => {
    for (const tracker of present) {
      try {
        call(tracker)
      } catch (error) {
        debug('a StatsTracker threw: %s', error)
      }
    }
  }
  return {
    onRecv: (bytes) => {
      each((tracker) => {
        tracker.onRecv(bytes)
      })
    },
    onSent: (bytes) => {
      each((tracker) => {
        tracker.onSent(bytes)
      })
    },
    onRetransmit: (bytes) => {
      each((tracker) => {
        tracker.onRetransmit(bytes)
      })
    },
    updateRTT: (milliseconds) => {
      each((tracker) => {
        tracker.updateRTT(milliseconds)
      })
    },
  }
}

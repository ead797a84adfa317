// SPDX-License-Identifier: Apache-2.0
/** The default: the lowest RTT that has room, unless waiting for a faster subflow ends sooner. */
import type { Scheduler, Snapshot, SubflowView } from '../scheduler.js'
import { ackMs, soonest } from './soonest.js'

/** In bulk, a path that adds less than this share to the rate costs more reordering than it brings. */
const WORTHWHILE_SHARE = 0.02

export const lowestRtt: Scheduler = {
  name: 'lowest-rtt',
  isHedging: true,
  choose(snapshot) {
    if (snapshot.subflows.length === 1) return roomOf(snapshot, snapshot.subflows[0]!)
    const fastest = soonest(snapshot.subflows, snapshot.lastId)
    if (fastest === undefined || snapshot.hasRoom(fastest)) return fastest
    // Each for itself: one that is not worth its while must not stand before those behind it.
    return soonest(
      snapshot.subflows.filter(
        (subflow) => snapshot.hasRoom(subflow) && isWorthIt(snapshot, fastest, subflow),
      ),
      snapshot.lastId,
    )
  },
}

function roomOf<View extends SubflowView>(snapshot: Snapshot<View>, subflow: View): View | undefined {
  return snapshot.hasRoom(subflow) ? subflow : undefined
}

/**
 * Compares completion times, as ECF does: `ready` now, or all that is queued on `fastest` once it has room.
 * While the application waits for room, the queue has no end, and only the share of the rate counts.
 */
function isWorthIt<View extends SubflowView>(snapshot: Snapshot<View>, fastest: View, ready: View): boolean {
  if (fastest.bytesPerMs === 0 || fastest.smoothedRttMs === Infinity) return true
  if (snapshot.queuedBytes === Infinity) {
    const sum = snapshot.subflows.reduce((rate, subflow) => rate + subflow.bytesPerMs, 0)
    return ready.isStartup || ready.bytesPerMs >= WORTHWHILE_SHARE * sum
  }
  return ackMs(ready) < ackMs(fastest) + snapshot.queuedBytes / fastest.bytesPerMs
}

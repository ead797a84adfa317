// SPDX-License-Identifier: Apache-2.0
/** The default: the path that delivers a frame first, as long as no other one would deliver all that waits sooner. */
import type { Scheduler, Snapshot, SubflowView } from '../scheduler.js'
import { ackMs, soonest } from './soonest.js'

/** In bulk, a path that adds less than this share to the rate costs more reordering than it brings. */
const WORTHWHILE_SHARE = 0.02

export const lowestRtt: Scheduler = {
  name: 'lowest-rtt',
  isHedging: true,
  choose(snapshot) {
    const { subflows, lastId, hasRoom, arrivalMs } = snapshot
    if (subflows.length === 1) return roomOf(snapshot, subflows[0]!)
    const isEndless = snapshot.queuedBytes === Infinity
    const timeOf = isEndless ? ackMs : (subflow: (typeof subflows)[number]) => arrivalMs(subflow, 0)
    const fastest = soonest(subflows, lastId, timeOf)
    if (fastest === undefined || hasRoom(fastest)) return fastest
    const isWorthIt = isEndless ? addsToRate : isInTime
    // Each for itself: one that is not worth its while must not stand before those behind it.
    const ready = subflows.filter((subflow) => hasRoom(subflow) && isWorthIt(snapshot, subflow, fastest))
    return soonest(ready, lastId, timeOf)
  },
}

function roomOf<View extends SubflowView>(snapshot: Snapshot<View>, subflow: View): View | undefined {
  return snapshot.hasRoom(subflow) ? subflow : undefined
}

/** While the application waits for room, the queue has no end, and only the share of the rate counts. */
function addsToRate<View extends SubflowView>(
  { subflows }: Snapshot<View>,
  ready: View,
  fastest: View,
): boolean {
  if (fastest.bytesPerMs === 0 || fastest.smoothedRttMs === Infinity || ready.isStartup) return true
  return (
    ready.bytesPerMs >= WORTHWHILE_SHARE * subflows.reduce((rate, { bytesPerMs }) => rate + bytesPerMs, 0)
  )
}

/** Compares completion times, as ECF does: of a frame that leaves on `ready` now, and of all that waits on any other path. */
function isInTime<View extends SubflowView>(snapshot: Snapshot<View>, ready: View): boolean {
  const { subflows, queuedBytes, arrivalMs } = snapshot
  const readyMs = arrivalMs(ready, 0)
  return subflows.every((other) => other === ready || !(arrivalMs(other, queuedBytes) <= readyMs))
}

/** The default: the lowest RTT that has room, unless waiting for a faster subflow ends sooner. */
import type { Scheduler, Snapshot, SubflowView } from '../scheduler.js'

/** The subflow used last is left for one whose ack comes sooner by more than this share: less is jitter. */
const HYSTERESIS = 1 / 8

/** In bulk, a path that adds less than this share to the rate costs more reordering than it brings. */
const WORTHWHILE_SHARE = 0.02

export const lowestRtt: Scheduler = {
  name: 'lowest-rtt',
  choose(snapshot) {
    if (snapshot.subflows.length === 1) return roomOf(snapshot, snapshot.subflows[0]!)
    const fastest = lowest(snapshot.subflows, snapshot.lastId)
    if (fastest === undefined || snapshot.hasRoom(fastest)) return fastest
    // Each for itself: one that is not worth its while must not stand before those behind it.
    return lowest(
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

/** When an ack is to be expected: of two with the same mean, the steadier comes first. */
function ackMs({ smoothedRttMs, rttVarianceMs }: SubflowView): number {
  return smoothedRttMs + rttVarianceMs
}

function lowest<View extends SubflowView>(
  subflows: readonly View[],
  lastId: number | undefined,
): View | undefined {
  let best: View | undefined
  let last: View | undefined
  for (const subflow of subflows) {
    if (best === undefined || ackMs(subflow) < ackMs(best)) best = subflow
    if (subflow.id === lastId) last = subflow
  }
  const stays = best !== undefined && last !== undefined && ackMs(last) * (1 - HYSTERESIS) <= ackMs(best)
  return stays ? last : best
}

/**
 * Compares completion times, as ECF does: `ready` now, or all that is queued on `fastest` once it has room.
 * With an application that is held back, the queue has no end, and only the share of the rate counts.
 */
function isWorthIt(snapshot: Snapshot, fastest: SubflowView, ready: SubflowView): boolean {
  if (fastest.bytesPerMs === 0 || fastest.smoothedRttMs === Infinity) return true
  if (snapshot.queuedBytes === Infinity) {
    const sum = snapshot.subflows.reduce((rate, subflow) => rate + subflow.bytesPerMs, 0)
    return ready.isStartup || ready.bytesPerMs >= WORTHWHILE_SHARE * sum
  }
  return ackMs(ready) < ackMs(fastest) + snapshot.queuedBytes / fastest.bytesPerMs
}

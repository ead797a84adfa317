// SPDX-License-Identifier: Apache-2.0
/** Which subflow's ack is to be expected first. */
import type { SubflowView } from '../scheduler.js'

/** The subflow used last is left for one whose ack comes sooner by more than this share: less is jitter. */
const HYSTERESIS = 1 / 8

/** When an ack is to be expected, milliseconds: of two with the same mean, the steadier comes first. */
export function ackMs({ smoothedRttMs, rttVarianceMs }: SubflowView): number {
  return smoothedRttMs + rttVarianceMs
}

/**
 * @param lastId - the subflow used last, which is left only for a clearly faster one
 * @param timeOf - milliseconds that a subflow takes; default: {@link ackMs}
 */
export function soonest<View extends SubflowView>(
  subflows: readonly View[],
  lastId: number | undefined,
  timeOf: (subflow: View) => number = ackMs,
): View | undefined {
  let best: View | undefined
  let last: View | undefined
  let bestMs = Infinity
  let lastMs = Infinity
  for (const subflow of subflows) {
    const ms = timeOf(subflow)
    if (best === undefined || ms < bestMs) {
      best = subflow
      bestMs = ms
    }
    if (subflow.id === lastId) {
      last = subflow
      lastMs = ms
    }
  }
  const stays = best !== undefined && last !== undefined && lastMs * (1 - HYSTERESIS) <= bestMs
  return stays ? last : best
}

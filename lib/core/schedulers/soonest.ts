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
  for (const subflow of subflows) {
    if (best === undefined || timeOf(subflow) < timeOf(best)) best = subflow
    if (subflow.id === lastId) last = subflow
  }
  const stays = best !== undefined && last !== undefined && timeOf(last) * (1 - HYSTERESIS) <= timeOf(best)
  return stays ? last : best
}

// SPDX-License-Identifier: Apache-2.0
/** What a scheduler is shown, made up. */
import type { Scheduler, Snapshot, SubflowView } from '../../lib/core/scheduler.js'

/** A subflow that could carry a frame. */
export function viewOf(id: number, smoothedRttMs: number, rest: Partial<SubflowView> = {}): SubflowView {
  return {
    id,
    label: `${id}`,
    smoothedRttMs,
    rttVarianceMs: 1,
    bytesPerMs: 6000,
    isStartup: false,
    inFlightBytes: 0,
    weight: 1,
    served: 0,
    ...rest,
  }
}

export interface Circumstances extends Partial<Omit<Snapshot, 'subflows' | 'hasRoom' | 'arrivalMs'>> {
  /** Ids of those without room. */
  readonly full?: readonly number[]
}

/** By default all have room, and the queue has no end. */
export function snapshotOf(
  subflows: readonly SubflowView[],
  { full = [], ...rest }: Circumstances = {},
): Snapshot {
  return {
    subflows,
    queuedBytes: Infinity,
    unackedBytes: 0,
    lastId: undefined,
    hasRoom: ({ id }) => !full.includes(id),
    arrivalMs: ({ smoothedRttMs, bytesPerMs, inFlightBytes }, bytes) => {
      const before = inFlightBytes + bytes
      return smoothedRttMs / 2 + (before === 0 ? 0 : before / bytesPerMs)
    },
    ...rest,
  }
}

/** The id of the one that `scheduler` chooses. */
export function chosenBy(
  scheduler: Scheduler,
  subflows: readonly SubflowView[],
  circumstances?: Circumstances,
): number | undefined {
  return scheduler.choose(snapshotOf(subflows, circumstances))?.id
}

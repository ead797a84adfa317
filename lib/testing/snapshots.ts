// SPDX-License-Identifier: Apache-2.0
/** States of a connection for rules about schedulers: drawn by chance from one seed, and told in words. */
import type { Snapshot, SubflowView } from '../core/scheduler.js'
import { SeededRandom } from './seeded-random.js'

/** What the drawn snapshots have in common. */
export interface SnapshotKind {
  /** Fewest and most subflows. */
  readonly count: readonly [least: number, most: number]
  /** Who has room: each by chance, all, or none. */
  readonly room: 'some' | 'all' | 'none'
  /** Nothing is on its way. Default: by chance. */
  readonly isIdle?: boolean
}

const SNAPSHOTS = 300
const SEED = 1
const QUEUES = [1, 200, 16_000, 1_000_000, Infinity]

/** Hundreds of snapshots, the same ones in every run. */
export function drawSnapshots(kind: SnapshotKind): Snapshot[] {
  const random = new SeededRandom(SEED)
  return Array.from({ length: SNAPSHOTS }, () => drawSnapshot(random, kind))
}

function drawSnapshot(random: SeededRandom, { count, room, isIdle = false }: SnapshotKind): Snapshot {
  const ids = drawIds(random, random.integer(...count))
  const subflows = ids.map((id) => drawView(random, id, isIdle))
  const open = new Set(ids.filter(() => room === 'all' || (room === 'some' && random.integer(0, 1) === 1)))
  const gone = (ids.at(-1) ?? 0) + 1
  return {
    subflows,
    lastId: random.integer(0, 2) === 0 ? undefined : random.pick([...ids, gone]),
    queuedBytes: random.pick(QUEUES),
    unackedBytes: subflows.reduce((sum, { inFlightBytes }) => sum + inFlightBytes, 0),
    hasRoom: ({ id }) => open.has(id),
    arrivalMs: ({ smoothedRttMs, bytesPerMs, inFlightBytes }, bytes) =>
      smoothedRttMs / 2 + (inFlightBytes + bytes === 0 ? 0 : (inFlightBytes + bytes) / bytesPerMs),
  }
}

/** Ascending, with gaps where subflows went. */
function drawIds(random: SeededRandom, count: number): number[] {
  let id = 0
  return Array.from({ length: count }, () => (id += random.integer(1, 3)))
}

function drawView(random: SeededRandom, id: number, isIdle: boolean): SubflowView {
  const isRttKnown = random.integer(1, 6) > 1
  const isRateKnown = random.integer(1, 6) > 1
  return {
    id,
    label: `path ${id}`,
    smoothedRttMs: isRttKnown ? random.integer(1, 2000) / 4 : Infinity,
    rttVarianceMs: isRttKnown ? random.integer(0, 200) / 4 : 0,
    bytesPerMs: isRateKnown ? random.integer(1, 20_000) : 0,
    isStartup: !isRateKnown || random.integer(1, 4) === 1,
    inFlightBytes: isIdle ? 0 : random.integer(0, 1_000_000),
    weight: random.integer(1, 5),
    served: random.integer(0, 1_000_000),
  }
}

/** A copy that throws where strict code changes it. */
export function frozen(snapshot: Snapshot): Snapshot {
  const subflows = snapshot.subflows.map((view) => Object.freeze({ ...view }))
  return Object.freeze({ ...snapshot, subflows: Object.freeze(subflows) })
}

/** A snapshot as failures tell of it. */
export function inWords(snapshot: Snapshot): string {
  const { subflows, queuedBytes, unackedBytes, lastId } = snapshot
  const each = subflows.map((view) => {
    const { label, smoothedRttMs, rttVarianceMs, bytesPerMs, isStartup, inFlightBytes, weight, served } = view
    const room = snapshot.hasRoom(view) ? 'room' : 'no room'
    const rate = `${bytesPerMs} bytes/ms${isStartup ? ' and more' : ''}`
    const shares = `weight ${weight}, served ${served}`
    return `${label} (${room}, ${smoothedRttMs} ± ${rttVarianceMs} ms, ${rate}, ${inFlightBytes} in flight, ${shares})`
  })
  const state = `queued ${queuedBytes}, unacked ${unackedBytes}, last was ${lastId ?? 'none'}`
  return `${each.join(', ') || 'no subflow'}; ${state}`
}

// SPDX-License-Identifier: Apache-2.0
/** A path of a connection as users see it. */
import type { SubflowState } from '../core/health.js'
import type { Path, Tier } from '../core/path.js'
import type { Subflow } from '../core/subflow.js'
import type { Carried, SubflowStats } from './subflow-stats.js'
import { carriedBy, carriedPlus } from './subflow-stats.js'

/**
 * - up, suspect, probing: the best that is true of one of its subflows
 * - leaving: the dialer has removed it, and its subflows are about to close
 * - down: it has no subflow; the dialer dials it again, unless it has given it up, or the connection is over
 */
export type PathState = Exclude<SubflowState, 'closed'> | 'leaving' | 'down'

/**
 * A snapshot: it does not change later. Counters are those of the connection's subflows on the path, including those that
 * are gone.
 */
export interface ConnPath extends Carried {
  /** Label of the path on this side. */
  readonly label: string
  /** The best state that one of its subflows has. */
  readonly state: PathState
  /** It carries no data for now. */
  readonly isPaused: boolean
  /** Tier of the path. */
  readonly tier: Tier
  /** Its share among others, for the scheduler `weighted`. */
  readonly weight: number
  /** Cap of the bytes that the path sends, over all connections that share it; Infinity: none. */
  readonly maxBytes: number
  /** Bytes counted towards `maxBytes` so far, over all connections that share the path. */
  readonly spentBytes: number
  /** Rate cap, bytes a second; Infinity: none. */
  readonly maxBytesPerSecond: number
  /** Smoothed, of the fastest of its subflows; `undefined` before the first sample. */
  readonly rttMs: number | undefined
  /** Those that live. */
  readonly subflows: readonly SubflowStats[]
}

export function pathView(
  label: string,
  path: Path,
  subflows: readonly Subflow[],
  stats: (subflow: Subflow) => SubflowStats,
  gone: Carried,
): ConnPath {
  const rttMs = Math.min(...subflows.map(({ rtt }) => rtt.smoothed ?? Infinity))
  return {
    label,
    state: stateOf(subflows),
    isPaused: path.isPaused,
    tier: path.tier,
    weight: path.weight,
    maxBytes: path.maxBytes,
    spentBytes: path.spentBytes,
    maxBytesPerSecond: path.bytesPerMs === Infinity ? Infinity : Math.round(path.bytesPerMs * 1000),
    rttMs: rttMs === Infinity ? undefined : rttMs,
    subflows: subflows.map(stats),
    ...subflows.map(carriedBy).reduce(carriedPlus, gone),
  }
}

function stateOf(subflows: readonly Subflow[]): PathState {
  if (subflows.length === 0) return 'down'
  if (subflows.every(({ gracefulClose }) => gracefulClose !== undefined)) return 'leaving'
  for (const state of ['up', 'suspect'] as const)
    if (subflows.some((subflow) => subflow.state === state)) return state
  return 'probing'
}

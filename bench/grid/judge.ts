// SPDX-License-Identifier: Apache-2.0
/** What must hold between neighbours of the grid: no threshold may decide much. */
import type { Axis, Cell } from './cell.js'
import { AXES, keyOf } from './cell.js'
import type { Outcome } from './simulate.js'

export interface Measured {
  readonly cell: Cell
  readonly outcome: Outcome
}

export interface Cliff {
  readonly axis: Axis
  readonly from: Measured
  readonly to: Measured
  readonly what: 'share' | 'queue'
}

const MOST_SHARE_APART = 0.15
const MOST_QUEUE_RATIO = 2
/** What processes and packets take anyway is added to both round trips, milliseconds. */
const UNAVOIDABLE_MS = 20

/** Steps at which physics makes a difference. */
const EXCEPTIONS: readonly { readonly why: string; readonly covers: (cliff: Cliff) => boolean }[] = [
  {
    why: 'from no loss to some: each repair takes a round trip in which nothing behind it is delivered',
    covers: ({ axis, from, what }) => axis === 'lossRate' && from.cell.lossRate === 0 && what === 'queue',
  },
  {
    why: 'a queue of a quarter of a pipe overflows under BBR by itself, one of a pipe does not',
    covers: ({ axis, from }) => axis === 'queuePipes' && from.cell.queuePipes === 0.25,
  },
  {
    why: 'at 2 Mbit/s a packet takes 6 ms: what is a moment on a faster line is a queue there',
    covers: ({ axis, from, what }) => axis === 'rateMbps' && from.cell.rateMbps === 2 && what === 'queue',
  },
]

/** Neighbours that differ by more than they may, without those that an exception covers. */
export function cliffs(all: readonly Measured[]): Cliff[] {
  const byKey = new Map(all.map((measured) => [keyOf(measured.cell), measured]))
  return all.flatMap((from) => neighbours(from, byKey)).filter((cliff) => !isException(cliff))
}

function isException(cliff: Cliff): boolean {
  return EXCEPTIONS.some(({ covers }) => covers(cliff))
}

function neighbours(from: Measured, byKey: ReadonlyMap<string, Measured>): Cliff[] {
  return (Object.keys(AXES) as Axis[]).flatMap((axis) => {
    const to = nextOn(axis, from.cell, byKey)
    if (to === undefined) return []
    const found: Cliff[] = []
    if (Math.abs(to.outcome.share - from.outcome.share) > MOST_SHARE_APART)
      found.push({ axis, from, to, what: 'share' })
    const [a, b] = [queueing(from), queueing(to)]
    if (Math.max(a, b) > MOST_QUEUE_RATIO * Math.min(a, b)) found.push({ axis, from, to, what: 'queue' })
    return found
  })
}

/** The next cell along an axis, if it was measured: an excerpt leaves some out. */
function nextOn(axis: Axis, cell: Cell, byKey: ReadonlyMap<string, Measured>): Measured | undefined {
  const value = AXES[axis].find((each) => each > cell[axis])
  return value === undefined ? undefined : byKey.get(keyOf({ ...cell, [axis]: value }))
}

/** Smoothed RTT over the path's own. */
function queueing({ cell, outcome }: Measured): number {
  const own = cell.rttMs + cell.jitterMs + UNAVOIDABLE_MS
  return (own + outcome.queueMs) / own
}

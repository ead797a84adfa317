// SPDX-License-Identifier: Apache-2.0
/** What must hold between neighbours of the grid: no threshold may decide much. */
import type { Axis, Cell } from './cell.js'
import { AXES, keyOf, queueBytesOf } from './cell.js'
import type { Outcome } from './simulate.js'

export interface Measured {
  readonly cell: Cell
  readonly outcome: Outcome
  /** Standard errors of the means, where several seeds were simulated. */
  readonly errors?: Pick<Outcome, 'share' | 'queueMs'> | undefined
}

export interface Cliff {
  readonly axis: Axis
  readonly from: Measured
  readonly to: Measured
  readonly what: 'share' | 'queue'
}

/** So many standard errors are chance: thousands of pairs are compared, and one in twenty is off by more. */
const CHANCE = 2
const MOST_SHARE_APART = 0.15
const MOST_QUEUE_RATIO = 2
/** What processes and packets take anyway is added to both round trips, milliseconds. */
const UNAVOIDABLE_MS = 20

export interface Exception {
  /** The steps that it covers, as docs/engine.md has them. */
  readonly steps: string
  readonly why: string
  readonly covers: (cliff: Cliff) => boolean
}

/** Steps at which physics makes a difference. */
export const EXCEPTIONS: readonly Exception[] = [
  {
    steps: 'loss from none to some, queueing',
    why: 'each repair takes a round trip in which nothing behind it is delivered',
    covers: ({ axis, from, what }) => axis === 'lossRate' && from.cell.lossRate === 0 && what === 'queue',
  },
  {
    steps: 'queue from under one pipe to one and more, under BBR (the shortest has 15 kB)',
    why: 'BBR sends up to two pipes, so that the shorter queue overflows without any other loss',
    covers: ({ from, to }) =>
      from.cell.kernel === 'bbr' && Math.min(...pipes(from, to)) < 1 && Math.max(...pipes(from, to)) >= 1,
  },
  {
    steps: 'rate from 2 to 20 Mbit/s, queueing',
    why: 'at 2 Mbit/s a packet takes 6 ms, so that the shortest burst is a queue',
    covers: ({ axis, from, what }) => axis === 'rateMbps' && from.cell.rateMbps === 2 && what === 'queue',
  },
  {
    steps: 'any, from or to jitter longer than the RTT, under BBR',
    why: 'BBR takes its window from the shortest round trip, so that it is chance whether it holds its rate: a plain stream brings from 3 to 20 of 20 Mbit/s',
    covers: ({ from, to }) => isBbrAtALoss(from.cell) || isBbrAtALoss(to.cell),
  },
]

/** Of both cells, the queue in what the path holds. */
function pipes(...cells: readonly Measured[]): number[] {
  return cells.map(({ cell }) => queueBytesOf(cell) / (cell.rateMbps * 125 * (cell.rttMs + cell.jitterMs)))
}

function isBbrAtALoss({ kernel, jitterMs, rttMs }: Cell): boolean {
  return kernel === 'bbr' && jitterMs > rttMs
}

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
    if (isShareApart(from, to)) found.push({ axis, from, to, what: 'share' })
    if (isQueueApart(from, to)) found.push({ axis, from, to, what: 'queue' })
    return found
  })
}

/** The next cell along an axis, if it was measured: an excerpt leaves some out. */
function nextOn(axis: Axis, cell: Cell, byKey: ReadonlyMap<string, Measured>): Measured | undefined {
  const value = AXES[axis].find((each) => each > cell[axis])
  return value === undefined ? undefined : byKey.get(keyOf({ ...cell, [axis]: value }))
}

function isShareApart(a: Measured, b: Measured): boolean {
  const chance = CHANCE * Math.hypot(a.errors?.share ?? 0, b.errors?.share ?? 0)
  return Math.abs(a.outcome.share - b.outcome.share) - chance > MOST_SHARE_APART
}

function isQueueApart(a: Measured, b: Measured): boolean {
  const [less, more] = queueing(a) < queueing(b) ? [a, b] : [b, a]
  const chance = (of: Measured): number => (CHANCE * (of.errors?.queueMs ?? 0)) / ownMs(of.cell)
  return queueing(more) - chance(more) > MOST_QUEUE_RATIO * (queueing(less) + chance(less))
}

/** Smoothed RTT over the path's own. */
export function queueing({ cell, outcome }: Measured): number {
  return (ownMs(cell) + outcome.queueMs) / ownMs(cell)
}

function ownMs({ rttMs, jitterMs }: Cell): number {
  return rttMs + jitterMs + UNAVOIDABLE_MS
}

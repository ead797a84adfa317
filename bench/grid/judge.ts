// SPDX-License-Identifier: Apache-2.0
/** What must hold between neighbours of the grid: no threshold may decide much. */
import type { Axis, Cell } from './cell.js'
import { AXES, keyOf, queueBytesOf } from './cell.js'
import { SEGMENT_BYTES } from '../../lib/testing/kernel-window.js'
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
    steps:
      'any at which a queue under one pipe becomes another share of it, under BBR (the shortest has 15 kB)',
    why: 'BBR sends up to two pipes, so that a short queue overflows without any other loss, the sooner the shorter it is',
    covers: ({ from, to }) => {
      const [less, more] = pipes(from, to).sort((a, b) => a - b) as [number, number]
      return from.cell.kernel === 'bbr' && less < 1 && more > SAME_PIPES * less
    },
  },
  {
    steps: 'rate from 2 to 20 Mbit/s, queueing',
    why: 'at 2 Mbit/s a packet takes 6 ms, so that the shortest burst is a queue',
    covers: ({ axis, from, what }) => axis === 'rateMbps' && from.cell.rateMbps === 2 && what === 'queue',
  },
  {
    steps: 'loss or rate, share, from under two losses in a round trip to over five, under BBR',
    why: 'one repair then begins before the last has ended, and BBR begins each recovery with what is in flight',
    covers: ({ axis, from, to, what }) => {
      const [fewer, more] = [from, to].map(({ cell }) => lossesInRound(cell)).sort((a, b) => a - b)
      const isMore = (axis === 'lossRate' || axis === 'rateMbps') && fewer! < SELDOM && more! > ALWAYS
      return from.cell.kernel === 'bbr' && what === 'share' && isMore
    },
  },
  {
    steps: 'rate, share, with a queue under one pipe, under BBR',
    why: 'what it loses by overflow is ten times as many packets, each of which is a repair',
    covers: ({ axis, from, to, what }) =>
      from.cell.kernel === 'bbr' &&
      axis === 'rateMbps' &&
      what === 'share' &&
      Math.min(...pipes(from, to)) < 1,
  },
  {
    steps: 'the share of `steps` cells without losses and with a queue of one pipe, under BBR',
    why: 'when the rate falls to a quarter, the data in flight is about as large as the queue, so that chance decides whether it overflows',
    covers: ({ from, to, what }) =>
      what === 'share' && fallsIntoOnePipe(from.cell) && fallsIntoOnePipe(to.cell),
  },
  {
    steps: 'any, from or to jitter longer than the RTT, under BBR',
    why: 'BBR takes its window from the shortest round trip, so that it is chance whether it holds its rate: a plain stream brings from 3 to 20 of 20 Mbit/s',
    covers: ({ from, to }) => isBbrAtALoss(from.cell) || isBbrAtALoss(to.cell),
  },
]

/** Shares of a pipe that differ by less are the same. */
const SAME_PIPES = 1.1
/** Losses in a round trip. With so many, one repair begins before the last has ended; with so few, most round trips have none. */
const ALWAYS = 5
const SELDOM = 2

/** What a path loses in a round trip, packets. */
function lossesInRound({ rateMbps, rttMs, jitterMs, lossRate }: Cell): number {
  return (lossRate * rateMbps * 125 * (rttMs + jitterMs)) / SEGMENT_BYTES
}

/** Of both cells, the queue in what the path holds. */
function pipes(...cells: readonly Measured[]): number[] {
  return cells.map(({ cell }) => queueBytesOf(cell) / (cell.rateMbps * 125 * (cell.rttMs + cell.jitterMs)))
}

function fallsIntoOnePipe({ setting, kernel, lossRate, queuePipes }: Cell): boolean {
  return setting === 'steps' && kernel === 'bbr' && lossRate === 0 && queuePipes === 1
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

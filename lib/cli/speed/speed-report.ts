// SPDX-License-Identifier: Apache-2.0
/** What `multipath speed` has measured: as data, as a table, and in one sentence. */
import type { PeerKind } from '../doctor/diagnosis.js'
import type { PeerRole } from '../measure/ask-peer.js'
import type { Rates } from '../measure/figures.js'
import { sumOf } from '../measure/figures.js'
import type { Delivery, Measured } from '../measure/measure.js'
import { megabits, milliseconds } from '../measure/units.js'
import type { PathPair } from '../plan-paths.js'

/** A path alone, or all together. Fields are `null` where they were not measured. */
export interface SpeedRow {
  readonly label: string
  readonly downBytesPerSecond: number | null
  readonly upBytesPerSecond: number | null
  /** Both at the same time. */
  readonly bothWays: { readonly downBytesPerSecond: number; readonly upBytesPerSecond: number } | null
  readonly idleRttMs: number | null
  /** The median under load, of the direction in which it is longest. */
  readonly loadedRttMs: number | null
  /** Why it was not measured. */
  readonly error: string | null
}

export interface SpeedReport {
  readonly peer: PeerKind
  readonly role: PeerRole
  readonly paths: readonly SpeedRow[]
  /** Only of several paths. */
  readonly together: SpeedRow | null
  readonly verdict: string
  /** All was measured that could be. */
  readonly isComplete: boolean
}

export interface SpeedFacts {
  readonly peer: PeerKind
  readonly role: PeerRole
  readonly paths: readonly PathPair[]
  /** By label: why a path did not come to be. */
  readonly failures: ReadonlyMap<string, string>
  readonly idleRttMs: ReadonlyMap<string, number>
  readonly measured: Measured
}

export function speedReport(facts: SpeedFacts): SpeedReport {
  const { peer, role, measured } = facts
  const paths = facts.paths.map(({ label }) => {
    const delivery = measured.alone.get(label)
    const error = facts.failures.get(label) ?? measured.unopened.get(label)
    return rowOf(label, delivery, facts.idleRttMs.get(label), delivery?.rttMs.get(label), error)
  })
  const all = measured.together
  const together =
    all === undefined
      ? null
      : rowOf(
          'all together',
          all,
          lowest([...facts.idleRttMs.values()]),
          lowest([...all.rttMs.values()]),
          undefined,
        )
  return {
    peer,
    role,
    paths,
    together,
    verdict: verdictOf(facts, together),
    isComplete: measured.endedBy === undefined && paths.every(({ error }) => error === null),
  }
}

function rowOf(
  label: string,
  delivery: Delivery | undefined,
  idleRttMs: number | undefined,
  loadedRttMs: number | undefined,
  error: string | undefined,
): SpeedRow {
  const { downBytesPerSecond, upBytesPerSecond } = delivery?.oneWay ?? {}
  const both = delivery?.bothWays
  return {
    label,
    downBytesPerSecond: whole(downBytesPerSecond),
    upBytesPerSecond: whole(upBytesPerSecond),
    bothWays:
      both === undefined
        ? null
        : {
            downBytesPerSecond: whole(both.downBytesPerSecond) ?? 0,
            upBytesPerSecond: whole(both.upBytesPerSecond) ?? 0,
          },
    idleRttMs: idleRttMs ?? null,
    loadedRttMs: loadedRttMs ?? null,
    error: error ?? null,
  }
}

function whole(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value)
}

function lowest(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.min(...values)
}

const ENDS: Readonly<Record<NonNullable<Measured['endedBy']>, string>> = {
  'stopped-reading': 'The measurement is incomplete: the peer stopped reading.',
  lost: 'The measurement is incomplete: the connection was lost.',
  refused: 'Nothing was measured: the peer refused.',
}

/** One sentence. */
function verdictOf({ measured, role, paths }: SpeedFacts, together: SpeedRow | null): string {
  if (measured.endedBy !== undefined) {
    const text = ENDS[measured.endedBy]
    return measured.error === undefined ? text : `${text.slice(0, -1)} (${measured.error}).`
  }
  const hint =
    role === 'measures' ? '' : '; with multipath speed serve at the other end, each direction can be measured'
  if (together === null) {
    const [only] = measured.alone.values()
    return only === undefined
      ? 'Nothing was measured.'
      : `${paths.length === 1 ? 'The path' : 'The only path that works'} delivers ${waysText(only.oneWay, only.bothWays)}${hint}.`
  }
  const sum = sumOf([...measured.alone.values()].map(({ oneWay }) => oneWay))
  const { oneWay, bothWays } = measured.together!
  const shares = [
    shareOf(oneWay, sum, 'downBytesPerSecond'),
    shareOf(oneWay, sum, 'upBytesPerSecond'),
  ].filter((share) => share !== undefined)
  const share = shares.length === 0 ? '' : `: ${shares.join(' and ')} of the sum of the paths alone`
  return `Together, ${measured.alone.size} paths deliver ${waysText(oneWay, bothWays)}${share}${hint}.`
}

function waysText(
  { downBytesPerSecond: down, upBytesPerSecond: up }: Rates,
  both: Rates | undefined,
): string {
  const ways = [
    ...(down === undefined ? [] : [`${megabits(down)} down`]),
    ...(up === undefined ? [] : [`${megabits(up)} up`]),
  ]
  if (ways.length > 0 || both === undefined) return ways.join(' and ')
  return `${megabits(both.downBytesPerSecond ?? 0)} down and ${megabits(both.upBytesPerSecond ?? 0)} up at once`
}

function shareOf(rates: Rates, sum: Rates, way: keyof Rates): string | undefined {
  const [rate, all] = [rates[way], sum[way]]
  return rate === undefined || all === undefined || all === 0
    ? undefined
    : `${Math.round((100 * rate) / all)} %`
}

const HEAD = ['', 'DOWNLOAD', 'UPLOAD', 'BOTH WAYS', 'RTT IDLE', 'UNDER LOAD'] as const

/** A table, and the verdict. */
export function speedText({ paths, together, verdict }: SpeedReport): string {
  const rows = [...paths, ...(together === null ? [] : [together])]
  const cells = [[...HEAD], ...rows.map(cellsOf)]
  const widths = HEAD.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)))
  const lines = cells.map((row) =>
    row
      .map((text, column) => (column === 0 ? text.padEnd(widths[column]!) : text.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  )
  const errors = rows.flatMap(({ label, error }) => (error === null ? [] : [`${label}: ${error}`]))
  return `${[...lines, ...errors, '', verdict].join('\n')}\n`
}

function cellsOf(row: SpeedRow): string[] {
  const { label, downBytesPerSecond, upBytesPerSecond, bothWays, idleRttMs, loadedRttMs } = row
  return [
    label,
    downBytesPerSecond === null ? '-' : megabits(downBytesPerSecond),
    upBytesPerSecond === null ? '-' : megabits(upBytesPerSecond),
    bothWays === null
      ? '-'
      : `${megabits(bothWays.downBytesPerSecond).replace(' Mbit/s', '')} + ${megabits(bothWays.upBytesPerSecond)}`,
    idleRttMs === null ? '-' : milliseconds(idleRttMs),
    loadedRttMs === null ? '-' : milliseconds(loadedRttMs),
  ]
}

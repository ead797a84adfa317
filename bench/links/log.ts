// SPDX-License-Identifier: Apache-2.0
/**
 * Every run's figures, a line each, as they come: an interrupted full run goes on from here, and a run of
 * some peers only finds an earlier sum of plain TCP.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { BUILD } from '../shared/places.js'
import type { Figures } from './measure.js'

export interface Row {
  readonly scenario: string
  readonly peer: string
  readonly congestionControl: string
  readonly seconds: number
  /** From 1. */
  readonly run: number
  readonly figures: Figures
  /** The library's build where it took part. */
  readonly build?: string
  /** Of a peer that is installed beside the library: its name and version. */
  readonly version?: string
  /** When it was measured, as YYYY-MM-DD. */
  readonly day?: string
  /** The full run that it belongs to; absent where only some was asked for. */
  readonly session?: string
}

const LOG = `${BUILD}links.jsonl`
const SESSION = `${BUILD}links-session`

export function note(row: Row): void {
  mkdirSync(BUILD, { recursive: true })
  appendFileSync(LOG, `${JSON.stringify(row)}\n`)
}

export function rows(): Row[] {
  if (!existsSync(LOG)) return []
  const lines = readFileSync(LOG, 'utf8').split('\n')
  return lines.filter((line) => line.endsWith('}')).map((line) => JSON.parse(line) as Row)
}

/** The full run to go on with, or a new one of that kind. */
export function session(kind: string, fresh: boolean): string {
  const unfinished = existsSync(SESSION) ? readFileSync(SESSION, 'utf8') : ''
  if (!fresh && unfinished.startsWith(`${kind} `)) return unfinished
  const begun = `${kind} ${new Date().toISOString()}`
  mkdirSync(BUILD, { recursive: true })
  writeFileSync(SESSION, begun)
  return begun
}

export function endSession(): void {
  rmSync(SESSION, { force: true })
}

/** Rows that stand for a run still to be made: same work, and by the same build of the library. */
export function isSame(a: Row | Omit<Row, 'figures'>, b: Row | Omit<Row, 'figures'>): boolean {
  return keyOf(a) === keyOf(b) && a.run === b.run && a.build === b.build
}

export function keyOf(row: Pick<Row, 'scenario' | 'peer' | 'congestionControl' | 'seconds'>): string {
  return [row.scenario, row.peer, row.congestionControl, row.seconds].join(' ')
}

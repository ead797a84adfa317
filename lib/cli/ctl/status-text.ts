// SPDX-License-Identifier: Apache-2.0
/** The state of a command as a table, for people. */
import { duration } from '../live/change-text.js'
import type { PathStatus, SessionStatus, Status } from '../live/status.js'
import { bytes } from '../live/units.js'

export function statusText(status: Status): string {
  const { name, ageMs, sessions, streamCount } = status
  const count = `${sessions.length} session${sessions.length === 1 ? '' : 's'}`
  const streams = `${streamCount} stream${streamCount === 1 ? '' : 's'}`
  const head = `${name}  up ${duration(ageMs)}  ${count}  ${streams}`
  return `${[head, ...sessions.flatMap((session) => ['', ...sessionLines(session)])].join('\n')}\n`
}

function sessionLines(session: SessionStatus): string[] {
  const { id, part, client, ageMs, sentBytes, receivedBytes, suspendedMs, scheduler, paths } = session
  const who = `${part === null ? '' : `  ${part}`}${client === null ? '' : `  client ${client}`}`
  const state = suspendedMs === null ? '' : `  SUSPENDED for ${duration(suspendedMs)}`
  return [
    `session ${id}${who}  age ${duration(ageMs)}  sent ${bytes(sentBytes)}  received ${bytes(receivedBytes)}  ${scheduler}${state}`,
    ...table([HEAD, ...paths.map(row)]),
  ]
}

const HEAD = ['PATH', 'STATE', 'TIER', 'RTT', 'SENT', 'RECEIVED', 'RESENT', 'CAP LEFT', '']

function row(path: PathStatus): string[] {
  return [
    path.label,
    stateOf(path),
    path.tier,
    path.rttMs === null ? '-' : `${path.rttMs >= 100 ? Math.round(path.rttMs) : path.rttMs.toFixed(1)} ms`,
    bytes(path.sentBytes),
    bytes(path.receivedBytes),
    bytes(path.resentBytes),
    capLeft(path),
    detailOf(path),
  ]
}

/** One word, as in the log. */
export function stateOf({ state, isPaused }: PathStatus): string {
  return isPaused ? 'paused' : state
}

export function capLeft({ maxBytes, spentBytes }: PathStatus): string {
  return maxBytes === null ? '-' : bytes(Math.max(0, maxBytes - spentBytes))
}

function detailOf({ reason, downMs }: PathStatus): string {
  if (downMs === null) return ''
  return `${reason ?? 'down'}, for ${duration(downMs)}`
}

/** Columns as wide as their longest cell. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)))
  return rows.map((cells) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
}

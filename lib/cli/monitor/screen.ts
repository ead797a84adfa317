// SPDX-License-Identifier: Apache-2.0
/** What the monitor shows, as lines of text: a pure function of the state. */
import { capLeft, stateOf } from '../ctl/status-text.js'
import { duration } from '../live/change-text.js'
import type { PathStatus, SessionStatus, Status } from '../live/status.js'
import { bitRate, bytes } from '../live/units.js'
import type { History } from './history.js'
import { SPARK_SECONDS } from './history.js'
import type { Style, Tone } from './style.js'
import { clip, paint, sparkline } from './style.js'

export type SortBy = 'order' | 'rate' | 'rtt' | 'label'
export const SORTS: readonly SortBy[] = ['order', 'rate', 'rtt', 'label']

export interface View {
  readonly status: Status
  readonly history: History
  readonly style: Style
  readonly columns: number
  readonly rows: number
  /** Index of the path that keys act on, among those of {@link rowsOf}. */
  readonly selected: number
  readonly sortBy: SortBy
  readonly isHelp: boolean
  /** The last thing that happened, or the answer to a key. */
  readonly note: string
}

export interface PathRow {
  readonly session: SessionStatus
  readonly path: PathStatus
}

/** Every path, in the order in which the screen shows them. */
export function rowsOf({ status, history, sortBy }: Pick<View, 'status' | 'history' | 'sortBy'>): PathRow[] {
  return status.sessions.flatMap((session) => {
    const rows = session.paths.map((path) => ({ session, path }))
    const rate = ({ path }: PathRow): number => {
      const { sent, received } = history.ratesOf(session.id, path.label)
      return sent + received
    }
    if (sortBy === 'rate') rows.sort((a, b) => rate(b) - rate(a))
    if (sortBy === 'rtt') rows.sort((a, b) => (a.path.rttMs ?? Infinity) - (b.path.rttMs ?? Infinity))
    if (sortBy === 'label') rows.sort((a, b) => a.path.label.localeCompare(b.path.label))
    return rows
  })
}

/** Exactly `rows` lines, none longer than `columns`. */
export function screen(view: View): string[] {
  const { style, columns, rows, note } = view
  const body = view.isHelp ? HELP : bodyOf(view)
  const height = Math.max(1, rows - 2)
  const first = view.isHelp ? 0 : scrolledTo(body, height)
  const shown = body.slice(first, first + height)
  while (shown.length < height) shown.push({ text: '' })
  const lines: Line[] = [headLine(view), ...shown, { text: footer(view, note), tone: 'dim' }]
  return lines.slice(0, rows).map(({ text, tone }) => {
    const clipped = clip(style, text, columns)
    return tone === undefined ? clipped : paint(style, tone, clipped)
  })
}

interface Line {
  readonly text: string
  readonly tone?: Tone | undefined
  readonly isSelected?: boolean
}

const HELP: readonly Line[] = [
  { text: '' },
  { text: '  up, down    choose a path' },
  { text: '  1 to 9      pause or resume the path with that number' },
  { text: '  p           pause or resume the chosen path' },
  { text: '  t           next tier of the chosen path: primary, secondary, backup' },
  { text: '  s           next scheduler' },
  { text: '  o           order by rate, RTT or label' },
  { text: '  ?           help' },
  { text: '  q           quit; the watched command goes on' },
]

function headLine({ status }: View): Line {
  const { name, ageMs, sessions, streamCount } = status
  return {
    text: `multipath ${name}  up ${duration(ageMs)}  sessions ${sessions.length}  streams ${streamCount}`,
    tone: 'bold',
  }
}

function footer({ sortBy, isHelp }: View, note: string): string {
  if (isHelp) return '?: back'
  return note === '' ? `?: help  p: pause  t: tier  s: scheduler  o: order (${sortBy})  q: quit` : note
}

/** So that the chosen path is on the screen. */
function scrolledTo(body: readonly Line[], height: number): number {
  const at = body.findIndex(({ isSelected }) => isSelected === true)
  return at < height ? 0 : at - height + 1
}

function bodyOf(view: View): Line[] {
  const rows = rowsOf(view)
  const lines: Line[] = []
  if (rows.length === 0) lines.push({ text: '' }, { text: 'no session', tone: 'yellow' })
  let current: SessionStatus | undefined
  for (const [index, row] of rows.entries()) {
    if (row.session !== current) {
      current = row.session
      lines.push(...sessionHead(view, row.session))
    }
    lines.push(pathLine(view, row, index))
  }
  return [...lines, ...streamLines(view)]
}

function sessionHead({ history, columns }: View, session: SessionStatus): Line[] {
  const { id, part, client, ageMs, sentBytes, receivedBytes, suspendedMs, scheduler } = session
  const { sent, received } = history.ratesOf(id)
  const who = `${part === null ? '' : ` of ${part}`}${client === null ? '' : ` of ${client}`}`
  const text = `session ${id}${who}  ${duration(ageMs)}  out ${bitRate(sent)}, ${bytes(sentBytes)}  in ${bitRate(received)}, ${bytes(receivedBytes)}  ${scheduler}`
  const line: Line =
    suspendedMs === null ? { text } : { text: `SUSPENDED for ${duration(suspendedMs)}  ${text}`, tone: 'red' }
  const heads = columnsFor(columns).map(({ head, width, isLeft }) => cell(head, width, isLeft))
  return [{ text: '' }, line, { text: heads.join(' '), tone: 'dim' }]
}

interface Column {
  readonly head: string
  readonly width: number
  readonly isLeft?: boolean
  /** Those with the highest go first where the terminal is narrow. */
  readonly rank: number
  readonly text: (view: View, row: PathRow, index: number) => string
}

const COLUMNS: readonly Column[] = [
  { head: '#', width: 2, rank: 0, text: (_, __, index) => String(index + 1) },
  { head: 'path', width: 24, isLeft: true, rank: 0, text: (_, { path }) => path.label },
  { head: 'state', width: 8, isLeft: true, rank: 0, text: (_, { path }) => stateOf(path) },
  { head: 'out', width: 11, rank: 1, text: ({ history }, row) => bitRate(ratesOf(history, row).sent) },
  { head: 'in', width: 11, rank: 1, text: ({ history }, row) => bitRate(ratesOf(history, row).received) },
  { head: 'rtt', width: 8, rank: 2, text: (_, { path }) => milliseconds(path.rttMs) },
  { head: 'tier', width: 9, isLeft: true, rank: 3, text: (_, { path }) => path.tier },
  {
    head: 'last minute',
    width: SPARK_SECONDS / 4,
    isLeft: true,
    rank: 4,
    text: ({ history, style }, { session, path }) =>
      sparkline(style, history.secondsOf(session.id, path.label), SPARK_SECONDS / 4),
  },
  { head: 'share', width: 5, rank: 5, text: shareOf },
  { head: 'sent', width: 8, rank: 6, text: (_, { path }) => bytes(path.sentBytes) },
  { head: 'received', width: 8, rank: 6, text: (_, { path }) => bytes(path.receivedBytes) },
  { head: 'resent', width: 8, rank: 7, text: (_, { path }) => bytes(path.resentBytes) },
  { head: 'in flight', width: 9, rank: 8, text: (_, { path }) => bytes(path.inFlightBytes) },
  { head: 'cap left', width: 8, rank: 9, text: (_, { path }) => capLeft(path) },
  { head: 'via', width: 4, isLeft: true, rank: 10, text: (_, { path }) => path.transport ?? '' },
  { head: 'from', width: 21, isLeft: true, rank: 11, text: (_, { path }) => path.from ?? '' },
  { head: 'to', width: 21, isLeft: true, rank: 11, text: (_, { path }) => path.to ?? '' },
]

/** As many as fit; the reason of a failure takes the place of what it makes useless. */
function columnsFor(columns: number): Column[] {
  let shown = [...COLUMNS]
  const widthOf = (some: readonly Column[]): number => some.reduce((sum, { width }) => sum + width + 1, 0)
  while (widthOf(shown) > columns) {
    const worst = Math.max(...shown.map(({ rank }) => rank))
    if (worst === 0) break
    shown = shown.filter(({ rank }) => rank !== worst)
  }
  return shown
}

function pathLine(view: View, row: PathRow, index: number): Line {
  const { path } = row
  const isSelected = index === view.selected
  const cells = columnsFor(view.columns).map(({ width, isLeft, text }) =>
    cell(clip(view.style, text(view, row, index), width), width, isLeft),
  )
  const why = path.downMs === null ? '' : ` ${path.reason ?? 'down'}, ${duration(path.downMs)}`
  const known = cells.slice(0, 3).join(' ')
  const text = why === '' ? cells.join(' ') : `${known}${why}`
  return { text, tone: isSelected ? 'invert' : toneOf(path), isSelected }
}

function toneOf({ state, isPaused }: PathStatus): Tone | undefined {
  if (isPaused) return 'dim'
  if (state === 'up') return undefined
  return state === 'down' ? 'red' : 'yellow'
}

function streamLines({ status }: View): Line[] {
  const { streams, streamCount } = status
  if (streamCount === 0) return []
  const lines = streams.map(({ target, ageMs, sentBytes, receivedBytes }) => ({
    text: `${cell(target, 32, true)} ${cell(duration(ageMs), 12)} ${cell(bytes(sentBytes), 9)} ${cell(bytes(receivedBytes), 9)}`,
  }))
  const more = streamCount > streams.length ? [{ text: `and ${streamCount - streams.length} more` }] : []
  const head = `${cell('stream', 32, true)} ${cell('age', 12)} ${cell('sent', 9)} ${cell('received', 9)}`
  return [{ text: '' }, { text: head, tone: 'dim' }, ...lines, ...more]
}

function ratesOf(history: History, { session, path }: PathRow): ReturnType<History['ratesOf']> {
  return history.ratesOf(session.id, path.label)
}

function shareOf({ history }: View, { session, path }: PathRow): string {
  const total = session.paths.reduce((sum, { label }) => {
    const { sent, received } = history.ratesOf(session.id, label)
    return sum + sent + received
  }, 0)
  const { sent, received } = history.ratesOf(session.id, path.label)
  return total === 0 ? '-' : `${Math.round((100 * (sent + received)) / total)}%`
}

function milliseconds(value: number | null): string {
  if (value === null) return '-'
  return `${value >= 100 ? Math.round(value) : value.toFixed(1)} ms`
}

function cell(text: string, width: number, isLeft = false): string {
  return isLeft ? text.padEnd(width) : text.padStart(width)
}

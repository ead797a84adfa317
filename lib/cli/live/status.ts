// SPDX-License-Identifier: Apache-2.0
/** The state of a running command as data: what its socket, its monitor and its metrics are made from. */
import type { ConnPath, SubflowStats } from '../../index.js'
import type { Controlled, ControlledPart } from './controlled.js'
import type { LiveSession } from './live-session.js'
import type { StreamStatus } from './open-streams.js'

export interface PathStatus {
  readonly label: string
  /** Local and remote address; `null` where they are not known. */
  readonly from: string | null
  readonly to: string | null
  readonly transport: string | null
  readonly state: ConnPath['state']
  readonly isPaused: boolean
  /** Why it is down, and for how long, milliseconds. */
  readonly reason: string | null
  readonly downMs: number | null
  readonly tier: string
  readonly weight: number
  readonly rttMs: number | null
  readonly minRttMs: number | null
  /** Payload bytes since the session began, without those sent again. */
  readonly sentBytes: number
  readonly receivedBytes: number
  readonly resentBytes: number
  readonly inFlightBytes: number
  /** As the congestion control measures it; 0 while unknown. */
  readonly deliveryBytesPerSecond: number
  /** Caps; `null`: none. */
  readonly maxBytes: number | null
  readonly spentBytes: number
  readonly maxBytesPerSecond: number | null
  readonly subflows: number
}

export interface SessionStatus {
  readonly id: string
  /** `forward 2`: of `up`, whose file has several parts; `null` otherwise. */
  readonly part: string | null
  /** Of a server: whose it is. */
  readonly client: string | null
  readonly ageMs: number
  readonly sentBytes: number
  readonly receivedBytes: number
  readonly unackedBytes: number
  /** Since when no path is up, milliseconds; `null`: one is. */
  readonly suspendedMs: number | null
  readonly scheduler: string
  readonly paths: readonly PathStatus[]
}

export interface Status {
  readonly command: string
  readonly name: string
  readonly pid: number
  readonly ageMs: number
  readonly sessions: readonly SessionStatus[]
  readonly streams: readonly StreamStatus[]
  /** Including those that are not listed. */
  readonly streamCount: number
}

/** Streams that are listed. */
const MOST_STREAMS = 200

export function statusOf({ command, name, startedAt, parts }: Controlled): Status {
  const open = parts.flatMap(({ streams }) => streams?.all ?? [])
  return {
    command,
    name,
    pid: process.pid,
    ageMs: Math.round(performance.now() - startedAt),
    sessions: parts.flatMap((part) => part.registry.sessions.map((session) => sessionStatus(session, part))),
    streams: open.slice(0, MOST_STREAMS).map((stream) => stream.status()),
    streamCount: open.length,
  }
}

function sessionStatus(session: LiveSession, { part, registry }: ControlledPart): SessionStatus {
  const { conn, watch } = session
  session.totals.sample(conn.subflows())
  const { suspendedAt } = watch.journal
  return {
    id: session.id,
    part: part ?? null,
    client: session.client ?? null,
    ageMs: Math.round(watch.ageMs),
    sentBytes: conn.bytesWritten,
    receivedBytes: conn.bytesRead,
    unackedBytes: conn.unflushedBytes,
    suspendedMs: suspendedAt === undefined ? null : Math.round(performance.now() - suspendedAt),
    scheduler: registry.scheduler,
    paths: pathsOf(session),
  }
}

function pathsOf(session: LiveSession): PathStatus[] {
  const byName = new Map<string, ConnPath[]>()
  for (const path of session.conn.paths()) {
    const name = session.watch.nameOf(path.label)
    byName.set(name, [...(byName.get(name) ?? []), path])
  }
  return [...byName].map(([label, paths]) => pathStatus(session, label, paths))
}

function pathStatus(session: LiveSession, label: string, paths: readonly ConnPath[]): PathStatus {
  const { journal } = session.watch
  const subflows = paths.flatMap((path) => path.subflows)
  const first = paths.find(({ state }) => state === 'up') ?? paths[0]!
  const ends = session.endsOf(label)
  const downAt = journal.downAt(label)
  const totals = session.totals.of(paths.map((path) => path.label))
  const rtts = paths.flatMap(({ rttMs }) => rttMs ?? [])
  const minRtts = subflows.flatMap(({ minRttMs }) => minRttMs ?? [])
  return {
    label,
    ...{ from: ends?.from ?? null, to: ends?.to ?? null, transport: ends?.transport ?? null },
    state: first.state,
    isPaused: paths.every(({ isPaused }) => isPaused),
    reason: downAt === undefined ? null : (journal.reasonOf(label) ?? null),
    downMs: downAt === undefined ? null : Math.round(performance.now() - downAt),
    tier: first.tier,
    weight: first.weight,
    rttMs: least(rtts),
    minRttMs: least(minRtts),
    ...totals,
    inFlightBytes: sum(subflows, ({ inFlightBytes }) => inFlightBytes),
    deliveryBytesPerSecond: sum(subflows, ({ bytesPerSecond }) => bytesPerSecond),
    maxBytes: finite(first.maxBytes),
    spentBytes: paths.reduce((total, { spentBytes }) => total + spentBytes, 0),
    maxBytesPerSecond: finite(first.maxBytesPerSecond),
    subflows: subflows.length,
  }
}

function sum(subflows: readonly SubflowStats[], valueOf: (one: SubflowStats) => number): number {
  return subflows.reduce((total, one) => total + valueOf(one), 0)
}

function least(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.round(Math.min(...values) * 100) / 100
}

function finite(value: number): number | null {
  return value === Infinity ? null : value
}

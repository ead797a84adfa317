// SPDX-License-Identifier: Apache-2.0
/** Looks at an open connection: first at rest, then under load, and ends it in order. */
import { setTimeout as delay } from 'node:timers/promises'
import type { MultipathConn, SubflowChange } from '../../index.js'
import { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import type { AskedPeer } from '../measure/ask-peer.js'
import type { Direction } from '../measure/figures.js'
import type { Measured, MeasureOptions, Subject } from '../measure/measure.js'
import { closeSubject, measure, partsOf } from '../measure/measure.js'
import type { Limits } from '../measure/sampling.js'
import type { PeerKind } from './diagnosis.js'

/** What to load a connection with, and how to open further ones. */
export interface LoadPlan extends Limits, Pick<MeasureOptions, 'openAlone'> {}

/** Maps go by label. */
export interface Seen {
  readonly peer: PeerKind
  readonly idleRttMs: ReadonlyMap<string, number>
  /** Why paths went that stood. */
  readonly lost: ReadonlyMap<string, string>
  readonly load: Measured | undefined
}

export const NOTHING_SEEN: Seen = {
  peer: 'unknown',
  idleRttMs: new Map(),
  lost: new Map(),
  load: undefined,
}

/** Each direction, and both where all paths are used. */
const ALONE: readonly Direction[] = ['download', 'upload']
const TOGETHER: readonly Direction[] = ['download', 'upload', 'both']
/** So long idle paths are watched for their round-trip times, milliseconds: a few pings. */
export const IDLE_MS = 1000
/** Longer than a frame takes on the slowest path, milliseconds. */
export const STALL_MS = 5000
const MIB = 1024 * 1024

/**
 * Closes `conn`. Rejects with the reason of `io.signal` alone.
 *
 * @param labels - of the paths that stand
 * @param plan - `undefined`: nothing is sent
 */
export async function observe(
  conn: MultipathConn,
  asked: AskedPeer | Error | undefined,
  labels: readonly string[],
  plan: LoadPlan | undefined,
  io: CliIo,
): Promise<Seen> {
  const lost = new Map<string, string>()
  const connOnSubflowClose = ({ label, reason, error }: SubflowChange): void => {
    // With the connection all of them close: that is told of it, not of them.
    if (reason !== 'replaced' && reason !== 'surplus' && reason !== 'closed')
      lost.set(label, error?.message ?? reason ?? '')
  }
  const signalOnAbort = (): void => void conn.destroy()
  conn.on('subflow-close', connOnSubflowClose)
  io.signal.addEventListener('abort', signalOnAbort)
  try {
    if (!conn.destroyed) await delay(IDLE_MS, undefined, { signal: io.signal })
    const atRest = { peer: kindOf(conn), idleRttMs: idleRtts(conn) }
    const load = await underLoad(conn, asked, labels, plan, io)
    io.signal.throwIfAborted()
    conn.off('subflow-close', connOnSubflowClose)
    await closeSubject({ conn, session: asked instanceof Error ? undefined : asked?.session })
    return { ...atRest, lost, load }
  } catch (error) {
    io.signal.throwIfAborted()
    throw error
  } finally {
    io.signal.removeEventListener('abort', signalOnAbort)
    conn.destroy()
  }
}

/** The lowest round trip: nothing of ours was waiting then. */
export function idleRtts(conn: MultipathConn): Map<string, number> {
  const rtts = new Map<string, number>()
  for (const { label, minRttMs } of conn.subflows())
    if (minRttMs !== undefined) rtts.set(label, Math.min(minRttMs, rtts.get(label) ?? Infinity))
  return rtts
}

export function kindOf({ canHalfClose }: MultipathConn): PeerKind {
  if (canHalfClose === undefined) return 'unknown'
  return canHalfClose ? 'multipath-net' : 'Go'
}

/** `undefined`: nothing was to be sent, and nothing went wrong. */
async function underLoad(
  conn: MultipathConn,
  asked: AskedPeer | Error | undefined,
  labels: readonly string[],
  plan: LoadPlan | undefined,
  io: CliIo,
): Promise<Measured | undefined> {
  if (asked instanceof CliError) return notMeasured('refused', asked.message)
  if (conn.destroyed || asked instanceof Error) return notMeasured('lost', conn.errored?.message)
  if (plan === undefined || asked === undefined) return undefined
  const wanted = { alone: ALONE, together: TOGETHER }
  const parts = partsOf(asked.role, labels.length, wanted)
  const most = (parts * plan.maxBytes) / MIB
  const times = parts === 1 ? '' : `, ${parts} times`
  io.report(
    `multipath: measures for ${plan.forMs / 1000} s${times}: ${most} MiB each way at most (--no-load: none)`,
  )
  const onPart = (label: string | undefined, direction: Direction): void =>
    io.report(`multipath: ${partName(label, direction)}`)
  const subject: Subject = { conn, ...asked }
  return measure(subject, labels, { ...plan, ...wanted, stallMs: STALL_MS, onPart })
}

/** `lte alone, download` */
export function partName(label: string | undefined, direction: Direction): string {
  return `${label === undefined ? 'all together' : `${label} alone`}, ${direction === 'both' ? 'both ways' : direction}`
}

function notMeasured(endedBy: Measured['endedBy'], error: string | undefined): Measured {
  return { alone: new Map(), together: undefined, unopened: new Map(), endedBy, error }
}

// SPDX-License-Identifier: Apache-2.0
/** Looks at an open connection: first at rest, then under load, and ends it in order. */
import { setTimeout as delay } from 'node:timers/promises'
import type { MultipathConn, SubflowChange } from '../../index.js'
import type { CliIo } from '../cli-io.js'
import type { PeerKind } from './diagnosis.js'
import type { LoadFigures } from './load.js'
import { measureLoad, nothingMeasured, partsOf } from './load.js'

/** How much is sent at most: for each path alone, and for all together. */
export interface LoadLimits {
  readonly forMs: number
  readonly maxBytes: number
}

/** Maps go by label. */
export interface Seen {
  readonly peer: PeerKind
  readonly idleRttMs: ReadonlyMap<string, number>
  /** Why paths went that stood. */
  readonly lost: ReadonlyMap<string, string>
  readonly load: LoadFigures | undefined
}

export const NOTHING_SEEN: Seen = {
  peer: 'unknown',
  idleRttMs: new Map(),
  lost: new Map(),
  load: undefined,
}

/** So long idle paths are watched for their round-trip times, milliseconds: a few pings. */
const IDLE_MS = 1000
/** A connection that is ended has so long to close by itself, milliseconds. */
const CLOSING_MS = 1000
/** Longer than a frame takes on the slowest path, milliseconds. */
const STALL_MS = 5000
const MIB = 1024 * 1024

/**
 * Closes `conn`. Rejects with the reason of `io.signal` alone.
 *
 * @param labels - of the paths that stand
 * @param limits - `undefined`: nothing is sent
 */
export async function observe(
  conn: MultipathConn,
  labels: readonly string[],
  limits: LoadLimits | undefined,
  io: CliIo,
): Promise<Seen> {
  const lost = new Map<string, string>()
  const connOnSubflowClose = ({ label, reason, error }: SubflowChange): void => {
    // With the connection all of them close: that is told of it, not of them.
    if (reason !== 'replaced' && reason !== 'closed') lost.set(label, error?.message ?? reason ?? '')
  }
  const signalOnAbort = (): void => void conn.destroy()
  conn.on('subflow-close', connOnSubflowClose)
  io.signal.addEventListener('abort', signalOnAbort)
  try {
    if (!conn.destroyed) await delay(IDLE_MS, undefined, { signal: io.signal })
    const atRest = { peer: kindOf(conn), idleRttMs: idleRtts(conn) }
    const load = await underLoad(conn, labels, limits, io)
    io.signal.throwIfAborted()
    conn.off('subflow-close', connOnSubflowClose)
    await close(conn)
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
function idleRtts(conn: MultipathConn): Map<string, number> {
  const rtts = new Map<string, number>()
  for (const { label, minRttMs } of conn.subflows())
    if (minRttMs !== undefined) rtts.set(label, Math.min(minRttMs, rtts.get(label) ?? Infinity))
  return rtts
}

function kindOf({ canHalfClose }: MultipathConn): PeerKind {
  if (canHalfClose === undefined) return 'unknown'
  return canHalfClose ? 'multipath-net' : 'Go'
}

/** `undefined`: nothing was to be sent, and nothing went wrong. */
async function underLoad(
  conn: MultipathConn,
  labels: readonly string[],
  limits: LoadLimits | undefined,
  io: CliIo,
): Promise<LoadFigures | undefined> {
  if (conn.destroyed) return nothingMeasured(conn)
  if (limits === undefined) return undefined
  const parts = partsOf(labels.length)
  const most = (parts * limits.maxBytes) / MIB
  const times = parts === 1 ? '' : `, ${parts} times`
  io.report(`multipath: uploads for ${limits.forMs / 1000} s${times}: ${most} MiB at most (--no-load: none)`)
  const onPart = (what: string): void => io.report(`multipath: ${what}`)
  return measureLoad(conn, labels, { ...limits, stallMs: STALL_MS, onPart })
}

/** Ends it in order, so that the peer sees nothing wrong in it. */
async function close(conn: MultipathConn): Promise<void> {
  if (conn.destroyed) return
  const closed = new Promise<void>((resolve) => conn.once('close', () => resolve()))
  conn.resume()
  conn.end()
  const timer = setTimeout(() => conn.destroy(), CLOSING_MS)
  await closed
  clearTimeout(timer)
}

/** The examination from beginning to end: plans paths, looks at their routes, opens them, loads them. */
import { setTimeout as delay } from 'node:timers/promises'
import type { MultipathConn } from '../../index.js'
import { MultipathError } from '../../index.js'
import { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { EXIT_USAGE } from '../exit-codes.js'
import { MOST_SUBFLOWS } from '../opened.js'
import type { PlanInit, PlannedPath } from '../plan-paths.js'
import { planPaths } from '../plan-paths.js'
import { checkRoutes } from './check-routes.js'
import type { Diagnosis, Failure, PathFacts, PeerKind } from './diagnosis.js'
import { diagnose } from './diagnosis.js'
import type { LoadFigures } from './load.js'
import { measureLoad, partsOf } from './load.js'
import type { SystemView } from './network-facts.js'
import { systemView } from './network-facts.js'
import { openPaths } from './open-paths.js'
import { askStranger } from './stranger.js'

export interface ExamineOptions extends PlanInit {
  /** `undefined`: nothing is sent. */
  readonly load: { readonly forMs: number; readonly maxBytes: number } | undefined
}

/** So long idle paths are watched for their round-trip times, milliseconds: a few pings. */
const IDLE_MS = 1000
/** A connection that is ended has so long to close by itself, milliseconds. */
const CLOSING_MS = 1000
/** Longer than a frame takes on the slowest path, milliseconds. */
const STALL_MS = 5000
const MIB = 1024 * 1024

/** @throws {CliError} where there is no path to examine; the reason of `io.signal` */
export async function examine(
  options: ExamineOptions,
  io: CliIo,
  view: SystemView = systemView(),
): Promise<Diagnosis> {
  const paths = await plan(options, io)
  const routes = await checkRoutes(paths, view)
  io.signal.throwIfAborted()
  const { conn, failures } = await openPaths(paths, io.signal)
  const seen = conn === undefined ? NOTHING_SEEN : await observe(conn, paths, failures, options, io)
  const facts: PathFacts[] = []
  for (const [index, path] of paths.entries()) {
    facts.push({
      path,
      route: routes[index]!,
      failure: await failureOf(path, failures.get(path.label), io.signal),
      idleRttMs: seen.idleRttMs.get(path.label),
      delivery: seen.load?.alone.get(path.label),
      lostBy: seen.lost.get(path.label),
    })
  }
  io.signal.throwIfAborted()
  return diagnose(seen.peer, facts, seen.load)
}

async function plan(options: ExamineOptions, io: CliIo): Promise<PlannedPath[]> {
  const paths = await planPaths(options, (line) => io.report(line))
  if (paths.length > MOST_SUBFLOWS)
    throw new CliError(`${paths.length} paths are more than ${MOST_SUBFLOWS}`, {
      exitCode: EXIT_USAGE,
      hint: 'choose some with --address',
    })
  return paths
}

/** What is known of an open connection in the end; maps go by label. */
interface Seen {
  readonly peer: PeerKind
  readonly idleRttMs: ReadonlyMap<string, number>
  readonly lost: ReadonlyMap<string, string>
  readonly load: LoadFigures | undefined
}

const NOTHING_SEEN: Seen = { peer: 'unknown', idleRttMs: new Map(), lost: new Map(), load: undefined }

async function observe(
  conn: MultipathConn,
  paths: readonly PlannedPath[],
  failures: ReadonlyMap<string, Error>,
  options: ExamineOptions,
  io: CliIo,
): Promise<Seen> {
  const labels = paths.map(({ label }) => label).filter((label) => !failures.has(label))
  const lost = new Map<string, string>()
  const connOnSubflowClose = ({
    label,
    reason,
    error,
  }: {
    label: string
    reason?: string
    error?: Error
  }): void => {
    // With the connection all of them close: that is told of it, not of them.
    if (reason !== 'replaced' && reason !== 'closed') lost.set(label, error?.message ?? reason ?? 'closed')
  }
  const signalOnAbort = (): void => void conn.destroy()
  conn.on('subflow-close', connOnSubflowClose)
  io.signal.addEventListener('abort', signalOnAbort)
  try {
    await delay(IDLE_MS, undefined, { signal: io.signal })
    const idleRttMs = idleRtts(conn)
    const peer = kindOf(conn)
    const load = options.load && (await loaded(conn, labels, options.load, io))
    io.signal.throwIfAborted()
    conn.off('subflow-close', connOnSubflowClose)
    await close(conn)
    return { peer, idleRttMs, lost, load }
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

async function loaded(
  conn: MultipathConn,
  labels: readonly string[],
  load: { readonly forMs: number; readonly maxBytes: number },
  io: CliIo,
): Promise<LoadFigures> {
  const parts = partsOf(labels.length)
  const most = (parts * load.maxBytes) / MIB
  const times = parts === 1 ? '' : `, ${parts} times`
  io.report(`multipath: uploads for ${load.forMs / 1000} s${times}: ${most} MiB at most (--no-load: none)`)
  return measureLoad(conn, labels, {
    ...load,
    stallMs: STALL_MS,
    onPart: (what) => io.report(`multipath: ${what}`),
  })
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

/** Errors of someone who was reached and did not shake hands. */
const NO_HANDSHAKE: readonly string[] = [
  'ERR_MULTIPATH_HANDSHAKE',
  'ERR_MULTIPATH_HANDSHAKE_TIMEOUT',
  'ERR_MULTIPATH_UNEXPECTED_VERSION',
  'ERR_MULTIPATH_UNEXPECTED_CID',
]

async function failureOf(
  path: PlannedPath,
  error: Error | undefined,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  if (error === undefined) return undefined
  const isReached = error instanceof MultipathError && NO_HANDSHAKE.includes(error.code)
  return { message: error.message, stranger: isReached ? await askStranger(path, signal) : undefined }
}

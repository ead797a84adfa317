// SPDX-License-Identifier: Apache-2.0
/** The examination from beginning to end: plans paths, looks at their routes, opens them, loads them. */
import type { SubflowDialer } from '../../index.js'
import { MultipathError } from '../../index.js'
import { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { EXIT_USAGE } from '../exit-codes.js'
import { FaultFinder } from '../live/fault-finder.js'
import { whoAnswers } from '../live/probe.js'
import { PathBook } from '../live/path-book.js'
import { askPeer } from '../measure/ask-peer.js'
import type { OpenedPaths } from '../measure/open-paths.js'
import { openPaths } from '../measure/open-paths.js'
import type { Subject } from '../measure/measure.js'
import type { Limits } from '../measure/sampling.js'
import { MOST_SUBFLOWS } from '../opened.js'
import type { PlanInit, PlannedPath } from '../plan-paths.js'
import { planPaths } from '../plan-paths.js'
import type { TlsFlags } from '../streams/path-dialers.js'
import { dialerWith, nameOf } from '../streams/path-dialers.js'
import { checkRoutes } from './check-routes.js'
import type { Diagnosis, Failure, PathFacts } from './diagnosis.js'
import { diagnose } from './diagnosis.js'
import type { SystemView } from './network-facts.js'
import { systemView } from './network-facts.js'
import { NOTHING_SEEN, observe } from './observe.js'
import { askStranger } from './stranger.js'

export interface ExamineOptions extends PlanInit {
  /** `undefined`: nothing is sent. */
  readonly load: Limits | undefined
  readonly tls: TlsFlags
  readonly token: Uint8Array | undefined
}

/** @throws {CliError} where there is no path to examine; the reason of `io.signal` */
export async function examine(
  options: ExamineOptions,
  io: CliIo,
  view: SystemView = systemView(),
): Promise<Diagnosis> {
  const { load } = options
  const book = new PathBook()
  const reach = reachWith(options, book, io)
  const paths = await plan(options, io)
  const routes = await checkRoutes(paths, view)
  io.signal.throwIfAborted()
  const { conn, failures, asked } = await reach.open(paths, load !== undefined)
  const standing = paths.filter(({ label }) => !failures.has(label))
  const labels = standing.map(({ label }) => label)
  const openAlone = (label: string): Promise<Subject> =>
    reach.openAlone(standing.find((path) => path.label === label)!)
  const loadPlan = load && { ...load, openAlone }
  const seen = conn === undefined ? NOTHING_SEEN : await observe(conn, asked, labels, loadPlan, io)
  const faults = new FaultFinder(book)
  const facts = await Promise.all(
    paths.map(
      async (path, index): Promise<PathFacts> => ({
        path,
        route: routes[index]!,
        failure: await failureOf(path, failures.get(path.label), {
          faults,
          usesTls: book.get(path.label)?.transport !== 'tcp',
          signal: io.signal,
        }),
        idleRttMs: seen.idleRttMs.get(path.label),
        delivery: seen.load?.alone.get(path.label),
        unopened: seen.load?.unopened.get(path.label),
        lostBy: seen.lost.get(path.label),
      }),
    ),
  )
  io.signal.throwIfAborted()
  return diagnose(seen.peer, facts, seen.load)
}

/** Opens connections over all paths, or over one. */
export interface Reach {
  readonly open: (paths: readonly PlannedPath[], isAsked: boolean) => Promise<OpenedPaths>
  /** @throws {Error} */
  readonly openAlone: (path: PlannedPath) => Promise<Subject>
}

/** @throws {CliError} EXIT_USAGE for flags that do not go together */
export function reachWith(
  { tls, token }: Pick<ExamineOptions, 'tls' | 'token'>,
  book: PathBook,
  io: CliIo,
): Reach {
  const dial = dialerWith(tls, book)
  const dialerOf = (path: PlannedPath): SubflowDialer => dial(path.place, path, nameOf(path.target))
  const open: Reach['open'] = (paths, isAsked) =>
    openPaths(paths.map(dialerOf), io.signal, token, isAsked ? (conn) => askPeer(conn, token) : undefined)
  const openAlone: Reach['openAlone'] = async (path) => {
    const { conn, failures, asked } = await open([path], true)
    if (conn === undefined) throw failures.get(path.label) ?? new Error('no connection')
    if (asked === undefined || asked instanceof Error || conn.destroyed) {
      conn.destroy()
      throw asked instanceof Error ? asked : new Error('the peer closed it')
    }
    return { conn, ...asked }
  }
  return { open, openAlone }
}

export async function plan(options: PlanInit, io: CliIo): Promise<PlannedPath[]> {
  const paths = await planPaths(options, (line) => io.report(line))
  if (paths.length > MOST_SUBFLOWS)
    throw new CliError(`${paths.length} paths were found, and at most ${MOST_SUBFLOWS} are allowed`, {
      exitCode: EXIT_USAGE,
      hint: 'select some with --address',
    })
  return paths
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
  {
    faults,
    usesTls,
    signal,
  }: { readonly faults: FaultFinder; readonly usesTls: boolean; readonly signal: AbortSignal },
): Promise<Failure | undefined> {
  if (error === undefined) return undefined
  const { message } = error
  const isReached = error instanceof MultipathError && NO_HANDSHAKE.includes(error.multipathCode)
  if (isReached && !usesTls) {
    const [who, stranger] = await Promise.all([
      whoAnswers(path, { localAddress: path.localAddress, signal }),
      askStranger(path, signal),
    ])
    if (who !== 'tls') return { message, stranger }
  }
  const fault = await faults.find(path.label, error, signal)
  return { message, stranger: undefined, fault: fault && `${fault.reason} (${fault.hint})` }
}

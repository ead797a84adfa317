// SPDX-License-Identifier: Apache-2.0
/** The examination from beginning to end: plans paths, looks at their routes, opens them, loads them. */
import { MultipathError } from '../../index.js'
import { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { EXIT_USAGE } from '../exit-codes.js'
import { MOST_SUBFLOWS } from '../opened.js'
import type { PlanInit, PlannedPath } from '../plan-paths.js'
import { planPaths } from '../plan-paths.js'
import { checkRoutes } from './check-routes.js'
import type { Diagnosis, Failure, PathFacts } from './diagnosis.js'
import { diagnose } from './diagnosis.js'
import type { SystemView } from './network-facts.js'
import { systemView } from './network-facts.js'
import type { LoadLimits } from './observe.js'
import { NOTHING_SEEN, observe } from './observe.js'
import { openPaths } from './open-paths.js'
import { askStranger } from './stranger.js'

export interface ExamineOptions extends PlanInit {
  /** `undefined`: nothing is sent. */
  readonly load: LoadLimits | undefined
}

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
  const labels = paths.map(({ label }) => label).filter((label) => !failures.has(label))
  const seen = conn === undefined ? NOTHING_SEEN : await observe(conn, labels, options.load, io)
  const facts = await Promise.all(
    paths.map(
      async (path, index): Promise<PathFacts> => ({
        path,
        route: routes[index]!,
        failure: await failureOf(path, failures.get(path.label), io.signal),
        idleRttMs: seen.idleRttMs.get(path.label),
        delivery: seen.load?.alone.get(path.label),
        lostBy: seen.lost.get(path.label),
      }),
    ),
  )
  io.signal.throwIfAborted()
  return diagnose(seen.peer, facts, seen.load)
}

async function plan(options: ExamineOptions, io: CliIo): Promise<PlannedPath[]> {
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
  signal: AbortSignal,
): Promise<Failure | undefined> {
  if (error === undefined) return undefined
  const isReached = error instanceof MultipathError && NO_HANDSHAKE.includes(error.multipathCode)
  return { message: error.message, stranger: isReached ? await askStranger(path, signal) : undefined }
}

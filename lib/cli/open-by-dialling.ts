// SPDX-License-Identifier: Apache-2.0
/** Dials the connection of `multipath nc HOST:PORT…`. */
import { ignore } from '../ignore.js'
import type { MultipathConn, PathSource, SubflowDialer } from '../index.js'
import { interfacePaths, MultipathDialer } from '../index.js'
import { CliError } from './cli-error.js'
import { EXIT_USAGE } from './exit-codes.js'
import { explain } from './explain.js'
import { LiveSession } from './live/live-session.js'
import { PathBook } from './live/path-book.js'
import { plain } from './live/watch-conn.js'
import type { NcDial } from './nc-options.js'
import type { Opened, Surroundings } from './opened.js'
import { CONN_OPTIONS, GREETING_MS, MOST_SUBFLOWS } from './opened.js'
import { reportFailures, reportSubflows } from './report-subflows.js'
import { greetAsClient, isAuthError, tokenError } from './streams/greet.js'
import { joinedSources } from './streams/joined-sources.js'
import type { Log } from './streams/log.js'
import type { Dial } from './streams/path-dialers.js'
import { dialerWith, nameOf } from './streams/path-dialers.js'
import { isFree, labelOf, parsePathPlace, placeOf } from './streams/path-place.js'
import { furtherPaths, pathsOf } from './streams/session-paths.js'

/** @throws {CliError} */
export async function openByDialling(options: NcDial, { io, log, registry }: Surroundings): Promise<Opened> {
  const destination = options.targets.map(labelOf).join(', ')
  const book = new PathBook()
  const dial = dialerWith(options.tls, book)
  const dialer = new MultipathDialer(destination, reporting(pathsTo(options, dial), log), {
    ...CONN_OPTIONS,
    ...options.tuning,
    peer: options.peer,
    secret: options.token,
    peerScheduler: options.peerScheduler,
  })
  const report = (label: string, message: string): void => log.detail('subflow', message, { label })
  reportSubflows(dialer, report)
  reportFailures(dialer, report)
  let live: LiveSession | undefined
  dialer.on('path-failure', ({ label, error, waitMs }) => live?.watch.failed(label, plain(error), waitMs))
  let conn: MultipathConn | undefined
  try {
    conn = await dialer.dial({ signal: io.signal })
    conn.on('error', ignore)
    live = registry.add(new LiveSession({ conn, log, endsOf: (label) => book.endsOf(label) }))
    if (options.token !== undefined) await greet(conn, options.token, io.signal)
    live.open(`connected to ${destination}`)
    const close = async (): Promise<void> => {
      for (const line of dialer.formatStats()) log.detail('subflow', line)
    }
    const more = (text: string): readonly SubflowDialer[] | PathSource =>
      furtherPaths(parsePathPlace(text), dial)
    return { conn, live, dialer, pathsOf: more, close }
  } catch (error) {
    conn?.resetAndDestroy()
    throw explain(error)
  }
}

async function greet(conn: MultipathConn, token: Uint8Array, signal: AbortSignal): Promise<void> {
  try {
    await greetAsClient(conn, token, { timeoutMs: GREETING_MS, signal, kind: 'bytes' })
  } catch (error) {
    if (error instanceof CliError || signal.aborted) throw error
    if (isAuthError(error)) throw tokenError('the other end', token)
    throw new CliError(`the other end did not prove that it knows the token: ${(error as Error).message}`, {
      cause: error,
      hint: 'start it with the same --token-file',
    })
  }
}

/** Those that name no source start from every local address, and follow them. */
function pathsTo({ targets, family, multiplier, isAutoBound }: NcDial, dial: Dial): PathSource {
  const count = targets.reduce((sum, { parallel = multiplier }) => sum + parallel, 0)
  if (count > MOST_SUBFLOWS)
    throw new CliError(`${count} paths were requested, and at most ${MOST_SUBFLOWS} are allowed`, {
      exitCode: EXIT_USAGE,
      hint: 'use a lower -x',
    })
  const bound = pathsOf(
    targets.filter((place) => !isFree(place)).map((place) => ({ parallel: multiplier, ...place })),
    dial,
    family,
  )
  const free = targets.filter(isFree)
  const multipliers = [...new Set(free.map(({ parallel = multiplier }) => parallel))]
  const sources = multipliers.map((each) => {
    const places = free.filter(({ parallel = multiplier }) => parallel === each)
    return interfacePaths({
      targets: places.map(({ host, port }) => ({ host, port })),
      ...{ family, multiplier: each, maxPaths: MOST_SUBFLOWS },
      ...(!isAutoBound && { interfaces: false }),
      dial: (pair, path) => {
        const place = placeOf(places, pair)
        const label = place.label === undefined ? path.label! : `${place.label} ${path.label!}`
        return dial(place, { ...pair, label }, nameOf(pair.target))
      },
    })
  })
  return 'watch' in bound ? joinedSources([], [bound, ...sources]) : joinedSources(bound, sources)
}

/** Tells of what is left out, while something is left; otherwise the failed dial tells. */
function reporting(source: PathSource, log: Log): PathSource {
  return {
    watch: (listener) => {
      let hasPath = false
      return source.watch({
        add: (path) => {
          hasPath = true
          listener.add(path)
        },
        remove: (label) => {
          listener.remove(label)
        },
        failed: (error) => {
          if (hasPath) log.warn('path-failed', error.message)
          listener.failed(error)
        },
      })
    },
    check: () => {
      source.check()
    },
  }
}

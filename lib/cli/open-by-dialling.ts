// SPDX-License-Identifier: Apache-2.0
/** Dials the connection of `multipath nc HOST:PORT…`. */
import type { PathSource } from '../index.js'
import { interfacePaths, MultipathDialer, tcpDialer } from '../index.js'
import { CliError } from './cli-error.js'
import { EXIT_USAGE } from './exit-codes.js'
import { explain } from './explain.js'
import { LiveSession } from './live/live-session.js'
import { PathBook } from './live/path-book.js'
import { plain } from './live/watch-conn.js'
import type { NcDial } from './nc-options.js'
import type { Opened, Surroundings } from './opened.js'
import { CONN_OPTIONS, MOST_SUBFLOWS } from './opened.js'
import { formatHostPort } from './parse.js'
import { reportFailures, reportSubflows } from './report-subflows.js'
import type { Log } from './streams/log.js'

/** @throws {CliError} */
export async function openByDialling(options: NcDial, { io, log, registry }: Surroundings): Promise<Opened> {
  const destination = options.targets.map(formatHostPort).join(', ')
  const book = new PathBook()
  const source = reporting(pathsTo(options, book), log)
  const dialer = new MultipathDialer(destination, source, {
    ...CONN_OPTIONS,
    ...options.tuning,
    peer: options.peer,
  })
  const report = (label: string, message: string): void => log.detail('subflow', message, { label })
  reportSubflows(dialer, report)
  reportFailures(dialer, report)
  let live: LiveSession | undefined
  dialer.on('path-failure', ({ label, error, waitMs }) => live?.watch.failed(label, plain(error), waitMs))
  try {
    const conn = await dialer.dial({ signal: io.signal })
    live = registry.add(new LiveSession({ conn, log, endsOf: (label) => book.endsOf(label) }))
    live.open(`connected to ${destination}`)
    const close = async (): Promise<void> => {
      for (const line of dialer.formatStats()) log.detail('subflow', line)
    }
    return { conn, dialer, close }
  } catch (error) {
    throw explain(error)
  }
}

function pathsTo({ targets, family, multiplier, isAutoBound }: NcDial, book: PathBook): PathSource {
  const count = targets.length * multiplier
  if (count > MOST_SUBFLOWS)
    throw new CliError(`${count} paths were requested, and at most ${MOST_SUBFLOWS} are allowed`, {
      exitCode: EXIT_USAGE,
      hint: 'use a lower -x',
    })
  return interfacePaths({
    ...{ targets, family, multiplier, maxPaths: MOST_SUBFLOWS },
    ...(!isAutoBound && { interfaces: false }),
    dial: ({ host, port, localAddress }, path) => {
      book.add(path.label!, { host, port, localAddress, transport: 'tcp' })
      return tcpDialer({ ...path, host, port, ...(localAddress !== undefined && { localAddress }) })
    },
  })
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

// SPDX-License-Identifier: Apache-2.0
/** Dials the connection of `multipath nc HOST:PORT…`. */
import type { PathSource } from '../index.js'
import { interfacePaths, MultipathDialer } from '../index.js'
import { CliError } from './cli-error.js'
import type { CliIo } from './cli-io.js'
import { EXIT_USAGE } from './exit-codes.js'
import { explain } from './explain.js'
import type { NcDial } from './nc-options.js'
import type { Opened } from './opened.js'
import { CONN_OPTIONS, MOST_SUBFLOWS } from './opened.js'
import { formatHostPort } from './parse.js'
import { reportSubflows } from './report-subflows.js'

/** @throws {CliError} */
export async function openByDialling(options: NcDial, io: CliIo): Promise<Opened> {
  const destination = options.targets.map(formatHostPort).join(', ')
  const source = reporting(pathsTo(options), io)
  const dialer = new MultipathDialer(destination, source, { ...CONN_OPTIONS, peer: options.peer })
  if (options.isVerbose) {
    reportSubflows(dialer, (line) => io.report(line))
    dialer.on('path-failure', ({ label, error, waitMs }) => {
      const next = waitMs === undefined ? 'given up' : `next attempt in ${Math.round(waitMs)} ms`
      io.report(`${label}: ${error.message}, ${next}`)
    })
  }
  try {
    const conn = await dialer.dial({ signal: io.signal })
    if (options.isVerbose) io.report(dialer.label)
    const close = async (): Promise<void> => {
      if (options.isVerbose) for (const line of dialer.formatStats()) io.report(line)
    }
    return { conn, close }
  } catch (error) {
    throw explain(error)
  }
}

function pathsTo({ targets, family, multiplier, isAutoBound }: NcDial): PathSource {
  const count = targets.length * multiplier
  if (count > MOST_SUBFLOWS)
    throw new CliError(`${count} paths were requested, and at most ${MOST_SUBFLOWS} are allowed`, {
      exitCode: EXIT_USAGE,
      hint: 'use a lower -x',
    })
  return interfacePaths({
    ...{ targets, family, multiplier, maxPaths: MOST_SUBFLOWS },
    ...(!isAutoBound && { interfaces: false }),
  })
}

/** Tells of what is left out, while something is left; otherwise the failed dial tells. */
function reporting(source: PathSource, io: CliIo): PathSource {
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
          if (hasPath) io.report(`multipath: ${error.message}`)
          listener.failed(error)
        },
      })
    },
    check: () => {
      source.check()
    },
  }
}

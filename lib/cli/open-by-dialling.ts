/** Dials the connection of `multipath nc HOST:PORT…`. */
import { networkInterfaces } from 'node:os'
import { MultipathDialer, tcpDialer } from '../index.js'
import { CliError } from './cli-error.js'
import type { CliIo } from './cli-io.js'
import { EXIT_USAGE } from './exit-codes.js'
import { explain } from './explain.js'
import { usableAddresses } from './local-addresses.js'
import type { NcDial } from './nc-options.js'
import type { Opened } from './opened.js'
import { CONN_OPTIONS, MOST_SUBFLOWS } from './opened.js'
import { formatHostPort } from './parse.js'
import type { PlannedPath } from './plan-paths.js'
import { planPaths } from './plan-paths.js'
import { reportSubflows } from './report-subflows.js'
import { resolveTargets } from './resolve-targets.js'

/** @throws {CliError} */
export async function openByDialling(options: NcDial, io: CliIo): Promise<Opened> {
  const paths = await plan(options, io)
  const dialers = paths.map(({ label, host, port, localAddress }) =>
    tcpDialer({ label, host, port, ...(localAddress !== undefined && { localAddress }) }),
  )
  const destination = options.targets.map(formatHostPort).join(', ')
  const dialer = new MultipathDialer(destination, dialers, CONN_OPTIONS)
  if (options.isVerbose) {
    io.report(dialer.label)
    reportSubflows(dialer, io)
    dialer.on('path-failure', ({ label, error, waitMs }) => {
      const next = waitMs === undefined ? 'given up' : `again in ${Math.round(waitMs)} ms`
      io.report(`${label}: ${error.message}, ${next}`)
    })
  }
  try {
    const conn = await dialer.dial({ signal: io.signal })
    const close = async (): Promise<void> => {
      if (options.isVerbose) for (const line of dialer.formatStats()) io.report(line)
    }
    return { conn, close }
  } catch (error) {
    throw explain(error)
  }
}

async function plan(options: NcDial, io: CliIo): Promise<PlannedPath[]> {
  const targets = await resolveTargets(options.targets, options.family, (line) => io.report(line))
  const locals = options.isAutoBound ? usableAddresses(networkInterfaces(), options.family) : undefined
  const paths = planPaths(targets, locals, options.multiplier)
  if (paths.length === 0)
    throw new CliError('no local address can reach any target', {
      hint: '-a leaves the choice to the system',
    })
  if (paths.length > MOST_SUBFLOWS)
    throw new CliError(`${paths.length} paths are more than ${MOST_SUBFLOWS}`, {
      exitCode: EXIT_USAGE,
      hint: 'use -a, or a lower -x',
    })
  return paths
}

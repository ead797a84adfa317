// SPDX-License-Identifier: Apache-2.0
/** Opens sessions with `multipath serve`. */
import { Option } from 'commander'
import type { MultipathConn } from '../../index.js'
import { DialError, MultipathDialer } from '../../index.js'
import { MuxSession } from '../../mux/index.js'
import { ignore } from '../../ignore.js'
import { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { explainDial } from '../explain.js'
import { parseSeconds } from '../parse.js'
import { reportSubflows } from '../report-subflows.js'
import type { CommonFlags } from './common-options.js'
import { collect, COMMON_OPTIONS } from './common-options.js'
import { greetAsClient } from './greet.js'
import type { Log } from './log.js'
import { parsePathPlace } from './parse-places.js'
import { exposures, loadToken } from './secrets.js'
import type { PathFlags } from './session-paths.js'
import { labelOf, sessionPaths } from './session-paths.js'

/** Of a command that dials `multipath serve`. */
export interface ClientFlags extends CommonFlags, PathFlags {
  readonly wait: number
  /** Of socks. */
  readonly loginFile?: string
}

const WAIT_MS = 10_000
/** For the greeting, as for a path's own handshake. */
const GREETING_MS = 10_000

export const CLIENT_OPTIONS = (): Option[] => [
  new Option(
    '--to <host:port>',
    'a path to multipath serve; append @SOURCE to start it from that local address; may be repeated',
  ).argParser(collect(parsePathPlace)),
  new Option(
    '--all-interfaces',
    'use a path from every usable address of this machine to every address of each --to, and follow changes',
  ),
  new Option('--tls', 'use TLS, and require a certificate that the system trusts'),
  new Option('--tls-ca <file>', 'use TLS, and require a certificate that verifies against this file'),
  new Option(
    '--tls-fingerprint <sha256>',
    'use TLS, and require exactly this certificate (AB:CD:…); may be repeated',
  ).argParser(collect((text) => text)),
  new Option('--tls-name <name>', 'use TLS, and require a certificate for this name instead of HOST'),
  new Option('--tls-cert <file>', 'use TLS, and present this certificate to a serve with --tls-client-ca'),
  new Option('--tls-key <file>', 'private key of --tls-cert'),
  new Option('--wait <seconds>', 'time that a new stream waits while no path is up')
    .argParser(parseSeconds)
    .default(WAIT_MS, `${WAIT_MS / 1000}`),
  ...COMMON_OPTIONS(),
]

/**
 * What opens a session; each call dials anew.
 *
 * @param maxStreams - of the other end
 * @throws {CliError} EXIT_USAGE for flags that do not go together
 */
export function sessionOpener(
  flags: ClientFlags,
  maxStreams: number,
  io: CliIo,
  log: Log,
): (signal: AbortSignal) => Promise<MuxSession> {
  const paths = sessionPaths(flags)
  const token = loadToken(flags.tokenFile, io.env)
  for (const warning of exposures([flags.tokenFile, flags.tlsKey, flags.loginFile]))
    log.warn('exposed', warning)
  const destination = (flags.to ?? []).map(labelOf).join(', ')
  const dialer = new MultipathDialer(destination, paths, { peer: 'ours' })
  reportPaths(dialer, log)
  return async (signal) => {
    let conn: MultipathConn | undefined
    try {
      conn = await dialer.dial({ signal })
      conn.on('error', ignore)
      await greetAsClient(conn, token, { timeoutMs: GREETING_MS, signal })
      log.info('session', `connected to ${destination}`)
      return new MuxSession(conn, { role: 'client', maxStreams, allowHalfOpen: true })
    } catch (error) {
      conn?.destroy()
      if (error instanceof DialError)
        throw explainDial(error, 'check that `multipath serve` is running there')
      if (error instanceof CliError || signal.aborted) throw error
      throw new CliError(`the server did not complete the greeting: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }
}

function reportPaths(dialer: MultipathDialer, log: Log): void {
  reportSubflows(dialer, (message) => log.detail('path', message))
  dialer.on('path-failure', ({ label, error, waitMs }) => {
    const next = waitMs === undefined ? 'given up' : `next attempt in ${Math.round(waitMs)} ms`
    log.detail('path', `${label}: ${error.message}, ${next}`)
  })
}

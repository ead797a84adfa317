// SPDX-License-Identifier: Apache-2.0
/** Opens sessions with `multipath serve`. */
import { Option } from 'commander'
import type { CliIo } from '../cli-io.js'
import type { Registry } from '../live/registry.js'
import { parseSeconds } from '../parse.js'
import type { CommonFlags } from './common-options.js'
import { collect, COMMON_OPTIONS } from './common-options.js'
import type { Log } from './log.js'
import { parsePathPlace } from './parse-places.js'
import { exposures, loadToken } from './secrets.js'
import { SessionDialer } from './session-dialer.js'
import type { PathFlags } from './session-paths.js'
import { labelOf, sessionPaths } from './session-paths.js'

/** Of a command that dials `multipath serve`. */
export interface ClientFlags extends CommonFlags, PathFlags {
  readonly wait: number
  readonly once?: true
  /** Of socks. */
  readonly loginFile?: string
}

const WAIT_MS = 10_000

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
  new Option('--once', 'exit with 1 if the session cannot be opened or is lost, instead of trying again'),
  ...COMMON_OPTIONS(),
]

/**
 * What opens sessions.
 *
 * @param maxStreams - of the other end
 * @throws {CliError} EXIT_USAGE for flags that do not go together
 */
export function sessionDialer(
  flags: ClientFlags,
  maxStreams: number,
  { io, log, registry }: { readonly io: CliIo; readonly log: Log; readonly registry: Registry },
): SessionDialer {
  const plan = sessionPaths(flags)
  const token = loadToken(flags.tokenFile, io.env)
  for (const warning of exposures([flags.tokenFile, flags.tlsKey, flags.loginFile]))
    log.warn('exposed', warning)
  const destination = (flags.to ?? []).map(labelOf).join(', ')
  return new SessionDialer({ destination, plan, token, maxStreams, registry, log })
}

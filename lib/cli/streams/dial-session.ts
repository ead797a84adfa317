/** Opens sessions with `multipath serve`. */
import { Option } from 'commander'
import type { MultipathConn, SubflowDialer, TlsDialerOptions } from '../../index.js'
import { DialError, MultipathDialer, OptionError, tcpDialer, tlsDialer } from '../../index.js'
import { MuxSession } from '../../mux/index.js'
import { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { explainDial } from '../explain.js'
import { formatHostPort, parseSeconds } from '../parse.js'
import { reportSubflows } from '../report-subflows.js'
import type { CommonFlags } from './common-options.js'
import { collect, COMMON_OPTIONS } from './common-options.js'
import { greetAsClient } from './greet.js'
import type { Log } from './log.js'
import type { PathPlace } from './parse-places.js'
import { parsePathPlace } from './parse-places.js'
import { loadToken } from './secrets.js'
import { ignore } from './splice.js'
import type { CertificateFlags } from './tls-files.js'
import { loadCertificate } from './tls-files.js'
import { readOption, usage } from './usage.js'

/** Of a command that dials `multipath serve`. */
export interface ClientFlags extends CommonFlags, CertificateFlags {
  readonly to?: readonly PathPlace[]
  readonly tls?: true
  readonly tlsCa?: string
  readonly tlsFingerprint?: readonly string[]
  readonly tlsName?: string
  readonly wait: number
}

/** Far more than there are uplinks; a listener takes 64 subflows by default. */
const MOST_PATHS = 32
const WAIT_MS = 10_000
/** For the greeting, as for a path's own handshake. */
const GREETING_MS = 10_000

export const CLIENT_OPTIONS = (): Option[] => [
  new Option(
    '--to <host:port>',
    'a path to multipath serve; repeat it for more, with @SOURCE behind it for one from that local address',
  ).argParser(collect(parsePathPlace)),
  new Option('--tls', 'over TLS, with a certificate that the system trusts'),
  new Option('--tls-ca <file>', 'over TLS, with a certificate that this one vouches for'),
  new Option(
    '--tls-fingerprint <sha256>',
    'over TLS, with exactly this certificate (AB:CD:…); repeat it for more',
  ).argParser(collect((text) => text)),
  new Option('--tls-name <name>', 'over TLS, with a certificate for this name instead of the HOST'),
  new Option(
    '--tls-cert <file>',
    'over TLS, and show this certificate, which --tls-client-ca there asks for',
  ),
  new Option('--tls-key <file>', 'its key'),
  new Option('--wait <seconds>', 'how long a new stream waits while no path is up')
    .argParser(parseSeconds)
    .default(WAIT_MS, `${WAIT_MS / 1000}`),
  ...COMMON_OPTIONS(),
]

/** What opens a session; each call dials anew. @throws {CliError} EXIT_USAGE for flags that do not go together */
export function sessionOpener(
  flags: ClientFlags,
  io: CliIo,
  log: Log,
): (signal: AbortSignal) => Promise<MuxSession> {
  const places = flags.to ?? []
  if (places.length === 0) throw usage('nowhere to connect to', 'give --to HOST:PORT, once for each path')
  if (places.length > MOST_PATHS) throw usage(`more than ${MOST_PATHS} paths`)
  const token = loadToken(flags.tokenFile, io.env)
  const dialer = new MultipathDialer(places.map(labelOf).join(', '), pathsTo(places, flags))
  reportPaths(dialer, log)
  return async (signal) => {
    let conn: MultipathConn | undefined
    try {
      conn = await dialer.dial({ signal })
      conn.on('error', ignore)
      await greetAsClient(conn, token, { timeoutMs: GREETING_MS, signal })
      log.info('session', `connected to ${places.map(labelOf).join(', ')}`)
      return new MuxSession(conn, { role: 'client', maxStreams: flags.maxStreams, allowHalfOpen: true })
    } catch (error) {
      conn?.destroy()
      if (error instanceof DialError) throw explainDial(error, 'is `multipath serve` running there?')
      if (error instanceof CliError || signal.aborted) throw error
      throw new CliError(`the other end did not greet: ${(error as Error).message}`, { cause: error })
    }
  }
}

function pathsTo(places: readonly PathPlace[], flags: ClientFlags): SubflowDialer[] {
  const tls = tlsOptions(flags)
  try {
    return places.map(({ host, port, source }) => {
      const options = {
        label: labelOf({ host, port, source }),
        host,
        port,
        ...(source && { localAddress: source }),
      }
      return tls === undefined ? tcpDialer(options) : tlsDialer({ ...options, ...tls })
    })
  } catch (error) {
    if (error instanceof OptionError) throw usage(error.message)
    throw error
  }
}

/** Any flag of TLS asks for it. */
function tlsOptions(flags: ClientFlags): Partial<TlsDialerOptions> | undefined {
  const { tls, tlsCa, tlsFingerprint: fingerprints, tlsName: servername } = flags
  const certificate = loadCertificate(flags)
  const options = {
    ...(tlsCa !== undefined && { ca: readOption(tlsCa) }),
    ...(fingerprints && { fingerprints }),
    ...(servername !== undefined && { servername }),
    ...certificate,
  }
  return tls === undefined && Object.keys(options).length === 0 ? undefined : options
}

function labelOf({ host, port, source }: PathPlace): string {
  const place = formatHostPort({ host, port })
  return source === undefined ? place : `${place}@${source}`
}

function reportPaths(dialer: MultipathDialer, log: Log): void {
  reportSubflows(dialer, (message) => log.detail('path', message))
  dialer.on('path-failure', ({ label, error, waitMs }) => {
    const next = waitMs === undefined ? 'given up' : `again in ${Math.round(waitMs)} ms`
    log.detail('path', `${label}: ${error.message}, ${next}`)
  })
}

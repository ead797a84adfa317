// SPDX-License-Identifier: Apache-2.0
/** `multipath serve`: the far end of forward and socks. */
import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import { createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { Command, Option } from 'commander'
import type { AuthorizeJoin, MultipathConn } from '../../index.js'
import { descriptorShare, MultipathListener } from '../../index.js'
import { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { formatHostPort, parseCount, parseSeconds } from '../parse.js'
import { reportSubflows } from '../report-subflows.js'
import { collect, COMMON_OPTIONS } from './common-options.js'
import { drain } from './drain.js'
import { Log } from './log.js'
import { Lookups } from './lookups.js'
import { parseListenPlace, parseRemoteBind } from './parse-places.js'
import { parseAllowed, parseAllowRule, parseRange } from './parse-rules.js'
import type { ListenPlace, ServeFlags, ServeOptions } from './serve-options.js'
import { formatPlace, serveOptions } from './serve-options.js'
import { Sessions, STRANGER_LIMITS } from './sessions.js'
import { MAX_STRANGERS } from './strangers.js'
import { Tasks } from './tasks.js'

const MAX_SESSIONS = 64
const MOST_SESSIONS = 65_536
const CONNECT_MS = 10_000
/** For TLS. Node's own default is two minutes. */
const HANDSHAKE_MS = 10_000
const ALPN = ['multipath/0']
/** Paths of one client, and those that come beside a suspect one. */
const MOST_SOCKETS_A_SESSION = 64
/** Of all descriptors, for sockets of clients. */
const SOCKETS_PART = 1 / 2

export function serveCommand(io: CliIo): Command {
  const command = new Command('serve')
    .summary('the far end of forward and socks')
    .description(DESCRIPTION)
    .usage('[options] --listen [HOST:]PORT... --allow [NAME=]HOST:PORT... --allow-socks RULE...')
  for (const option of OPTIONS()) command.addOption(option)
  return command.action((flags: ServeFlags) => runServe(flags, io))
}

const DESCRIPTION = [
  'The far end of multipath forward and multipath socks: takes connections over several paths, and leads each stream in them to where it asks for, if that is allowed. Nothing else can be reached: --allow names single places, perhaps under a name; --allow-socks takes rules, HOST:PORTS, where HOST is a name, *.NAME for all below it, an address, a range (10.1.0.0/16, [fd00::/8]) or * for all, and PORTS a list (80,443,8000-8099) or *.',
  'Names are looked up here, and the address that was checked is the one that is dialled. Private, loopback, link-local and other special addresses, and those of this machine, are reached only where a rule writes down the address or a range within them, or localhost; a name or * leads to those of --allow-private alone.',
  'On other addresses than loopback it wants TLS or a token; best are both: TLS hides what passes, the token tells who comes; so do certificates of clients, with --tls-client-ca. Both ends prove that they know the token before anything is served. --allow-remote lets clients listen on ports of this side.',
  'A signal ends it in good order: no new streams, and --drain seconds for those that are open. A second one ends it at once.',
].join('\n\n')

export const SERVE_EXAMPLES: readonly string[] = [
  'multipath serve --listen 7000 --listen 7001 --token-file secret --allow web=localhost:8080',
  "multipath serve --listen 7000 --token-file secret --tls-cert crt.pem --tls-key key.pem --allow-socks '*:80,443'",
  'multipath serve --listen 7000 --token-file secret --allow-remote 8022        # a port here that leads to a client',
]

const OPTIONS = (): Option[] => [
  new Option('--listen <[host:]port>', 'where to listen; repeat it for more').argParser(
    collect(parseListenPlace),
  ),
  new Option(
    '--allow <[name=]host:port>',
    'a place that may be reached, by HOST:PORT or by NAME; may be repeated',
  ).argParser(collect(parseAllowed)),
  new Option('--allow-socks <rule>', 'places that may be reached, as HOST:PORTS; may be repeated').argParser(
    collect(parseAllowRule),
  ),
  new Option(
    '--allow-private <range>',
    'private addresses that allowed names may lead to, such as 10.0.0.0/8; may be repeated',
  ).argParser(collect(parseRange)),
  new Option(
    '--allow-remote <[bind:]port>',
    'a port that clients may listen on here, on loopback unless BIND is given; may be repeated',
  ).argParser(collect(parseRemoteBind)),
  new Option('--tls-cert <file>', 'certificate, with those that vouch for it; only TLS is taken then'),
  new Option('--tls-key <file>', 'its key'),
  new Option(
    '--tls-client-ca <file>',
    'take only clients whose --tls-cert this certificate vouches for, as with a token',
  ),
  new Option('--insecure', 'listen on other addresses than loopback without TLS and without a token'),
  new Option('--max-sessions <n>', 'clients at a time')
    .argParser(parseCount(MOST_SESSIONS))
    .default(MAX_SESSIONS),
  new Option('--connect-timeout <seconds>', 'how long a place may take to be looked up and to answer')
    .argParser(parseSeconds)
    .default(CONNECT_MS, `${CONNECT_MS / 1000}`),
  ...COMMON_OPTIONS(),
]

async function runServe(flags: ServeFlags, io: CliIo): Promise<void> {
  const log = new Log(io, { isJson: flags.json ?? false, isVerbose: flags.verbose ?? false })
  const servers: Server[] = []
  try {
    const options = serveOptions(flags, io.env)
    const tasks = new Tasks()
    const lookups = new Lookups(flags.maxSessions)
    for (const place of options.places) servers.push(await listen(place, options, log))
    for (const warning of options.warnings) log.warn('insecure', warning)
    const listener = new MultipathListener(servers, [], {
      maxConnections: flags.maxSessions + 2 * MAX_STRANGERS,
      // Of which only the hello has come.
      maxBacklog: 2 * MAX_STRANGERS,
      maxSockets: maxSockets(flags, servers.length),
      peer: 'ours',
      ...STRANGER_LIMITS,
      ...(options.tls?.ca !== undefined && { authorizeJoin: isSameClient }),
    })
    const charge = listener.charge.bind(listener)
    const sessions = new Sessions({ ...flags, ...options, charge, lookups, tasks, log })
    reportSubflows(listener, (message) => log.detail('path', message))
    reportRefusals(listener, log)
    await take(listener, sessions, io.signal)
    await drain({
      reason: io.signal.reason as CliError,
      servers,
      tasks,
      sessions,
      timeoutMs: flags.drain,
      log,
    })
  } catch (error) {
    throw log.final(error)
  } finally {
    for (const server of servers) server.close()
  }
}

/** Of all --listen together. Streams lead to sockets as well: half of the descriptors is theirs. */
function maxSockets({ maxSessions }: ServeFlags, places: number): number {
  const wanted = places * MOST_SOCKETS_A_SESSION * (maxSessions + MAX_STRANGERS)
  return Math.min(wanted, descriptorShare(SOCKETS_PART))
}

/** Who shuts others out, or tries to, is worth a line. */
function reportRefusals(listener: MultipathListener, log: Log): void {
  listener.on('full', (most, of) =>
    log.warn('full', `${most} ${of} are open: further paths are closed until some are free (ulimit -n)`),
  )
  listener.on('refused', (error, { remoteAddress = 'somebody' }) => {
    const message = `refused a path from ${remoteAddress}: ${error.message}`
    if ((error as { code?: unknown }).code === 'ERR_MULTIPATH_LIMIT') log.warnOnce('path-limit', message)
    else log.detail('path-refused', message)
  })
}

/** A client that is known by its certificate joins no session of another one. */
const isSameClient: AuthorizeJoin = ({ first, peer }) =>
  peer.fingerprint !== undefined && peer.fingerprint === first.fingerprint

/** Until the signal. */
async function take(listener: MultipathListener, sessions: Sessions, signal: AbortSignal): Promise<void> {
  const stop = (): void => void listener.close()
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  for await (const conn of listener as AsyncIterable<MultipathConn>) void sessions.take(conn)
}

async function listen(place: ListenPlace, { tls }: ServeOptions, log: Log): Promise<Server> {
  const server =
    tls === undefined
      ? createServer()
      : createTlsServer({ ...tls, ALPNProtocols: ALPN, handshakeTimeout: HANDSHAKE_MS })
  try {
    server.listen({ port: place.port, ...(place.host !== undefined && { host: place.host }) })
    await once(server, 'listening')
  } catch (error) {
    throw new CliError(`cannot listen on ${formatPlace(place)}: ${(error as Error).message}`, {
      cause: error,
      hint: 'is another program using the port?',
    })
  }
  server.on('error', (error: Error) => log.warn('listen-failed', error.message))
  const { address, port } = server.address() as AddressInfo
  const shown = formatHostPort({ host: address, port })
  log.info('listening', `listening on ${shown}${tls === undefined ? '' : ', over TLS'}`, { place: shown })
  return server
}

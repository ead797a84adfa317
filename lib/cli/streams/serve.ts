// SPDX-License-Identifier: Apache-2.0
/** `multipath serve`: the far end of forward and socks. */
import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import { createServer as createTlsServer, Server as TlsServer } from 'node:tls'
import { Command, Option } from 'commander'
import type { AuthorizeJoin, ListenerOptions, MultipathConn } from '../../index.js'
import { descriptorShare, MultipathListener } from '../../index.js'
import { CliError, oneLine } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { CTL_OPTIONS, MONITOR_OPTION } from '../ctl/offer.js'
import { clientSession } from '../live/client-session.js'
import { OpenStreams } from '../live/open-streams.js'
import { Registry } from '../live/registry.js'
import { MeasureServer } from '../measure/serve-measure.js'
import type { HostPort } from '../parse.js'
import { formatHostPort, parseCount, parseSeconds } from '../parse.js'
import { reportSubflows } from '../report-subflows.js'
import { reportUnproven } from '../report-unproven.js'
import { TUNING_OPTIONS, tuningOf } from '../tuning.js'
import { collect, COMMON_OPTIONS } from './common-options.js'
import { drain } from './drain.js'
import type { Log } from './log.js'
import { Lookups } from './lookups.js'
import { parseListenPlace, parseRemoteBind } from './parse-places.js'
import type { Part } from './part.js'
import { runAlone } from './part.js'
import { parseAllowed, parseAllowRule, parseRange } from './parse-rules.js'
import { isSameToken } from './secrets.js'
import type { ListenPlace, ServeFlags, ServeOptions } from './serve-options.js'
import { formatPlace, serveOptions } from './serve-options.js'
import { Sessions, STRANGER_LIMITS } from './sessions.js'
import type { Stage } from './stage.js'
import { ownStage } from './stage.js'
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
    .summary('the server for forward and socks')
    .description(DESCRIPTION)
    .usage('[options] --listen [HOST:]PORT... --allow [NAME=]HOST:PORT... --allow-socks RULE...')
  for (const option of SERVE_OPTIONS()) command.addOption(option)
  return command.action((flags: ServeFlags) =>
    runAlone(new ServePart(flags, io.env), ownStage('serve', flags, io)),
  )
}

const DESCRIPTION = [
  'The server for multipath forward and multipath socks. It accepts connections over several paths, and connects each stream in them to its target if a rule allows it. --allow permits a single HOST:PORT and may give it a name. --allow-socks takes a rule HOST:PORTS. HOST is a name, *.NAME for all names below it, an address, a range (10.1.0.0/16, [fd00::/8]), or * for all. PORTS is a list (80,443,8000-8099) or * for all. Rules are for TCP; with udp: in front, they are for UDP alone. Nothing else can be reached.',
  'serve looks up names itself, and dials the same address that it has checked. Some addresses are special: private, loopback and link-local addresses, and those of this machine. A rule reaches them only if it contains the address, a range within the special range, or localhost. A rule with another name or * reaches only the special addresses of --allow-private.',
  'On addresses other than loopback, serve requires TLS or a token. Use both: TLS encrypts the data, and the token authenticates the clients. Certificates of clients authenticate them as well (--tls-client-ca). Both ends prove that they know the token before anything is served. --allow-remote lets clients listen on ports of this machine.',
  'After a signal, serve accepts no new streams and gives open streams --drain seconds to end. A second signal stops it at once.',
].join('\n\n')

export const SERVE_EXAMPLES: readonly string[] = [
  'multipath serve --listen 7000 --listen 7001 --token-file secret --allow web=localhost:8080',
  "multipath serve --listen 7000 --token-file secret --tls-cert crt.pem --tls-key key.pem --allow-socks '*:80,443'",
  'multipath serve --listen 7000 --token-file secret --allow-remote 8022        # a port here that is forwarded to a client',
]

export const SERVER_TLS_OPTIONS = (): Option[] => [
  new Option(
    '--tls-cert <file>',
    'certificate, followed by its intermediate certificates; only TLS connections are accepted',
  ),
  new Option('--tls-key <file>', 'private key of --tls-cert'),
  new Option(
    '--tls-client-ca <file>',
    'accept only clients whose --tls-cert verifies against this file; this can replace a token',
  ),
]

export const SERVE_OPTIONS = (): Option[] => [
  new Option('--listen <[host:]port>', 'address to listen on; may be repeated').argParser(
    collect(parseListenPlace),
  ),
  new Option(
    '--allow <[udp:][name=]host:port>',
    'allow this target, as HOST:PORT or as NAME; for TCP, or with udp: for UDP; may be repeated',
  ).argParser(collect(parseAllowed)),
  new Option(
    '--allow-socks <rule>',
    'allow the targets of this rule, [udp:]HOST:PORTS; may be repeated',
  ).argParser(collect(parseAllowRule)),
  new Option(
    '--allow-private <range>',
    'allow names to resolve to these private addresses, such as 10.0.0.0/8; may be repeated',
  ).argParser(collect(parseRange)),
  new Option(
    '--allow-remote <[bind:]port>',
    'let clients listen on this port here, on loopback unless BIND is given; may be repeated',
  ).argParser(collect(parseRemoteBind)),
  ...SERVER_TLS_OPTIONS(),
  new Option('--insecure', 'listen on addresses other than loopback without TLS and without a token'),
  new Option('--max-sessions <n>', 'largest number of clients at the same time')
    .argParser(parseCount(MOST_SESSIONS))
    .default(MAX_SESSIONS),
  new Option('--connect-timeout <seconds>', 'time limit to look up a target and to connect to it')
    .argParser(parseSeconds)
    .default(CONNECT_MS, `${CONNECT_MS / 1000}`),
  new Option('--no-speed', 'refuse the measurements of multipath speed and doctor'),
  ...TUNING_OPTIONS(),
  ...CTL_OPTIONS(),
  MONITOR_OPTION(),
  ...COMMON_OPTIONS(),
]

export class ServePart implements Part<ServePart> {
  readonly #flags: ServeFlags
  readonly #options: ServeOptions
  readonly #servers: Server[] = []
  #sessions: Sessions | undefined

  /** @throws {CliError} EXIT_USAGE for flags that do not go together */
  constructor(flags: ServeFlags, env: CliIo['env'], isForMeasuring = false) {
    this.#flags = flags
    this.#options = serveOptions(flags, env, isForMeasuring)
  }

  get places(): HostPort[] {
    return this.#options.places.map(({ host = '::', port }) => ({ host, port }))
  }

  async run(stage: Stage, onReady: () => void): Promise<void> {
    const [flags, options, { log, signal }] = [this.#flags, this.#options, stage]
    const servers = this.#servers
    let closeOffer = (): void => {}
    try {
      const tasks = new Tasks()
      for (const place of options.places) {
        const handle = stage.io.sockets().take(place)
        servers.push(await listen(place, options, log, handle))
      }
      for (const warning of options.warnings) log.warn('insecure', warning)
      const listener = new MultipathListener(servers, [], listenerOptions(flags, options, servers.length))
      const [registry, streams] = [new Registry(flags.scheduler), new OpenStreams()]
      const sessions = new Sessions({
        ...{ ...flags, ...options, tasks, streams, log },
        charge: listener.charge.bind(listener),
        lookups: new Lookups(flags.maxSessions),
        measure: new MeasureServer(flags.speed),
      })
      this.#sessions = sessions
      closeOffer = await stage.offer({ registry, streams })
      reportSubflows(listener, (label, message) => log.detail('subflow', message, { label }))
      reportRefusals(listener, log, options.token)
      onReady()
      await take(listener, signal, (conn) => sessions.take(conn, registry.add(clientSession(conn, log))))
      const reason = signal.reason as CliError
      await drain({ reason, servers, tasks, sessions, timeoutMs: flags.drain, log })
    } catch (error) {
      throw log.final(error)
    } finally {
      closeOffer()
      for (const server of servers) server.close()
    }
  }

  async change(next: ServePart): Promise<string[]> {
    const [{ token, allow, allowUdp, tls }, to] = [this.#options, next.#options]
    allow.replace(to.allow)
    allowUdp.replace(to.allowUdp)
    this.#sessions?.allowRemote(to.remote)
    const left = isSameToken(token, to.token) ? [] : ['token-file']
    if ((tls === undefined) !== (to.tls === undefined)) return [...left, 'tls-cert']
    if ((tls?.ca === undefined) !== (to.tls?.ca === undefined)) return [...left, 'tls-client-ca']
    if (to.tls !== undefined)
      for (const server of this.#servers) if (server instanceof TlsServer) server.setSecureContext(to.tls)
    return left
  }
}

function listenerOptions(flags: ServeFlags, { token, tls }: ServeOptions, places: number): ListenerOptions {
  return {
    maxConnections: flags.maxSessions + 2 * MAX_STRANGERS,
    // Of which only the hello has come.
    maxBacklog: 2 * MAX_STRANGERS,
    maxSockets: maxSockets(flags, places),
    peer: 'ours',
    ...(token !== undefined && { secret: token }),
    // A client that ends before it has greeted gets a reset: its data was not taken.
    allowHalfOpen: true,
    ...tuningOf(flags),
    ...STRANGER_LIMITS,
    ...(tls?.ca !== undefined && { authorizeJoin: isSameClient }),
  }
}

/** Of all --listen together. Streams lead to sockets as well: half of the descriptors is theirs. */
function maxSockets({ maxSessions }: ServeFlags, places: number): number {
  const wanted = places * MOST_SOCKETS_A_SESSION * (maxSessions + MAX_STRANGERS)
  return Math.min(wanted, descriptorShare(SOCKETS_PART))
}

/** Who shuts others out, or tries to, is worth a line. */
function reportRefusals(listener: MultipathListener, log: Log, token: Buffer | undefined): void {
  reportUnproven(listener, token, (message, client) => log.warn('client-refused', message, { client }))
  listener.on('full', (most, of) =>
    log.warn('full', `${most} ${of} are open: new paths are closed until some are free (see ulimit -n)`),
  )
  listener.on('refused', (error, { remoteAddress = 'an unknown address' }) => {
    const message = `refused a path from ${remoteAddress}: ${error.message}`
    if ((error as { code?: unknown }).code === 'ERR_MULTIPATH_LIMIT')
      log.warnOnce('path-limit', message, { client: remoteAddress })
    else log.detail('path-refused', message, { client: remoteAddress, reason: error.message })
  })
}

/** A client that is known by its certificate joins no session of another one. */
const isSameClient: AuthorizeJoin = ({ first, peer }) =>
  peer.fingerprint !== undefined && peer.fingerprint === first.fingerprint

/** Until the signal. */
async function take(
  listener: MultipathListener,
  signal: AbortSignal,
  serve: (conn: MultipathConn) => Promise<void>,
): Promise<void> {
  const stop = (): void => void listener.close()
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  for await (const conn of listener as AsyncIterable<MultipathConn>) void serve(conn)
}

async function listen(
  place: ListenPlace,
  { tls }: ServeOptions,
  log: Log,
  handle: Socket | undefined,
): Promise<Server> {
  const server =
    tls === undefined
      ? createServer()
      : createTlsServer({ ...tls, ALPNProtocols: ALPN, handshakeTimeout: HANDSHAKE_MS })
  try {
    const { host, port } = place
    server.listen(handle ?? { port, ...(host !== undefined && { host }) })
    await once(server, 'listening')
  } catch (error) {
    throw new CliError(`cannot listen on ${formatPlace(place)}: ${(error as Error).message}`, {
      cause: error,
      hint: 'check that no other program uses the port',
    })
  }
  server.on('error', (error: Error) => log.warn('listen-failed', error.message))
  server.on('tlsClientError', (error: Error, { remoteAddress: client = 'an unknown address' }: Socket) =>
    log.detail('path-refused', `refused a path from ${client}: no TLS handshake: ${oneLine(error)}`, {
      ...{ client, reason: error.message },
    }),
  )
  const { address, port } = server.address() as AddressInfo
  const shown = formatHostPort({ host: address, port })
  log.info('listening', `listening on ${shown}${tls === undefined ? '' : ', over TLS'}`, { place: shown })
  return server
}

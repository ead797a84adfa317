// SPDX-License-Identifier: Apache-2.0
/** `multipath socks`: a proxy for the programs of this machine; what they ask for is dialled at the other end. */
import type { Socket } from 'node:net'
import { Command, Option } from 'commander'
import type { CliIo } from '../cli-io.js'
import type { MuxStream } from '../../mux/index.js'
import type { Counted } from '../live/open-streams.js'
import type { HostPort } from '../parse.js'
import { formatHostPort } from '../parse.js'
import { ClientPart } from './client-part.js'
import { collect } from './common-options.js'
import type { ClientFlags } from './dial-session.js'
import { CLIENT_OPTIONS, PATH_SYNTAX } from './dial-session.js'
import { isLoopback, parseHost } from './host.js'
import { HttpForward } from './http-forward.js'
import { KnownTargets } from './known-targets.js'
import { parseBind } from './parse-places.js'
import { openTarget } from './open-target.js'
import { runAlone } from './part.js'
import { passOn } from './pass-on.js'
import type { CheckLogin, ProxyRequest } from './proxy-handshake.js'
import { ProxyRefusal } from './proxy-handshake.js'
import { ProxyReader } from './proxy-reader.js'
import type { ClientContext, LocalPort } from './run-client.js'
import { loadLogins, LOGIN_VARIABLE } from './secrets.js'
import { dismiss } from './splice.js'
import { ownStage } from './stage.js'
import { takeSome } from './take-bytes.js'
import { usage } from './usage.js'
import { associate } from '../udp/associate.js'

/** Which clients are told that they are connected before anybody knows. */
type Early = 'never' | 'known' | 'always'

export interface SocksFlags extends ClientFlags {
  readonly listen?: readonly HostPort[]
  readonly loginFile?: string
  readonly insecure?: true
  readonly early: Early
}

/** A client has so long for its handshake, and to read a refusal, milliseconds. */
const HANDSHAKE_MS = 10_000
const LAST_WORDS_MS = 2000
const DEFAULT_PORT = 1080
const CONNECT = 'CONNECT '

export function socksCommand(io: CliIo): Command {
  const command = new Command('socks')
    .summary('run a SOCKS5 and HTTP proxy through multipath serve')
    .description(DESCRIPTION)
    .usage('[options] --to HOST:PORT... --listen [BIND:]PORT...')
  for (const option of SOCKS_OPTIONS()) command.addOption(option)
  return command.action((flags: SocksFlags) =>
    runAlone(socksPart(flags, io.env), ownStage('socks', flags, io)),
  )
}

/** @throws {CliError} EXIT_USAGE for flags that do not go together */
export function socksPart(flags: SocksFlags, env: CliIo['env']): ClientPart {
  const { listen = [{ host: '127.0.0.1', port: DEFAULT_PORT }] } = flags
  const login = loadLogins(flags.loginFile, env)
  const open = listen.find(({ host }) => !isLoopback(host))
  if (open !== undefined && login === undefined && !flags.insecure)
    throw usage(
      `${formatHostPort(open)} would be an open proxy: other machines can reach it without a login`,
      'give --login-file, or --insecure to allow this',
    )
  const forwards = { one: undefined }
  const manner = { login, early: flags.early, known: new KnownTargets(), forwards }
  const ports = listen.map((bind) => portOf(bind, manner))
  // Nothing has a reason to come from there.
  return new ClientPart(flags, { ports }, env)
}

const DESCRIPTION = [
  'A proxy for the programs of this machine. One port serves SOCKS5 (CONNECT and UDP ASSOCIATE, with names, IPv4 and IPv6), HTTP CONNECT, and plain HTTP requests with an absolute URI, distinguished by their first bytes. All traffic passes through one connection over several paths to multipath serve. serve looks up the names, and its --allow and --allow-socks decide which targets can be reached.',
  'While no path is up, a request waits for --wait seconds and is then refused. socks reconnects to serve as soon as possible.',
  PATH_SYNTAX,
].join('\n\n')

export const SOCKS_EXAMPLES: readonly string[] = [
  'multipath socks --to gw:7000 --to gw:7001 --listen 1080            # then: curl --proxy socks5h://127.0.0.1:1080 …',
  'HTTPS_PROXY=http://127.0.0.1:1080 npm install                      # the same port takes HTTP CONNECT',
  'http_proxy=http://127.0.0.1:1080 apt-get update                    # ... and plain HTTP requests',
  'multipath socks --to gw:7000 --listen 0.0.0.0:1080 --login-file proxy.logins  # for other machines as well',
]

export const SOCKS_OPTIONS = (): Option[] => [
  new Option(
    '--listen <[bind:]port>',
    `address to listen on, on loopback unless BIND is given (default: ${DEFAULT_PORT}); may be repeated`,
  ).argParser(collect(parseBind)),
  new Option(
    '--login-file <file>',
    `file with the users of the proxy, user:password on each line (default: the environment variable ${LOGIN_VARIABLE})`,
  ),
  new Option('--insecure', 'listen on addresses other than loopback without a login'),
  new Option(
    '--early <targets>',
    'targets for which clients get a success reply before serve has connected: this saves a round trip, but a later failure is a reset without a reason. known: targets reached within the last minute',
  )
    .choices(['known', 'always', 'never'])
    .default('known'),
  ...CLIENT_OPTIONS(),
]

interface Manner {
  readonly login: CheckLogin
  readonly early: Early
  readonly known: KnownTargets
  /** Made with the first plain request. */
  readonly forwards: { one: HttpForward | undefined }
}

function portOf(bind: HostPort, manner: Manner): LocalPort {
  return {
    bind,
    leadsTo: 'SOCKS5 and HTTP',
    serve: (socket, context) => serveClient(socket, manner, context),
  }
}

async function serveClient(socket: Socket, manner: Manner, context: ClientContext): Promise<void> {
  const client = formatHostPort({ host: socket.remoteAddress ?? '?', port: socket.remotePort ?? 0 })
  const { log } = context
  const reader = new ProxyReader(manner.login)
  let request: ProxyRequest
  try {
    const said = await firstWords(socket)
    if (isPlainHttp(said)) {
      await forwarder(manner, context).take(socket, said)
      return
    }
    request = await handshake(socket, reader, said)
  } catch (error) {
    log.warn('client-refused', `refused ${client}: ${(error as Error).message}`, { client })
    dismiss(socket, error instanceof ProxyRefusal ? error.answer : new Uint8Array(), LAST_WORDS_MS)
    return
  }
  if (request.associated === undefined)
    await lead({ socket, client, request, head: reader.rest }, manner, context)
  else await serveUdp({ socket, client, request }, request.associated, context)
}

/** A UDP port for the client. */
async function serveUdp(
  { socket, client, request }: Omit<Led, 'head'>,
  words: NonNullable<ProxyRequest['associated']>,
  context: ClientContext,
): Promise<void> {
  try {
    await associate({ socket, words }, context)
  } catch (error) {
    context.log.warn('client-refused', `refused ${client}: ${(error as Error).message}`, { client })
    dismiss(socket, request.answer('failed'), LAST_WORDS_MS)
  }
}

interface Led {
  readonly socket: Socket
  readonly client: string
  readonly request: ProxyRequest
  /** What has come behind the request. */
  readonly head: Buffer
}

async function lead(
  { socket, client, request, head }: Led,
  { early, known }: Manner,
  { keeper, log, streams }: ClientContext,
): Promise<void> {
  const host = parseHost(request.host)
  if (host === undefined || request.port === 0) {
    log.warn('client-refused', `refused ${client}: it requests an invalid address`, { client })
    dismiss(socket, request.answer('bad-request'), LAST_WORDS_MS)
    return
  }
  const target = formatHostPort({ host, port: request.port })
  await passOn({
    socket,
    onJoined: () => streams.add(target, socket),
    request: { kind: 'connect', host, port: request.port },
    head,
    open: async (signal) => (await keeper.session(signal)).open(),
    words: request.answer,
    isEarly: early === 'always' || (early === 'known' && known.has(target, performance.now())),
    onOutcome: (outcome) => {
      if (outcome === 'ok') known.reached(target, performance.now())
      else known.failed(target)
      if (outcome === 'ok') log.detail('stream', `${target}: open`, { target, outcome })
      else log.warn('refused', `${target}: ${outcome}`, { target, outcome, client })
    },
  })
}

/** Enough to tell CONNECT from other methods. @throws what `takeSome` throws */
async function firstWords(socket: Socket): Promise<Buffer> {
  const until = performance.now() + HANDSHAKE_MS
  let said: Buffer = Buffer.alloc(0)
  while (said.length === 0 || (said.length < CONNECT.length && CONNECT.startsWith(said.toString('latin1'))))
    said = Buffer.concat([
      said,
      await takeSome(socket, { timeoutMs: Math.max(0, until - performance.now()) }),
    ])
  return said
}

/** A method other than CONNECT. */
function isPlainHttp(said: Buffer): boolean {
  return /^[A-Z]/.test(said.toString('latin1', 0, 1)) && !said.toString('latin1').startsWith(CONNECT)
}

/** One for each command: it holds no socket that is not of this context. */
function forwarder(
  { login, forwards }: Manner,
  { keeper, log, streams, signal }: ClientContext,
): HttpForward {
  if (forwards.one !== undefined) return forwards.one
  const made = new HttpForward({
    login,
    open: async (place, left, { remoteAddress: client = '?' }) => {
      const target = formatHostPort(place)
      const request = { kind: 'connect', ...place } as const
      const found = await openTarget(async (wanted) => (await keeper.session(wanted)).open(), request, left)
      if (typeof found === 'string') {
        log.warn('refused', `${target}: ${found}`, { target, outcome: found, client })
        return found
      }
      log.detail('stream', `${target}: open`, { target, outcome: 'ok' })
      found.once('close', streams.add(target, otherEnd(found)))
      return found
    },
    onRefused: ({ remoteAddress: client = '?' }, reason) =>
      log.warn('client-refused', `refused ${client}: ${reason}`, { client }),
  })
  signal.addEventListener('abort', () => made.close())
  forwards.one = made
  return made
}

/** @throws {ProxyRefusal}; what `takeSome` throws */
async function handshake(socket: Socket, reader: ProxyReader, said: Buffer): Promise<ProxyRequest> {
  const until = performance.now() + HANDSHAKE_MS
  for (let chunk = said; ; ) {
    const answer = reader.push(chunk)
    if (answer.length > 0) socket.write(answer)
    if (reader.request !== undefined) return reader.request
    chunk = await takeSome(socket, { timeoutMs: Math.max(0, until - performance.now()) })
  }
}

/** The counts of a stream as the client's socket would have them. */
function otherEnd(stream: MuxStream): Counted {
  return {
    get bytesRead() {
      return stream.bytesWritten
    },
    get bytesWritten() {
      return stream.bytesRead
    },
  }
}

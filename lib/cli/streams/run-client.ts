// SPDX-License-Identifier: Apache-2.0
/** What forward, socks and run have in common: a session that is kept, ports on this side, and an end in good order. */
import { setMaxListeners } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { MuxSession } from '../../mux/index.js'
import { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import { offerCtl } from '../ctl/offer.js'
import { OpenStreams } from '../live/open-streams.js'
import { Registry } from '../live/registry.js'
import type { HostPort } from '../parse.js'
import { formatHostPort } from '../parse.js'
import type { ClientFlags } from './dial-session.js'
import { sessionDialer } from './dial-session.js'
import { drain } from './drain.js'
import { listenPort } from './listen-port.js'
import { Log } from './log.js'
import type { SessionDialer } from './session-dialer.js'
import { SessionKeeper } from './session-keeper.js'
import { cut } from './splice.js'
import { Tasks } from './tasks.js'
import type { FlowHub } from '../udp/flow-hub.js'

/** For those who serve sockets and sessions. */
export interface ClientContext {
  readonly keeper: SessionKeeper
  /** Packets of UDP on a session of the keeper. */
  readonly hubOf: (session: MuxSession) => FlowHub
  readonly tasks: Tasks
  readonly streams: OpenStreams
  readonly log: Log
  /** Aborted when the command ends. */
  readonly signal: AbortSignal
}

/** A port on this side. */
export interface LocalPort {
  readonly bind: HostPort
  /** For the log: what it leads to. */
  readonly leadsTo: string
  /** Resolves when the socket is closed; never rejects. */
  readonly serve: (socket: Socket, context: ClientContext) => Promise<void>
}

export interface ClientPlan {
  /** `forward`, `socks` or `run`. */
  readonly command: string
  readonly ports: readonly LocalPort[]
  /** Opens what is no port of TCP. @returns what closes it. It may throw a CliError */
  readonly openMore?: (context: ClientContext) => Promise<() => void>
  /** Told of each session; `fail` ends the command. Without it, the other end may open no streams. */
  readonly onSession?: (session: MuxSession, context: ClientContext, fail: (error: CliError) => void) => void
}

/** What a command works with while it keeps a session. */
export interface Client extends ClientContext {
  /** Serves a connection that has come to a port. */
  readonly take: (port: Pick<LocalPort, 'serve'>, socket: Socket) => void
  /** Cuts all connections that it serves. */
  readonly cutAll: () => void
}

/** Runs until a signal, or until the other end says that it never will. @throws {CliError} */
export async function runClient(flags: ClientFlags, plan: ClientPlan, io: CliIo): Promise<void> {
  const log = new Log(io, { isJson: flags.json ?? false, isVerbose: flags.verbose ?? false })
  const life = new AbortController()
  const stop = (): void => life.abort(io.signal.reason)
  io.signal.addEventListener('abort', stop)
  if (io.signal.aborted) stop()
  const servers: Server[] = []
  let closeMore = (): void => {}
  try {
    await withClient(flags, plan, { io, log, life }, async (client) => {
      const { keeper, tasks, take } = client
      for (const port of plan.ports)
        servers.push(await listenLocally(port, (socket) => take(port, socket), flags.maxStreams, log))
      if (plan.openMore !== undefined) closeMore = await plan.openMore(client)
      await keeper.run(life.signal)
      closeMore()
      if (life.signal.reason !== io.signal.reason) throw life.signal.reason
      const reason = io.signal.reason as CliError
      await drain({ reason, servers, tasks, sessions: keeper, timeoutMs: flags.drain, log })
    })
  } finally {
    for (const server of servers) server.close()
    closeMore()
    io.signal.removeEventListener('abort', stop)
  }
}

export interface ClientLife {
  readonly io: CliIo
  readonly log: Log
  /** Its signal is that of the context. */
  readonly life: AbortController
}

/** Does `work` with a session that is kept as soon as `work` runs its keeper. Nothing is left of it. @throws {CliError} */
export async function withClient<Result>(
  flags: ClientFlags,
  { command, onSession }: Pick<ClientPlan, 'command' | 'onSession'>,
  { io, log, life }: ClientLife,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const { signal } = life
  // Each --remote listens to it.
  setMaxListeners(0, signal)
  const sockets = new Set<Socket>()
  const cutAll = (): void => {
    for (const socket of sockets) cut(socket)
  }
  const tasks = new Tasks()
  const [registry, streams] = [new Registry(flags.scheduler), new OpenStreams()]
  let closeCtl = (): void => {}
  let sessions: SessionKeeper | undefined
  try {
    const opener = sessionDialer(flags, onSession === undefined ? 0 : flags.maxStreams, { io, log, registry })
    const { dialer, pathsOf, hubOf } = opener
    closeCtl = await offerCtl(flags, { command, registry, log, streams, dialer, pathsOf }, io)
    const keeper: SessionKeeper = keeperOf(flags, opener, log, (session) =>
      onSession?.(session, context, (error) => life.abort(error)),
    )
    sessions = keeper
    const context: ClientContext = { keeper, hubOf, tasks, streams, log, signal }
    const take: Client['take'] = (port, socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      tasks.add(port.serve(socket, context))
    }
    return await work({ ...context, take, cutAll })
  } catch (error) {
    throw log.final(error)
  } finally {
    closeCtl()
    sessions?.destroy()
    cutAll()
  }
}

function keeperOf(
  flags: ClientFlags,
  { open, summaryOf }: SessionDialer,
  log: Log,
  onSession: (session: MuxSession) => void,
): SessionKeeper {
  return new SessionKeeper({
    ...{ open, summaryOf, onSession, log },
    isOnce: flags.once ?? false,
    waitMs: flags.wait,
    maxWaiting: flags.maxStreams,
  })
}

/** @throws {CliError} */
export async function listenLocally(
  { bind, leadsTo }: LocalPort,
  serve: (socket: Socket) => void,
  maxConnections: number,
  log: Log,
): Promise<Server> {
  let server: Server
  try {
    server = await listenPort({ bind, maxConnections, serve, log })
  } catch (error) {
    throw new CliError(`cannot listen on ${formatHostPort(bind)}: ${(error as Error).message}`, {
      cause: error,
      hint: 'check that no other program uses the port',
    })
  }
  const { address, port } = server.address() as AddressInfo
  const place = formatHostPort({ host: address, port })
  log.info('listening', `listening on ${place} for ${leadsTo}`, { place })
  return server
}

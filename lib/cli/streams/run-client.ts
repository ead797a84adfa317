// SPDX-License-Identifier: Apache-2.0
/** What forward, socks and run have in common: a session that is kept, ports on this side, and an end in good order. */
import { setMaxListeners } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { MuxSession } from '../../mux/index.js'
import { CliError } from '../cli-error.js'
import { OpenStreams } from '../live/open-streams.js'
import { Registry } from '../live/registry.js'
import type { HostPort } from '../parse.js'
import { formatHostPort } from '../parse.js'
import type { ClientFlags, SessionPlan } from './dial-session.js'
import { sessionDialer } from './dial-session.js'
import { listenPort } from './listen-port.js'
import type { Log } from './log.js'
import type { SessionDialer } from './session-dialer.js'
import { SessionKeeper } from './session-keeper.js'
import { cut } from './splice.js'
import type { Stage } from './stage.js'
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
  readonly ports: readonly LocalPort[]
  /** What is no port of TCP. */
  readonly more?: {
    /** Differs where something else would be opened. */
    readonly key: string
    /** @returns what closes it. It may throw a CliError */
    readonly open: (client: Client) => Promise<() => void>
  }
  /** Told of each session; `fail` ends the command. Without it, the other end may open no streams. */
  readonly onSession?: (session: MuxSession, context: ClientContext, fail: (error: CliError) => void) => void
}

/** What a command works with while it keeps a session. */
export interface Client extends ClientContext {
  readonly opener: SessionDialer
  /** Serves a connection that has come to a port. */
  readonly take: (port: Pick<LocalPort, 'serve'>, socket: Socket) => void
  /** Cuts all connections that it serves. */
  readonly cutAll: () => void
}

export interface ClientLife {
  readonly stage: Stage
  /** Its signal is that of the context. */
  readonly life: AbortController
  /** The flags, checked beforehand. */
  readonly checked?: SessionPlan | undefined
}

/** Does `work` with a session that is kept as soon as `work` runs its keeper. Nothing is left of it. @throws {CliError} */
export async function withClient<Result>(
  flags: ClientFlags,
  { onSession }: Pick<ClientPlan, 'onSession'>,
  { stage: { io, log, offer }, life, checked }: ClientLife,
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
  let closeOffer = (): void => {}
  let sessions: SessionKeeper | undefined
  try {
    const maxStreams = onSession === undefined ? 0 : flags.maxStreams
    const opener = sessionDialer(flags, maxStreams, { io, log, registry, checked })
    const { dialer, pathsOf, hubOf } = opener
    closeOffer = await offer({ registry, streams, dialer, pathsOf })
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
    return await work({ ...context, opener, take, cutAll })
  } catch (error) {
    throw log.final(error)
  } finally {
    closeOffer()
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

/** @param handle - a socket that listens there already. @throws {CliError} */
export async function listenLocally(
  { bind, leadsTo }: LocalPort,
  serve: (socket: Socket) => void,
  maxConnections: number,
  log: Log,
  handle?: Socket,
): Promise<Server> {
  let server: Server
  try {
    server = await listenPort({ bind, handle, maxConnections, serve, log })
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

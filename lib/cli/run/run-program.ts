// SPDX-License-Identifier: Apache-2.0
/** A program in its namespace, the session that its connections share, and the end of both. */
import type { Server, Socket } from 'node:net'
import { constants } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import { ignore } from '../../ignore.js'
import { CliError } from '../cli-error.js'
import type { CliIo } from '../cli-io.js'
import type { HostPort } from '../parse.js'
import { formatHostPort } from '../parse.js'
import type { ClientFlags } from '../streams/dial-session.js'
import { lastWords } from '../streams/drain.js'
import { listenPort } from '../streams/listen-port.js'
import { orAborted } from '../streams/or-aborted.js'
import { passOn } from '../streams/pass-on.js'
import type { Client, ClientContext, LocalPort } from '../streams/run-client.js'
import { listenLocally, withClient } from '../streams/run-client.js'
import { cut, Splice } from '../streams/splice.js'
import { ownStage } from '../streams/stage.js'
import { Tasks } from '../streams/tasks.js'
import type { Namespace, ProgramEnd } from './namespace.js'
import { ProgramFlows } from './program-flows.js'
import type { Settleable } from './settleable.js'
import { settleable } from './settleable.js'

export interface RunPlan {
  readonly program: readonly string[]
  /** Ports of the program that are open on this machine as well. */
  readonly publish: readonly HostPort[]
}

/** What runs while the program does. */
interface Running {
  readonly namespace: Namespace
  readonly servers: Server[]
  /** UDP of the program. */
  flows?: ProgramFlows
  /** Connections of which something may have to be passed on. */
  readonly unsaid: Tasks
}

/** @returns the exit code of the program. @throws {CliError} */
export async function runProgram(plan: RunPlan, flags: ClientFlags, io: CliIo): Promise<number> {
  if (process.platform !== 'linux')
    throw new CliError('run needs the network namespaces of Linux', { hint: 'use multipath socks' })
  const stage = ownStage('run', flags, io, { isTerse: true })
  const { log } = stage
  const life = new AbortController()
  const running: Running = { namespace: io.namespace(), servers: [], unsaid: new Tasks() }
  try {
    return await withClient(flags, {}, { stage, life }, async (client) => {
      // A program whose namespace is ready starts first: dialling would delay it.
      const session = setImmediate().then(() => client.keeper.run(life.signal))
      session.catch(ignore)
      await open(plan, flags, { running, client, io })
      io.lend((name) => running.namespace.signal(name))
      running.namespace.start(plan.program)
      const exitCode = exitCodeOf(await endOf(running.namespace, session))
      log.info('program-end', `the program has ended with ${exitCode}`, { exitCode })
      await finish(running, client, flags)
      life.abort()
      await lastWords(client.keeper.close())
      log.close()
      return exitCode
    })
  } finally {
    life.abort()
    running.flows?.close()
    running.namespace.close()
    for (const server of running.servers) server.close()
  }
}

interface OpenInit {
  readonly running: Running
  readonly client: Client
  readonly io: CliIo
}

/** Opens the ports of both sides. @throws {CliError} */
async function open(
  { publish }: RunPlan,
  { maxStreams }: ClientFlags,
  { running, client, io }: OpenInit,
): Promise<void> {
  const { namespace, servers, unsaid } = running
  const { log, take } = client
  const flows = new ProgramFlows(client, (address) => namespace.udpClosed(address))
  namespace.onUdp = flows
  running.flows = flows
  for (const bind of publish) {
    const port = publishedPort(bind, namespace, unsaid)
    servers.push(await listenLocally(port, (socket) => take(port, socket), maxStreams, log))
  }
  const bind = await orAborted(namespace.server, io.signal)
  const serve = (socket: Socket): void =>
    take({ serve: (one, context) => lead(one, running, context) }, socket)
  servers.push(await listenPort({ bind, maxConnections: maxStreams, serve, log }))
}

/** @throws {CliError} where there can be no session; the program has ended then as well */
async function endOf(namespace: Namespace, session: Promise<void>): Promise<ProgramEnd> {
  try {
    return await Promise.race([namespace.ended, session.then(() => namespace.ended)])
  } catch (error) {
    namespace.signal('SIGTERM')
    await namespace.ended.catch(ignore)
    throw error
  }
}

/** A connection of the program. */
async function lead(
  socket: Socket,
  { namespace, unsaid }: Running,
  { keeper, log, streams }: ClientContext,
): Promise<void> {
  const said: Settleable = settleable()
  unsaid.add(said.promise)
  socket.once('close', said.resolve)
  const destination = await namespace.destinationOf({
    clientAddress: socket.remoteAddress ?? '',
    clientPort: socket.remotePort ?? 0,
    serverAddress: socket.localAddress ?? '',
  })
  if (destination === undefined || socket.destroyed) {
    cut(socket)
    return
  }
  const target = formatHostPort(destination)
  await passOn({
    socket,
    request: { kind: 'connect', ...destination },
    open: async (signal) => {
      const stream = (await keeper.session(signal)).open()
      stream.once('finish', said.resolve)
      return stream
    },
    onJoined: () => streams.add(target, socket),
    onOutcome: (outcome) => {
      if (outcome === 'ok') log.detail('stream', `${target}: open`, { target, outcome })
      else log.warn('refused', `${target}: ${outcome}`, { target, outcome })
    },
  })
}

/** A port here whose connections are led to the same port inside. */
function publishedPort(bind: HostPort, namespace: Namespace, unsaid: Tasks): LocalPort {
  const join = async (socket: Socket): Promise<void> => {
    const inner = await namespace.connect(bind.port)
    if (inner === undefined || socket.destroyed) {
      for (const one of [inner, socket]) if (one !== undefined) cut(one)
      return
    }
    const splice = new Splice(socket, inner)
    splice.lead()
    await splice.join()
  }
  return {
    bind,
    leadsTo: 'the program',
    serve: async (socket) => {
      const joined = join(socket)
      unsaid.add(joined)
      await joined
    },
  }
}

/** What the program has sent is passed on, even if it has ended; what others began in its namespace may end. */
async function finish(
  { servers, unsaid, flows }: Running,
  { cutAll, log }: Client,
  { drain }: ClientFlags,
): Promise<void> {
  const left = await unsaid.idle(drain)
  if (left > 0) log.warn('draining', `the program has ended, and ${left} of its connections were cut short`)
  for (const server of servers) server.close()
  flows?.close()
  cutAll()
}

function exitCodeOf({ code, signal }: ProgramEnd): number {
  return code ?? 128 + constants.signals[signal!]
}

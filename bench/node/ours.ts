// SPDX-License-Identifier: Apache-2.0
/** Connections of the library under test. */
import { once } from 'node:events'
import { Server as HttpServer } from 'node:http'
import { Server as HttpsServer } from 'node:https'
import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'
import type { PathPolicy, SchedulerName, SubflowDialer, SubflowServer } from 'multipath-net'
import {
  MultipathDialer,
  MultipathListener,
  NullTracker,
  tcpDialer,
  tlsDialer,
  webSocketDialer,
  webSocketServer,
} from 'multipath-net'
import { MuxSession } from 'multipath-net/mux'
import type { BenchDialer } from './endpoints.js'
import type { Carrier, PathAddress, WorkerOptions } from './options.js'

export function multipathDialers(options: WorkerOptions): BenchDialer[] {
  const { paths, policies, trace } = options
  const dialer = new MultipathDialer(
    'bench',
    paths.map((path, i) => pathOver(options.over, path, policies[i])),
    { ...schedulerOf(options), ...(trace === '' ? {} : { trace }) },
  )
  const dial = options.mux ? streamsOver(dialer) : () => dialer.dial()
  return [{ dial, stats: () => dialer.stats() }]
}

/** Opens streams over one connection, which the first one dials. */
function streamsOver(dialer: MultipathDialer): () => Promise<Duplex> {
  let session: Promise<MuxSession> | undefined
  return async () => {
    session ??= dialer.dial().then((conn) => new MuxSession(conn, { role: 'client' }))
    const stream = (await session).open()
    await once(stream, 'connect')
    return stream
  }
}

function pathOver(over: Carrier, path: PathAddress, policy?: PathPolicy): SubflowDialer {
  if (over === 'tls') return tlsDialer({ ...path, ...policy, rejectUnauthorized: false })
  if (over === 'tcp') return tcpDialer({ ...path, ...policy })
  const url = `${over}://${path.host}:${path.port}/`
  return webSocketDialer({ ...policy, url, rejectUnauthorized: false })
}

/** Accepts for as long as the process lives. */
export async function acceptMultipath(
  servers: readonly Server[],
  options: WorkerOptions,
  accepted: (conn: Duplex) => void,
): Promise<void> {
  const trackers = servers.map(() => new NullTracker())
  const accepting: readonly SubflowServer[] = options.over.startsWith('ws')
    ? await Promise.all(servers.map(webSocketsOf))
    : servers
  const listener = new MultipathListener(accepting, trackers, schedulerOf(options))
  for await (const conn of listener) {
    if (options.mux) new MuxSession(conn, { role: 'server' }).on('stream', accepted)
    else accepted(conn)
  }
}

function webSocketsOf(server: Server): Promise<SubflowServer> {
  if (!(server instanceof HttpServer || server instanceof HttpsServer))
    throw new TypeError('WebSockets come over HTTP')
  return webSocketServer({ server })
}

/** A name that is none ends the worker with the library's own words. */
function schedulerOf({ scheduler }: WorkerOptions): { readonly scheduler?: SchedulerName } {
  return scheduler === '' ? {} : { scheduler: scheduler as SchedulerName }
}

// SPDX-License-Identifier: Apache-2.0
/** The two kinds of connection under test behind one shape: this library's and node:net's. */
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import type { PathAddress, WorkerOptions } from './options.js'

/** Opens one connection. */
export interface BenchDialer {
  dial(): Promise<Duplex>
  /** Counters of each path, where the kind has any. */
  stats(): unknown
}

/** One dialer over all paths, or a plain one for each path. */
export async function dialers(options: WorkerOptions): Promise<BenchDialer[]> {
  if (options.kind === 'plain') return options.paths.map(plainDialer)
  // Only on demand, so that plain workers run without a built library.
  const { multipathDialers } = await import('./ours.js')
  return multipathDialers(options)
}

function plainDialer(path: PathAddress): BenchDialer {
  const dial = async (): Promise<Duplex> => {
    const socket = connect({ ...path, noDelay: true })
    await once(socket, 'connect')
    return socket
  }
  return { dial, stats: () => undefined }
}

/** Listens on every address and hands over each connection; gives the addresses with their ports. */
export async function listen(options: WorkerOptions, accepted: (conn: Duplex) => void): Promise<string[]> {
  const servers = options.paths.map(() => serverOver(options))
  if (options.kind === 'plain') {
    for (const server of servers) server.on('connection', accepted)
  } else {
    const { acceptMultipath } = await import('./ours.js')
    void acceptMultipath(servers, options, accepted)
  }
  await Promise.all(options.paths.map((path, i) => open(servers[i] as Server, path)))
  return servers.map((server) => {
    const { address, port } = server.address() as AddressInfo
    return `${address}:${port}`
  })
}

function serverOver({ over, cert, key }: WorkerOptions): Server {
  if (over === 'tls') return createTlsServer({ cert, key, noDelay: true })
  if (over === 'wss') return createHttpsServer({ cert, key, noDelay: true })
  return over === 'ws' ? createHttpServer() : createServer({ noDelay: true })
}

async function open(server: Server, path: PathAddress): Promise<void> {
  server.listen({ host: path.host, port: path.port, backlog: 4096 })
  await once(server, 'listening')
}

/** The address by which a connection came in, which tells plain connections over different paths apart. */
export function localAddressOf(conn: Duplex): string {
  const { localAddress, localPort } = conn as Partial<Pick<Socket, 'localAddress' | 'localPort'>>
  return `${localAddress ?? ''}:${localPort ?? ''}`
}

// SPDX-License-Identifier: Apache-2.0
/** The attacks of spec/support/attacks.ts on a bare `MultipathListener`. */
import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import { createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { MultipathDialer, MultipathListener, tcpDialer, tlsDialer } from 'multipath-net'
import { ATTACKS, attack, TLS_ATTACKS } from '../../../spec/support/attacks.js'
import { CERTIFICATE } from '../../../spec/support/certificate.js'
import type { AttackCase } from '../attack-case.js'
import { FRIEND_ADDRESS } from '../attack-case.js'
import { LIMITS } from '../echo-listener.js'

/** Attacks by the number of sockets; the others send all that they can. */
const BY_NUMBER: readonly string[] = ['slowloris', 'random-cids', ...TLS_ATTACKS]

async function listening(isTls: boolean): Promise<Server> {
  const server = isTls ? createTlsServer(CERTIFICATE) : createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

async function serve(isTls: boolean): Promise<number> {
  const server = await listening(isTls)
  const listener = new MultipathListener([server], [], LIMITS)
  void (async () => {
    for await (const conn of listener) {
      conn.on('error', () => {})
      conn.pipe(conn)
    }
  })()
  return portOf(server)
}

async function sink(isTls: boolean): Promise<number> {
  const server = await listening(isTls)
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    if (!isTls) socket.resume()
  })
  server.on('tlsClientError', () => {})
  return portOf(server)
}

function listenerCase(name: string): AttackCase {
  const isTls = TLS_ATTACKS.includes(name)
  return {
    sockets: BY_NUMBER.includes(name) ? 10_000 : 100,
    budgetMiB: 384,
    messageBytes: 16_384,
    serve: () => serve(isTls),
    sink: () => sink(isTls),
    befriend: (port) => {
      const place = { host: '127.0.0.1', port, localAddress: FRIEND_ADDRESS }
      const path = isTls ? tlsDialer({ ...place, rejectUnauthorized: false }) : tcpDialer(place)
      return new MultipathDialer('friend', [path]).dial()
    },
    attack: (port, sockets) => attack(name, { port, sockets, everyMs: 1000 }),
  }
}

export const LISTENER_CASES: Readonly<Record<string, AttackCase>> = Object.fromEntries(
  Object.keys(ATTACKS).map((name) => [name, listenerCase(name)]),
)

// SPDX-License-Identifier: Apache-2.0
/** Real servers on loopback, closed when the spec is over. */
import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { onTestFinished } from 'vitest'
import type { SubflowDialer } from '../../lib/index.js'
import { tcpDialer } from '../../lib/index.js'

/** A server on a port that the system chose. */
export async function listening<Kind extends Server = Server>(
  server: Kind = createServer() as Kind,
): Promise<Kind> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    if (server.listening) server.close()
  })
  return server
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** A path to `server`. */
export function pathTo(server: Server, label?: string): SubflowDialer {
  return tcpDialer({ host: '127.0.0.1', port: portOf(server), ...(label !== undefined && { label }) })
}

/** A bare TCP client, for saying what no dialer of ours would. */
export async function client(server: Server): Promise<Socket> {
  const socket = connect(portOf(server), '127.0.0.1')
  socket.on('error', () => {})
  onTestFinished(() => {
    socket.destroy()
  })
  await once(socket, 'connect')
  return socket
}

/** All that `socket` brings until it is closed, by whatever means. */
export function heardUntilClose(socket: Socket): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.once('close', () => {
      resolve(Buffer.concat(chunks))
    })
  })
}

// SPDX-License-Identifier: Apache-2.0
import type { RemoteInfo, Socket, SocketOptions } from 'node:dgram'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { ignore } from '../../ignore.js'

/**
 * A UDP socket at a port, of every address unless `host` is given. A later error, such as that of an answer to a program that has gone,
 * counts as the loss of a packet.
 *
 * @throws the error of the system: then no socket is left
 */
export async function boundSocket(options: SocketOptions, port: number, host?: string): Promise<Socket> {
  const socket = createSocket(options)
  try {
    socket.bind(port, host)
    await once(socket, 'listening')
  } catch (error) {
    socket.on('error', ignore).close()
    throw error
  }
  return socket.on('error', ignore)
}

/** What may wait in this process for room in the kernel's queue, bytes. */
const MAX_QUEUED_BYTES = 1_048_576

/** Sends a packet, to the place that a connected socket has or to `to`. Where too many wait, it is lost, as on any full link. */
export function sendPacket(
  socket: Socket,
  packet: Uint8Array,
  to?: Pick<RemoteInfo, 'address' | 'port'>,
): void {
  if (socket.getSendQueueSize() > MAX_QUEUED_BYTES) return
  if (to === undefined) socket.send(packet, ignore)
  else socket.send(packet, to.port, to.address, ignore)
}

/** Hears what can be answered. A packet from port 0 cannot be (RFC 768 lets a sender leave its port out), and Node throws at the attempt. */
export function onPacket(socket: Socket, listener: (packet: Buffer, from: RemoteInfo) => void): void {
  socket.on('message', (packet, from) => {
    if (from.port !== 0) listener(packet, from)
  })
}

// SPDX-License-Identifier: Apache-2.0
import type { Socket, SocketOptions } from 'node:dgram'
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

// SPDX-License-Identifier: Apache-2.0
/** A listener that sends a friend's bytes back, and sockets that come again and again. For cases of attacks. */
import { once } from 'node:events'
import type { AddressInfo, NetConnectOpts, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import type { ListenerOptions, MultipathConn } from 'multipath-net'
import { MultipathDialer, MultipathListener, tcpDialer } from 'multipath-net'
import { FRIEND_ADDRESS } from './attack-case.js'

export const OPENING: Buffer = Buffer.alloc(17)
const PONG = Buffer.of(0, 1)
/** A message of the friend, bytes. */
export const MESSAGE_BYTES = 64
const MIB = 1_048_576
/** 128 connections of at most 2 MiB, beside the 100 MiB of the process: a budget of 384 MiB. */
export const LIMITS: ListenerOptions = {
  maxConnections: 128,
  maxUnackedBytes: MIB / 2,
  sendBufferBytes: MIB / 4,
  maxUnreadBytes: MIB / 2,
  maxReorderBytes: MIB / 2,
  lingerMs: 2000,
}

/**
 * @param isBroken - whether an attack has reached what it must not: then nothing is sent back any more, which shows
 * @returns the port
 */
export async function serveEcho(
  options: ListenerOptions,
  isBroken: (conn: MultipathConn) => boolean = () => false,
): Promise<number> {
  const server = createServer()
  server.listen(0, '0.0.0.0')
  await once(server, 'listening')
  const listener = new MultipathListener([server], [], { ...LIMITS, ...options })
  void (async () => {
    for await (const conn of listener) {
      conn.on('error', () => {})
      conn.on('data', (chunk: Buffer) => {
        if (!isBroken(conn)) conn.write(chunk)
      })
      conn.once('end', () => conn.end())
    }
  })()
  return (server.address() as AddressInfo).port
}

export function befriend(port: number): Promise<MultipathConn> {
  const path = tcpDialer({ host: '127.0.0.1', port, localAddress: FRIEND_ADDRESS })
  return new MultipathDialer('friend', [path]).dial()
}

/** Opens a connection by hand, and keeps it up by a pong to whatever comes. @returns the hello to join it with */
export async function open(port: number): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(OPENING)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.write(PONG)
  socket.on('data', () => socket.write(PONG))
  return answer.subarray(0, 17)
}

/** Keeps so many sockets up: each that is closed is followed by another. `say` is called once one stands. */
export function flood(place: NetConnectOpts, sockets: number, say: (socket: Socket) => void): void {
  const next = (): void => {
    const socket = connect(place)
    socket.on('error', () => {})
    socket.once('connect', () => say(socket.resume()))
    socket.once('close', () => setImmediate(next))
  }
  for (let n = 0; n < sockets; n++) next()
}

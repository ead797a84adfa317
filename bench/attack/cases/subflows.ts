// SPDX-License-Identifier: Apache-2.0
/** Attacks by one client with as many subflows on each connection as it may have. */
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { MultipathDialer, MultipathListener, tcpDialer } from 'multipath-net'
import type { AttackCase } from '../attack-case.js'
import { FRIEND_ADDRESS } from '../attack-case.js'

const HELLO_BYTES = 17
const SUBFLOWS = 64
const LIMITS = {
  maxUnackedBytes: 65_536,
  sendBufferBytes: 65_536,
  maxUnreadBytes: 65_536,
  maxReorderBytes: 65_536,
  lingerMs: 2000,
}
const CAPABLE = Buffer.of(0, 2)
/** 16,384 bytes as frame 10. */
const FIRST_FRAME = Buffer.concat([Buffer.of(0x80, 0, 0x40, 0, 10), Buffer.alloc(16_384)])
/** Frame 10 again, with one byte of it. */
const SMALL_COPY = Buffer.of(1, 10, 0)
/** Frame 10 of 1 MiB, without its last byte. */
const UNFINISHED = Buffer.concat([Buffer.of(0x80, 0x10, 0, 0, 10), Buffer.alloc(1_048_575)])

async function opened(port: number, hello: Buffer): Promise<[socket: Socket, cid: Buffer]> {
  const socket = connect(port, '127.0.0.1').setNoDelay()
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(hello)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.resume()
  return [socket, answer.subarray(1, HELLO_BYTES)]
}

/** The sockets of one connection; all that comes is read, and none of it acked. */
async function connection(port: number): Promise<Socket[]> {
  const [first, cid] = await opened(port, Buffer.alloc(HELLO_BYTES))
  const join = Buffer.concat([Buffer.alloc(1), cid])
  const sockets = [first]
  // One after the other: a listener takes so many joins at once.
  while (sockets.length < SUBFLOWS) sockets.push((await opened(port, join))[0])
  for (const socket of sockets) socket.write(CAPABLE)
  return sockets
}

function every(ms: number, run: () => void): void {
  setInterval(run, ms)
}

/** Nothing of the echo is acked, so that the victim's reader stops; then a copy of three bytes now and then. */
async function amplifyHolds(port: number, count: number): Promise<void> {
  for (let n = 0; n < count / SUBFLOWS; n++) {
    const sockets = await connection(port)
    const frame = Buffer.from(FIRST_FRAME)
    for (let fn = 10; fn < 40; fn++) {
      frame[4] = fn
      sockets[0]!.write(frame)
    }
    let turn = 0
    every(1, () => {
      for (let step = 0; step < 8; step++) sockets[turn++ % SUBFLOWS]!.write(SMALL_COPY)
    })
  }
}

async function beginFrames(port: number, count: number): Promise<void> {
  for (let n = 0; n < count / SUBFLOWS; n++)
    for (const socket of await connection(port)) socket.write(UNFINISHED)
}

async function serve(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const listener = new MultipathListener([server], [], LIMITS)
  void (async () => {
    for await (const conn of listener) {
      conn.on('error', () => {})
      conn.pipe(conn)
    }
  })()
  return (server.address() as AddressInfo).port
}

function subflowCase(
  sockets: number,
  budgetMiB: number,
  attack: (port: number, sockets: number) => Promise<void>,
): AttackCase {
  return {
    sockets,
    budgetMiB,
    messageBytes: 64,
    serve,
    befriend: (port) => {
      const path = tcpDialer({ host: '127.0.0.1', port, localAddress: FRIEND_ADDRESS })
      return new MultipathDialer('friend', [path]).dial()
    },
    attack,
  }
}

export const SUBFLOW_CASES: Readonly<Record<string, AttackCase>> = {
  'hold-amplification': subflowCase(SUBFLOWS, 200, amplifyHolds),
  /** Four connections: with a frame of 1 MiB on each subflow, 256 MiB. */
  'unfinished-frames': subflowCase(4 * SUBFLOWS, 200, beginFrames),
}

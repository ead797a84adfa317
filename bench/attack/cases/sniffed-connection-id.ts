// SPDX-License-Identifier: Apache-2.0
/**
 * A plain path is sniffed: the attacker has the connection ID of the friend and every byte that it has said, and joins over
 * and over, to put in bytes, to end the connection, or to take places. Nothing is sent back once a byte is not the friend's.
 */
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { json } from 'node:stream/consumers'
import { MultipathListener } from 'multipath-net'
import type { AttackCase } from '../attack-case.js'
import { FRIEND_ADDRESS } from '../attack-case.js'
import { befriend, flood, LIMITS, MESSAGE_BYTES } from '../echo-listener.js'

/** First byte of a stream of the attacker, which asks for what was sniffed. */
const ASK = 0x53
const ANNOUNCED = Buffer.of(0, 1, 0, 6, 0, 2, 0, 0)
/** Frame 10 of five bytes, an ack of frame 10, and a code that asks to send nothing. */
const DEEDS = [Buffer.of(5, 10, 69, 86, 73, 76, 33), Buffer.of(0, 10), Buffer.of(0, 4)]

interface Sniffed {
  readonly port: number
  readonly cid: string
  readonly said: string
}

/** @returns the port of a path that is sniffed */
async function serve(): Promise<number> {
  const server = createServer().listen(0, '0.0.0.0')
  await once(server, 'listening')
  const listener = new MultipathListener([server], [], LIMITS)
  void (async () => {
    for await (const conn of listener) {
      conn.on('error', () => {})
      conn.on('data', (chunk: Buffer) => {
        // The friend sends zeros.
        if (chunk.every((byte) => byte === 0)) conn.write(chunk)
      })
    }
  })()
  return sniffing((server.address() as AddressInfo).port)
}

async function sniffing(port: number): Promise<number> {
  let cid: Buffer = Buffer.alloc(0)
  let said: Buffer = Buffer.alloc(0)
  const path = createServer((near) => {
    near.setNoDelay().on('error', () => {})
    near.once('data', (first: Buffer) => {
      if (first[0] === ASK) {
        const sniffed: Sniffed = { port, cid: cid.toString('hex'), said: said.toString('hex') }
        near.end(JSON.stringify(sniffed))
        return
      }
      const far = connect({ port, host: '127.0.0.1', localAddress: FRIEND_ADDRESS })
      far.setNoDelay().on('error', () => {})
      far.once('data', (answer: Buffer) => (cid = answer.subarray(1, 17)))
      near.on('data', (chunk: Buffer) => {
        if (said.length < 65_536) said = Buffer.concat([said, chunk])
      })
      far.write(first)
      near.pipe(far).pipe(near)
    })
  }).listen(0, '0.0.0.0')
  await once(path, 'listening')
  return (path.address() as AddressInfo).port
}

async function sniffedOf(port: number): Promise<Sniffed> {
  const socket = connect(port, '127.0.0.1')
  socket.write(Buffer.of(ASK))
  return (await json(socket)) as Sniffed
}

export const SNIFFED_CONNECTION_ID: AttackCase = {
  sockets: 50,
  budgetMiB: 384,
  messageBytes: MESSAGE_BYTES,
  serve,
  befriend,
  attack: async (path, sockets) => {
    const { port, cid, said } = await sniffedOf(path)
    const hello = Buffer.concat([Buffer.of(0), Buffer.from(cid, 'hex')])
    const words = [...DEEDS.map((deed) => Buffer.concat([ANNOUNCED, deed])), Buffer.from(said, 'hex')]
    let turn = 0
    flood({ port, host: '127.0.0.1', localAddress: '127.0.0.3' }, sockets, (socket: Socket) => {
      socket.write(Buffer.concat([hello, words[turn++ % words.length]!]))
    })
  },
}

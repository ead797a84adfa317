// SPDX-License-Identifier: Apache-2.0
/** Hostile clients of a `webSocketServer`: raw sockets, as in attacks.ts. */
import type { Socket } from 'node:net'
import type { Behaviour } from './attacks.js'
import { HELLO, pour } from './attacks.js'
import { frameOf } from './websocket-frames.js'

const MASK = Buffer.of(1, 2, 3, 4)
const PIECE_BYTES = 65_536
const REQUEST =
  'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'

function many(...frames: readonly Buffer[]): Buffer {
  const once = Buffer.concat(frames)
  return Buffer.concat(Array<Buffer>(Math.ceil(PIECE_BYTES / once.length)).fill(once))
}

const PINGS = many(frameOf({ opcode: 9, mask: MASK }))
const LONG_PINGS = many(frameOf({ opcode: 9, mask: MASK, payload: Buffer.alloc(125) }))
const EMPTY = many(frameOf({ opcode: 2, mask: MASK }))
/** Pings of the protocol in WebSocket messages of a byte. */
const BYTES = many(frameOf({ opcode: 2, mask: MASK, payload: Buffer.alloc(1) }))
const PLAIN = many(Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'))

/** Asks for a WebSocket, and then pours `bytes`. */
function flood(bytes: Buffer, ...before: readonly Uint8Array[]): Behaviour {
  return (socket: Socket) => {
    socket.resume()
    socket.write(REQUEST)
    for (const one of before) socket.write(one)
    pour(socket, () => bytes)
  }
}

export const WEBSOCKET_ATTACKS: Readonly<Record<string, Behaviour>> = {
  'websocket-pings': flood(PINGS),
  'websocket-long-pings': flood(LONG_PINGS),
  /** Frames of no payload. */
  'websocket-empty': flood(EMPTY),
  'websocket-bytes': flood(BYTES, frameOf({ opcode: 2, mask: MASK, payload: HELLO })),
  /** No request ever comes. */
  'websocket-idle': () => {},
  /** Requests for something else, all in one. */
  'websocket-requests': (socket) => {
    socket.resume()
    pour(socket, () => PLAIN)
  },
}

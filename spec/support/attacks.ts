// SPDX-License-Identifier: Apache-2.0
/** Hostile clients of a listener: raw sockets, at whatever size. Specs run them small, `npm run attack` large. */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface AttackInit {
  readonly port: number
  /** Sockets at the same time. */
  readonly sockets: number
  /** New sockets, and bytes of the slow ones, each this many milliseconds: a tenth of the sockets, at least one. */
  readonly everyMs: number
  /** Where the attack is found. Default: ATTACKS. */
  readonly behaviours?: Readonly<Record<string, Behaviour>>
}

const HELLO_BYTES = 17
export const HELLO: Buffer = Buffer.alloc(HELLO_BYTES)
/** Of one of ours: its pong, and what it announces itself with. Without, some take no data of it. */
const ANNOUNCED = Buffer.concat([HELLO, Buffer.of(0, 1, 0, 2)])
const PAYLOAD = Buffer.alloc(16_384, 0x55)
/** Attacks on a listener over TLS. */
export const TLS_ATTACKS: readonly string[] = ['truncated-tls', 'tls-handshakes']
/** What resumes the next handshake. */
let ticket: Buffer | undefined
/** A ClientHello of 512 bytes that ends after its sixth. */
const CUT_CLIENT_HELLO = Buffer.from('160301020001', 'hex')

/** What one hostile socket does once it stands. */
export type Behaviour = (socket: Socket) => void

/** An integer in the four bytes of RFC 9000, section 16. */
function varint(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(0x80000000 + value)
  return bytes
}

function dataFrame(fn: number): Buffer {
  return Buffer.concat([varint(PAYLOAD.length), varint(fn), PAYLOAD])
}

/** Writes what `next` gives for as long as the socket takes it, and when it drains. */
export function pour(socket: Socket, next: () => Buffer | undefined): void {
  const more = (): void => {
    for (let bytes = next(); bytes !== undefined; bytes = next()) if (!socket.write(bytes)) return
  }
  socket.on('drain', more)
  more()
}

/** Frames from `from` on, `count` of them, once each. */
function framesFrom(from: number, count: number): () => Buffer | undefined {
  let fn = from
  return () => (fn < from + count ? dataFrame(fn++) : undefined)
}

const PINGS = Buffer.alloc(8192)

const FIRST_FRAME = 10
const REVERSED = 4000

function bytesInReverse(from: number): Buffer {
  const frames = Array.from({ length: REVERSED }, (_, n) => {
    return Buffer.concat([Buffer.of(1), varint(from + REVERSED - 1 - n), Buffer.of(0x55)])
  })
  return Buffer.concat(frames)
}

export const ATTACKS: Readonly<Record<string, Behaviour>> = {
  /** A byte of a hello now and then, never the last. */
  slowloris: (socket) => {
    let sent = 0
    const timer = setInterval(() => {
      if (sent++ < HELLO_BYTES - 1) socket.write(HELLO.subarray(0, 1))
    }, 500)
    socket.once('close', () => {
      clearInterval(timer)
    })
  },
  'random-cids': (socket) => {
    socket.resume()
    socket.write(Buffer.concat([Buffer.alloc(1), randomBytes(16)]))
  },
  /** Everything but the first frame. */
  'far-ahead': (socket) => {
    socket.resume()
    socket.write(HELLO)
    pour(socket, framesFrom(11, 4000))
  },
  pings: (socket) => {
    socket.resume()
    socket.write(HELLO)
    pour(socket, () => PINGS)
  },
  /** Nothing is ever read, not even what pongs there are. */
  'pings-unread': (socket) => {
    socket.write(HELLO)
    pour(socket, () => PINGS)
  },
  /** Has everything sent back and acks nothing; pings, so that it is no silent peer. */
  'never-acking': (socket) => {
    socket.resume()
    socket.write(HELLO)
    pour(socket, framesFrom(10, 4000))
  },
  'never-reading': (socket) => {
    socket.write(HELLO)
    pour(socket, framesFrom(10, 4000))
  },
  'announced-far-ahead': (socket) => {
    socket.resume()
    socket.write(ANNOUNCED)
    pour(socket, framesFrom(11, 4000))
  },
  'announced-never-reading': (socket) => {
    socket.write(ANNOUNCED)
    pour(socket, framesFrom(10, 4000))
  },
  /** Frames of a byte from the last to the first, as many at a time as are kept ahead of a missing one. */
  'reverse-bytes': (socket) => {
    socket.resume()
    socket.write(HELLO)
    let from = FIRST_FRAME
    pour(socket, () => bytesInReverse((from += REVERSED) - REVERSED))
  },
  'truncated-tls': (socket) => {
    socket.resume()
    socket.write(CUT_CLIENT_HELLO)
  },
  /** Handshakes that nothing follows, resumed by a ticket. */
  'tls-handshakes': (socket) => {
    const tls = connectTls({ socket, rejectUnauthorized: false, ...(ticket && { session: ticket }) })
    tls.on('error', () => socket.destroy())
    tls.on('session', (session) => {
      ticket = session
      socket.destroy()
    })
    tls.resume()
  },
}

/** Keeps as many hostile sockets up as there should be. @returns what ends all of them */
export function attack(
  name: string,
  { port, sockets, everyMs, behaviours = ATTACKS }: AttackInit,
): () => void {
  const behave = behaviours[name]
  if (behave === undefined)
    throw new Error(`no attack ${name}; there are ${Object.keys(behaviours).join(', ')}`)
  const open = new Set<Socket>()
  const step = Math.ceil(sockets / 10)
  const refill = (): void => {
    for (let n = 0; n < step && open.size < sockets; n++) {
      const socket = connect(port, '127.0.0.1')
      open.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => open.delete(socket))
      socket.once('connect', () => {
        behave(socket)
      })
    }
  }
  refill()
  const timer = setInterval(refill, everyMs)
  return () => {
    clearInterval(timer)
    for (const socket of open) socket.destroy()
  }
}

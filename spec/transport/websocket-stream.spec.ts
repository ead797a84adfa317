// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WebSocketStream } from '../../lib/transport/websocket-stream.js'
import { MemoryStream } from '../support/memory-path.js'
import { patternAt } from '../support/pattern.js'
import { quiet, until } from '../support/turns.js'
import { frameOf, framesIn } from '../support/websocket-frames.js'

const CLOSE_1000 = frameOf({ opcode: 8, payload: Uint8Array.of(3, 0xe8) })

/** The stream of a client, and the socket at the server's end of it. */
function client(): { stream: WebSocketStream; server: MemoryStream; heard: () => Buffer } {
  const [near, server] = MemoryStream.pair()
  const heard: Buffer[] = []
  server.on('error', () => {}).on('data', (bytes: Buffer) => heard.push(bytes))
  return { stream: new WebSocketStream(near, false), server, heard: () => Buffer.concat(heard) }
}

/** Codes of the close frames. */
function closeCodes(bytes: Buffer): number[] {
  const closes = framesIn(bytes).filter(({ opcode }) => opcode === 0x88)
  return closes.map(({ payload }) => payload.readUInt16BE(0))
}

describe('the end of a stream over a WebSocket', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  it('is one once both have sent a close frame and the socket has ended', async () => {
    const { stream, server, heard } = client()
    let hasEnded = false
    stream.on('end', () => (hasEnded = true)).resume()
    stream.end('x')
    await until(() => heard().length > 7)
    server.write(CLOSE_1000)
    await until(() => server.writableLength === 0)
    expect([hasEnded, closeCodes(heard())]).toEqual([false, [1000]])
    server.end()
    await until(() => stream.closed)
    expect([hasEnded, stream.errored]).toEqual([true, null])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('answers a close with the same code, once', async () => {
    const { stream, server, heard } = client()
    stream.resume()
    server.write(frameOf({ opcode: 8, payload: Uint8Array.of(3, 0xe9) }))
    await until(() => heard().length > 0)
    server.end()
    await until(() => stream.closed)
    expect([closeCodes(heard()), stream.errored]).toEqual([[1001], null])
  })

  it('is an error when the peer does not answer for 30 s', async () => {
    const { stream, heard } = client()
    stream.on('error', () => {}).resume()
    stream.end()
    await until(() => heard().length > 0)
    vi.advanceTimersByTime(29_999)
    expect(stream.destroyed).toBe(false)
    vi.advanceTimersByTime(1)
    await until(() => stream.closed)
    expect(stream.errored).toMatchObject({ code: 'ERR_MULTIPATH_CLOSED' })
  })

  it('lets one who broke the rules read why for a second, and takes nothing from it any more', async () => {
    const { stream, server, heard } = client()
    server.allowHalfOpen = true
    let bytes = 0
    stream.on('error', () => {}).on('data', ({ length }: Buffer) => (bytes += length))
    server.write(frameOf({ opcode: 3 }))
    server.write(frameOf({ opcode: 2, payload: Buffer.from('x') }))
    await until(() => heard().length > 0)
    expect(closeCodes(heard())).toEqual([1002])
    expect([stream.errored, bytes]).toMatchObject([{ code: 'ERR_MULTIPATH_FRAME' }, 0])
    vi.advanceTimersByTime(999)
    expect(server.peer.destroyed).toBe(false)
    vi.advanceTimersByTime(1)
    expect(server.peer.destroyed).toBe(true)
  })

  it('is none of an error where the peer has closed in order, whatever becomes of the socket', async () => {
    const { stream, server, heard } = client()
    stream.resume()
    server.write(CLOSE_1000)
    await until(() => heard().length > 0)
    server.cut()
    await until(() => stream.closed)
    expect([stream.readableEnded, stream.errored]).toEqual([true, null])
  })

  it('drops what is written once the peer has closed', async () => {
    const { stream, server, heard } = client()
    stream.resume()
    server.write(CLOSE_1000)
    await until(() => heard().length > 0)
    await new Promise((resolve, reject) => {
      stream.write('late', (error) => (error ? reject(error) : resolve(undefined)))
    })
    expect(framesIn(heard()).length).toBe(1)
  })
})

describe('a ping', () => {
  /** A socket of which nothing is read. */
  function unread(): { socket: Duplex; stream: WebSocketStream } {
    const socket = new Duplex({ read() {}, write() {}, writableHighWaterMark: 1 })
    const stream = new WebSocketStream(socket, false)
    stream.on('error', () => {}).resume()
    return { socket, stream }
  }

  it('is not answered while the peer reads nothing', async () => {
    const { socket } = unread()
    for (let n = 0; n < 20; n++) {
      socket.push(frameOf({ opcode: 9, payload: Buffer.from('there?') }))
      await quiet(2)
    }
    expect(socket.writableLength).toBe('there?'.length + 6)
  })

  it('or another frame without payload is too much after 256, if 16 a second are not enough', async () => {
    for (const opcode of [2, 9, 10]) {
      const { socket, stream } = unread()
      const frame = frameOf({ opcode, payload: Buffer.alloc(opcode === 2 ? 0 : 100) })
      socket.push(Buffer.concat(Array<Buffer>(256).fill(frame)))
      await quiet(10)
      expect(stream.destroyed).toBe(false)
      socket.push(Buffer.concat(Array<Buffer>(100).fill(frame)))
      await until(() => stream.closed)
      expect(stream.errored).toMatchObject({ code: 'ERR_MULTIPATH_FRAME', closeCode: 1008 })
    }
  })
})

describe('a flood of small messages', () => {
  it('is given on in few pieces', async () => {
    const [near, server] = MemoryStream.pair()
    const stream = new WebSocketStream(near, false)
    const pieces: Buffer[] = []
    stream.on('data', (piece: Buffer) => pieces.push(piece))
    const whole = Buffer.from(patternAt(3, 0, 30_000))
    const messages = [...whole].map((byte) => frameOf({ opcode: 2, payload: Buffer.of(byte) }))
    server.write(Buffer.concat(messages))
    await until(() => pieces.reduce((sum, { length }) => sum + length, 0) === whole.length)
    expect(Buffer.concat(pieces).equals(whole)).toBe(true)
    expect(pieces.length).toBeLessThan(whole.length / 50)
  })
})

describe('what a client writes', () => {
  it('stays as it is where a stream that is no socket keeps it', async () => {
    const kept: Uint8Array[] = []
    const keeper = new Duplex({
      read() {},
      write: (chunk: Uint8Array, _encoding, done) => {
        kept.push(chunk)
        done()
      },
    })
    const stream = new WebSocketStream(keeper, false)
    const whole = Buffer.from(patternAt(3, 0, 4 * 262_144))
    for (let at = 0; at < whole.length; at += 262_144)
      if (!stream.write(whole.subarray(at, at + 262_144))) await once(stream, 'drain')
    const payloads = framesIn(Buffer.concat(kept)).map(({ payload }) => payload)
    expect(Buffer.concat(payloads).equals(whole)).toBe(true)
  })
})

// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ConnectionCore } from '../../lib/core/connection.js'
import type { DialerOptions, MultipathConn } from '../../lib/index.js'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import { connectedPair, readAll, readBytes, upCount } from '../support/pair.js'
import { listening, pathTo } from '../support/tcp.js'
import { quiet, until } from '../support/turns.js'

const KIB = 1024
const MIB = 1024 * KIB

/** A connection over `paths` real sockets each way. */
async function tcpPair(paths: number, options: DialerOptions = {}): Promise<[MultipathConn, MultipathConn]> {
  const servers = await Promise.all(Array.from({ length: paths }, () => listening()))
  const listener = new MultipathListener(servers)
  const dialer = new MultipathDialer(
    'loopback',
    servers.map((server) => pathTo(server)),
    options,
  )
  const pair = await Promise.all([dialer.dial(), listener.accept()])
  await until(() => upCount(pair[1]) === paths)
  await listener.close()
  onTestFinished(() => {
    for (const conn of pair) conn.on('error', () => {}).destroy()
  })
  return pair
}

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex')

describe('a turn of the event loop', () => {
  it('is flushed once, with what it has brought and what the application answers', async () => {
    const { near, far } = await connectedPair()
    far.pipe(far)
    const drain = vi.spyOn(ConnectionCore.prototype, 'drain')
    onTestFinished(() => {
      drain.mockRestore()
    })
    let left = 100
    await new Promise<void>((resolve) => {
      near.on('data', () => {
        if (--left === 0) resolve()
        else near.write('x')
      })
      near.write('x')
    })
    // Twice for each echo, once at each end; a timer may add a few.
    expect(drain.mock.calls.length).toBeLessThan(220)
  })
})

describe('write()', () => {
  it('sends nothing for nothing', async () => {
    const { near, far } = await connectedPair()
    for (const nothing of ['', Buffer.alloc(0), new Uint8Array(0)]) near.write(nothing)
    await quiet()
    expect(near.subflows()[0]).toMatchObject({ sentFrames: 0, sentBytes: 0 })
    near.end('x')
    expect(String(await readAll(far))).toBe('x')
  })

  it.each([
    ['bytes', (bytes: Buffer): ArrayBufferView => bytes],
    ['numbers', ({ buffer, byteOffset, length }: Buffer) => new Uint16Array(buffer, byteOffset, length / 2)],
    ['a view', ({ buffer, byteOffset, length }: Buffer) => new DataView(buffer, byteOffset, length)],
  ])('copies %s that its caller gets back by the callback, however long they stay unacked', async (_, as) => {
    const { near, far, paths } = await connectedPair({ dialer: { maxUnackedBytes: 64 * KIB } })
    paths[0]!.last.freeze()
    paths[0]!.mode = 'hang'
    const buffer = Buffer.alloc(200 * KIB, 1)
    await new Promise((resolve) => near.write(as(buffer), resolve))
    buffer.fill(2)
    const small = Buffer.alloc(100, 3)
    await new Promise((resolve) => near.write(as(small), resolve))
    small.fill(4)
    paths[0]!.last.thaw()
    const arrived = await readBytes(far, 200 * KIB + 100)
    expect(arrived.equals(Buffer.concat([Buffer.alloc(200 * KIB, 1), Buffer.alloc(100, 3)]))).toBe(true)
  })

  it('cuts a large buffer into frames of no more than a mebibyte', async () => {
    const { near, far } = await connectedPair({ dialer: { maxFrameBytes: MIB }, paths: 2 })
    const sizes: number[] = []
    far.on('data', () => {})
    near.write(Buffer.alloc(40 * MIB))
    await near.flushed()
    for (const { receivedFrames, receivedBytes } of far.subflows())
      if (receivedFrames > 0) sizes.push(receivedBytes / receivedFrames)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(MIB)
  })

  it.each([
    ['without a callback', false],
    ['with a callback, by copies', true],
  ])(
    'takes a gibibyte at once %s, in bounded memory',
    async (_how, hasCallback) => {
      const [near, far] = await tcpPair(2)
      const bytes = 1024 * MIB
      // Never written to, so that all of its pages are the system's one page of zeros.
      const giant = Buffer.alloc(bytes)
      let arrived = 0
      let peak = 0
      const before = process.memoryUsage()
      const held = ({ external, heapUsed }: NodeJS.MemoryUsage): number => external + heapUsed
      far.on('data', (chunk: Buffer) => {
        arrived += chunk.length
        if (arrived % (64 * MIB) < chunk.length) peak = Math.max(peak, held(process.memoryUsage()))
      })
      let isCalledBack = false
      if (hasCallback)
        near.write(giant, () => {
          isCalledBack = true
        })
      else near.write(giant)
      near.end()
      await new Promise((resolve) => far.once('end', resolve))
      expect(arrived).toBe(bytes)
      expect(isCalledBack).toBe(hasCallback)
      expect((peak - held(before)) / MIB).toBeLessThan(300)
    },
    60_000,
  )

  it('follows the rules of Duplex: it says no when full, and drain when there is room', async () => {
    const { near, far, paths } = await connectedPair({ dialer: { sendBufferBytes: 256 * KIB } })
    paths[0]!.last.freeze()
    paths[0]!.mode = 'hang'
    let written = 0
    while (near.write(Buffer.alloc(16 * KIB))) {
      written += 16 * KIB
      await quiet(1)
    }
    expect(written).toBeLessThan(2 * MIB)
    let drained = false
    near.once('drain', () => {
      drained = true
    })
    await quiet()
    expect(drained).toBe(false)
    far.resume()
    paths[0]!.last.thaw()
    await until(() => drained)
  })
})

describe('a slow reader', () => {
  it('holds back the writer, within its budgets', async () => {
    const { near, far } = await connectedPair({ listener: { maxUnreadBytes: MIB }, paths: 2 })
    let taken = 0
    let isBlocked = false
    while (!isBlocked) {
      if (near.write(Buffer.alloc(64 * KIB))) {
        await quiet(4)
      } else {
        await Promise.race([new Promise((resolve) => near.once('drain', resolve)), quiet(300)])
        isBlocked = near.writableNeedDrain
      }
      taken += 64 * KIB
      expect(taken).toBeLessThan(64 * MIB)
    }
    expect(taken).toBeLessThan(24 * MIB)
    expect(far.readableLength).toBeLessThan(256 * KIB)
    const arrived = readBytes(far, taken)
    expect((await arrived).length).toBe(taken)
    await near.flushed()
  })
})

describe('both sides at once', () => {
  it('get 256 MiB through, one of them writing all of it before it reads a byte', async () => {
    const [near, far] = await tcpPair(3)
    const block = Buffer.from(Array.from({ length: MIB }, (_, at) => (at * 31 + (at >> 7)) & 255))
    const rounds = 256
    const expected = createHash('sha256')
    for (let round = 0; round < rounds; round++) expected.update(block)
    const digest = expected.digest('hex')

    async function writeAll(conn: MultipathConn): Promise<void> {
      for (let round = 0; round < rounds; round++) await new Promise((resolve) => conn.write(block, resolve))
    }
    async function hashAll(conn: MultipathConn): Promise<string> {
      const hash = createHash('sha256')
      let left = rounds * MIB
      for (;;) {
        const chunk = conn.read()
        if (chunk === null) await new Promise((resolve) => conn.once('readable', resolve))
        else {
          hash.update(chunk)
          left -= chunk.length
          if (left === 0) return hash.digest('hex')
        }
      }
    }
    const [heardByNear, heardByFar] = await Promise.all([
      writeAll(near).then(() => hashAll(near)),
      hashAll(far),
      writeAll(far),
    ])
    expect([heardByNear, heardByFar]).toEqual([digest, digest])
  }, 60_000)
})

describe('a transfer', () => {
  it('comes out whole while its paths are cut one after another and come back', async () => {
    const { near, far, paths, dialer } = await connectedPair({ paths: 3, dialer: { redialMinMs: 1 } })
    const data = Buffer.alloc(24 * MIB)
    for (let at = 0; at < data.length; at += 4) data.writeInt32LE(at ^ (at << 7), at)
    const arrived = readAll(far)
    for (let round = 0; round < 6; round++) {
      near.write(data.subarray(round * 4 * MIB, (round + 1) * 4 * MIB))
      await quiet(1)
      paths[round % 3]!.last.cut()
      await until(() => upCount(near) === 2)
      await until(() => upCount(near) === 3)
    }
    near.end()
    expect(sha256(await arrived)).toBe(sha256(data))
    expect(dialer.stats().some(({ retransmittedFrames }) => retransmittedFrames > 0)).toBe(true)
  }, 30_000)
})

// SPDX-License-Identifier: Apache-2.0
/**
 * What programs expect of a net.Socket, as a suite that runs against a real one and against whatever claims to be
 * like it. What holds for both is the claim; nothing here may know which of the two it has.
 */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { addAbortSignal, Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { quiet, until } from '../support/turns.js'

export interface PairOptions {
  readonly allowHalfOpen?: boolean
}

/** Two connected ends; the first is the client's. */
export type MakePair = (options?: PairOptions) => Promise<[near: Socket, far: Socket]>

const KIB = 1024

/** Both ends, destroyed when the spec is over. */
export async function pairOf(makePair: MakePair, options: PairOptions = {}): Promise<[Socket, Socket]> {
  const pair = await makePair(options)
  onTestFinished(() => {
    for (const end of pair) end.on('error', () => {}).destroy()
  })
  return pair
}

/** All bytes until `end`. */
function readToEnd(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    socket.once('end', () => {
      resolve(Buffer.concat(chunks))
    })
    socket.once('error', reject)
  })
}

/** Resolves once every one of `sockets` has emitted close. */
function closed(...sockets: Socket[]): Promise<unknown> {
  return Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))))
}

/** Names of `events` in the order `socket` emits them. */
function record(socket: Socket, ...events: string[]): unknown[] {
  const told: unknown[] = []
  for (const event of events) {
    socket.on(event, (first?: unknown) => {
      told.push(event === 'close' ? `close ${String(first)}` : event)
    })
  }
  return told
}

function writing(makePair: MakePair): void {
  it('takes strings in any encoding, buffers and arrays of bytes', async () => {
    const [near, far] = await pairOf(makePair)
    near.write('é')
    near.write('c3a8', 'hex')
    near.write(Buffer.from('x'))
    near.write(new Uint8Array([0x79]))
    near.end('eg==', 'base64')
    expect(String(await readToEnd(far))).toBe('éèxyz')
  })

  it('takes nothing for nothing, calls back all the same, and refuses null', async () => {
    const [near, far] = await pairOf(makePair)
    await new Promise((resolve) => near.write('', resolve))
    await new Promise((resolve) => near.write(Buffer.alloc(0), resolve))
    expect(() => near.write(null as never)).toThrow('May not write null values')
    near.end('end')
    expect(String(await readToEnd(far))).toBe('end')
  })

  it('leaves a buffer to its owner once its callback is called', async () => {
    const [near, far] = await pairOf(makePair)
    const buffer = Buffer.alloc(64 * KIB)
    const arrived = readToEnd(far)
    for (let round = 0; round < 100; round++) {
      buffer.fill(round)
      await new Promise((resolve) => near.write(buffer, resolve))
    }
    near.end()
    const expected = Buffer.concat(Array.from({ length: 100 }, (_, round) => Buffer.alloc(64 * KIB, round)))
    expect((await arrived).equals(expected)).toBe(true)
  })
}

function pacing(makePair: MakePair): void {
  it('says no when the writer is to wait, and drain when it may go on', async () => {
    const [near, far] = await pairOf(makePair)
    let blocked = 0
    far.pause()
    while (blocked < 3) {
      let count = 0
      while (near.write(Buffer.alloc(64 * KIB))) if (++count > 1000) break
      blocked++
      far.resume()
      await once(near, 'drain')
    }
    expect(near.writableNeedDrain).toBe(false)
  })

  it('counts bytes on both sides', async () => {
    const [near, far] = await pairOf(makePair)
    near.write(Buffer.alloc(300 * KIB))
    expect(near.bytesWritten).toBe(300 * KIB)
    near.end('12345')
    await readToEnd(far)
    expect(near.bytesWritten).toBe(300 * KIB + 5)
    expect(far.bytesRead).toBe(300 * KIB + 5)
    expect([near.bytesRead, far.bytesWritten]).toEqual([0, 0])
  })

  it('keeps what is corked together until it is uncorked', async () => {
    const [near, far] = await pairOf(makePair)
    near.cork()
    for (const part of ['a', 'b', 'c']) near.write(part)
    near.uncork()
    near.end()
    expect(String(await readToEnd(far))).toBe('abc')
  })

  it('after end() is an error', async () => {
    const [near] = await pairOf(makePair, { allowHalfOpen: true })
    near.end()
    const failed = once(near, 'error')
    near.write('late')
    expect((await failed)[0]).toMatchObject({
      code: expect.stringMatching(/^(EPIPE|ERR_STREAM_WRITE_AFTER_END)$/) as string,
    })
  })
}

function reading(makePair: MakePair): void {
  it('brings strings where an encoding is set', async () => {
    const [near, far] = await pairOf(makePair)
    expect(far.setEncoding('utf8')).toBe(far)
    let text = ''
    far.on('data', (part: string) => (text += part))
    near.end('grün'.repeat(10_000))
    await once(far, 'end')
    expect(text).toBe('grün'.repeat(10_000))
  })

  it('pauses and resumes', async () => {
    const [near, far] = await pairOf(makePair)
    let bytes = 0
    far.on('data', (chunk: Buffer) => (bytes += chunk.length))
    expect(far.pause()).toBe(far)
    near.end('paused')
    await quiet()
    expect(bytes).toBe(0)
    expect(far.resume()).toBe(far)
    await once(far, 'end')
    expect(bytes).toBe(6)
  })

  it('is possible by read() at each readable', async () => {
    const [near, far] = await pairOf(makePair)
    let bytes = 0
    far.on('readable', () => {
      for (let chunk = far.read() as Buffer | null; chunk !== null; chunk = far.read() as Buffer | null)
        bytes += chunk.length
    })
    near.end(Buffer.alloc(500 * KIB))
    await once(far, 'end')
    expect(bytes).toBe(500 * KIB)
  })

  it('is possible by iterating', async () => {
    const [near, far] = await pairOf(makePair)
    near.end(Buffer.alloc(500 * KIB))
    let bytes = 0
    for await (const chunk of far) bytes += (chunk as Buffer).length
    expect(bytes).toBe(500 * KIB)
  })
}

function ending(makePair: MakePair): void {
  it('ends, finishes and closes both sides without an error', async () => {
    const [near, far] = await pairOf(makePair)
    const told = [near, far].map((end) => record(end.resume(), 'end', 'finish', 'close', 'error'))
    const bothClosed = closed(near, far)
    near.end('bye')
    await bothClosed
    expect(told[0]).toEqual(['finish', 'end', 'close false'])
    expect([...told[1]!].sort()).toEqual(['close false', 'end', 'finish'])
    expect([near.readyState, far.readyState]).toEqual(['closed', 'closed'])
  })

  it('leaves the other direction open where both want it', async () => {
    const [near, far] = await pairOf(makePair, { allowHalfOpen: true })
    near.end('question')
    expect(String(await readToEnd(far))).toBe('question')
    expect([near.readyState, far.readyState]).toEqual(['readOnly', 'writeOnly'])
    const answer = Buffer.alloc(500 * KIB, 'answer')
    far.end(answer)
    expect((await readToEnd(near)).equals(answer)).toBe(true)
    await until(() => near.closed && far.closed)
  })

  it('calls back from end()', async () => {
    const [near, far] = await pairOf(makePair)
    far.resume()
    await new Promise<void>((resolve) => near.end('last', resolve))
    expect(near.writableFinished).toBe(true)
  })
}

function closing(makePair: MakePair): void {
  it('by destroy() closes without an error', async () => {
    const [near] = await pairOf(makePair)
    const told = record(near, 'error', 'close')
    expect(near.destroy()).toBe(near)
    expect(near.destroyed).toBe(true)
    await once(near, 'close')
    expect(told).toEqual(['close false'])
  })

  it('by destroy(error) tells of the error, then closes', async () => {
    const [near, far] = await pairOf(makePair)
    // A peer of ours is told; one over net is not.
    far.on('error', () => {})
    const told = record(near, 'error', 'close')
    near.destroy(new Error('mine'))
    await closed(near)
    expect(told).toEqual(['error', 'close true'])
    expect(near.errored).toMatchObject({ message: 'mine' })
  })

  it('by destroySoon() delivers what was written before', async () => {
    const [near, far] = await pairOf(makePair)
    const arrived = readToEnd(far)
    near.write(Buffer.alloc(700 * KIB))
    near.destroySoon()
    expect((await arrived).length).toBe(700 * KIB)
    await until(() => near.closed)
  })

  it('by resetAndDestroy() is an error at the other side alone', async () => {
    const [near, far] = await pairOf(makePair)
    const told = [near, far].map((end) => record(end.resume(), 'error', 'close', 'end'))
    const bothClosed = closed(near, far)
    expect(near.resetAndDestroy()).toBe(near)
    await bothClosed
    expect(told).toEqual([['close false'], ['error', 'close true']])
  })
}

function closingByOthers(makePair: MakePair): void {
  it('comes with an abort signal', async () => {
    const [near] = await pairOf(makePair)
    const limit = new AbortController()
    addAbortSignal(limit.signal, near)
    const failed = once(near, 'error')
    limit.abort()
    expect((await failed)[0]).toMatchObject({ name: 'AbortError' })
  })

  it('is what finished() waits for', async () => {
    const [near, far] = await pairOf(makePair)
    far.resume()
    near.resume().end('x')
    await Promise.all([finished(near), finished(far)])
  })

  it('by await using leaves the socket closed', async () => {
    const [near] = await pairOf(makePair)
    const disposable: AsyncDisposable = near
    near.on('error', () => {})
    {
      await using _using = disposable
    }
    expect(near.destroyed).toBe(true)
  })
}

function settings(makePair: MakePair): void {
  it('knows the addresses of both ends', async () => {
    const [near, far] = await pairOf(makePair)
    expect(near.remoteAddress).toBe('127.0.0.1')
    expect([near.remotePort, near.localPort]).toEqual([far.localPort, far.remotePort])
    expect([near.remoteFamily, near.localFamily]).toEqual(['IPv4', 'IPv4'])
    expect(near.address()).toEqual({ address: '127.0.0.1', port: near.localPort, family: 'IPv4' })
    expect([near.connecting, near.pending, near.readyState]).toEqual([false, false, 'open'])
  })

  it('returns itself from every setter', async () => {
    const [near] = await pairOf(makePair)
    for (const returned of [
      near.setNoDelay(),
      near.setNoDelay(false),
      near.setKeepAlive(true, 1000),
      near.setKeepAlive(),
      near.unref(),
      near.ref(),
      near.setTimeout(0),
    ])
      expect(returned).toBe(near)
  })
}

function timing(makePair: MakePair): void {
  it('emits timeout after a while without anything, and stays open', async () => {
    const [near] = await pairOf(makePair)
    const startedAt = performance.now()
    let listener = 0
    near.setTimeout(40, () => listener++)
    expect(near.timeout).toBe(40)
    await once(near, 'timeout')
    expect(performance.now() - startedAt).toBeGreaterThan(35)
    expect([near.destroyed, listener]).toEqual([false, 1])
  })

  it('emits no timeout while something is read or written', async () => {
    const [near, far] = await pairOf(makePair)
    let timeouts = 0
    near.setTimeout(500, () => timeouts++)
    near.resume()
    for (let round = 0; round < 40; round++) {
      const [from, to] = round % 2 === 0 ? [near, far] : [far, near]
      const arrived = once(to.resume(), 'data')
      from.write('x')
      await arrived
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(timeouts).toBe(0)
  })

  it('takes its timeout back', async () => {
    const [near] = await pairOf(makePair)
    let timeouts = 0
    const count = (): void => {
      timeouts++
    }
    near.setTimeout(20, count)
    near.setTimeout(0, count)
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect([timeouts, near.listenerCount('timeout')]).toEqual([0, 0])
  })
}

function composing(makePair: MakePair): void {
  const data = Buffer.from(Array.from({ length: 3000 * KIB }, (_, at) => (at * 7 + (at >> 9)) & 255))
  const pieces = (): Readable =>
    Readable.from(Array.from({ length: 300 }, (_, at) => data.subarray(at * 10 * KIB, (at + 1) * 10 * KIB)))

  it('is the end of a pipeline, and the beginning of another', async () => {
    const [near, far] = await pairOf(makePair)
    const hash = createHash('sha256')
    await Promise.all([pipeline(pieces(), near), pipeline(far, hash)])
    expect(hash.digest('hex')).toBe(createHash('sha256').update(data).digest('hex'))
  })

  it('is piped into itself: an echo', async () => {
    const [near, far] = await pairOf(makePair, { allowHalfOpen: true })
    far.pipe(far)
    const back = readToEnd(near)
    await pipeline(pieces(), near, { end: true })
    expect((await back).equals(data)).toBe(true)
  })

  it('carries data both ways at once', async () => {
    const [near, far] = await pairOf(makePair, { allowHalfOpen: true })
    const arrived = [near, far].map(readToEnd)
    near.end(data)
    far.end(data)
    for (const bytes of await Promise.all(arrived)) expect(bytes.equals(data)).toBe(true)
  })
}

/** Describes `name`, whose pairs come from `makePair`. */
export function netSocketLike(name: string, makePair: MakePair): void {
  describe(`${name} is like net.Socket in`, () => {
    describe('writing: it', () => writing(makePair))
    describe('writing much, and its end: it', () => pacing(makePair))
    describe('reading: it', () => reading(makePair))
    describe('ending: it', () => ending(makePair))
    describe('closing: it', () => closing(makePair))
    describe('closing by others: it', () => closingByOthers(makePair))
    describe('its settings: it', () => settings(makePair))
    describe('its idle time: it', () => timing(makePair))
    describe('composing: it', () => composing(makePair))
  })
}

// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process'
import { execPath } from 'node:process'
import { Duplex } from 'node:stream'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../lib/clock.js'
import { readHello } from '../../lib/conn/hello-io.js'
import { formatPathStats, humanBytes, PathRecord } from '../../lib/conn/path-stats.js'
import { safeTracker } from '../../lib/conn/safe-tracker.js'
import { MultipathDialer } from '../../lib/index.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { MemoryPath, MemoryStream } from '../support/memory-path.js'
import { catchUncaught } from '../support/outside.js'
import { closing, connectedPair, meeting, upCount } from '../support/pair.js'
import { quiet, until } from '../support/turns.js'

describe('humanBytes()', () => {
  // Vectors: go-humanize, Bytes().
  it.each([
    [0, '0 B'],
    [9, '9 B'],
    [10, '10 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1500, '1.5 kB'],
    [9999, '10 kB'],
    [82_854_982, '83 MB'],
    [1e9, '1.0 GB'],
    [1.5e15, '1.5 PB'],
  ])('prints %d as %s', (bytes, text) => {
    expect(humanBytes(bytes)).toBe(text)
  })
})

describe('the record of a path', () => {
  it("averages round trips as Go's does, and forgets them at a failure", () => {
    const record = new PathRecord('x')
    expect(record.orderMs).toBe(60_000)
    record.updateRTT(100)
    record.updateRTT(200)
    record.updateRTT(50)
    expect(record.stats().rttMs).toBe(100)
    record.failed()
    expect(record.orderMs).toBe(60_000)
  })

  it('counts what was sent again apart', () => {
    const record = new PathRecord('x')
    record.onSent(100)
    record.onRetransmit(100)
    record.onRetransmit(50)
    expect(record.stats()).toMatchObject({ sentFrames: 1, retransmittedFrames: 2, retransmittedBytes: 150 })
    expect(formatPathStats(record.stats())).toMatch(/RTT: {2}60000ms .*RT: {7}2\/ {2}150 B$/)
  })
})

describe('safeTracker()', () => {
  it('calls every tracker, whatever the others throw', () => {
    const calls: string[] = []
    const recorder = (name: string, fails: boolean) => {
      const note = (what: string) => () => {
        calls.push(`${name} ${what}`)
        if (fails) throw new Error(what)
      }
      return { onRecv: note('r'), onSent: note('s'), onRetransmit: note('t'), updateRTT: note('u') }
    }
    const tracker = safeTracker(recorder('a', true), undefined, recorder('b', false))
    tracker.onRecv(1)
    tracker.onSent(1)
    tracker.onRetransmit(1)
    tracker.updateRTT(1)
    expect(calls).toEqual(['a r', 'b r', 'a s', 'b s', 'a t', 'b t', 'a u', 'b u'])
  })
})

describe('readHello()', () => {
  const init = { clock: systemClock, timeoutMs: 60_000 }

  it('brings the CID and what came right behind it, and leaves the rest to whoever comes next', async () => {
    const [near, far] = MemoryStream.pair()
    near.write(Buffer.concat([Buffer.alloc(1), Buffer.alloc(16, 5), Buffer.from('head')]))
    const hello = await readHello(far, init)
    near.write('rest')
    await quiet()
    expect(Buffer.from(hello.cid)).toEqual(Buffer.alloc(16, 5))
    expect(String(Buffer.from(hello.head))).toBe('head')
    expect(far.isPaused()).toBe(true)
    expect(String(far.read() as Buffer)).toBe('rest')
    far.destroy()
  })

  it('rejects at once on a stream that is over', async () => {
    const [, far] = MemoryStream.pair()
    far.destroy()
    await expect(readHello(far, init)).rejects.toMatchObject({ code: 'ERR_MULTIPATH_HANDSHAKE' })
  })

  it('keeps the cause where the stream fails', async () => {
    const [, far] = MemoryStream.pair()
    const reading = readHello(far, init)
    far.destroy(new Error('unplugged'))
    await expect(reading).rejects.toMatchObject({
      code: 'ERR_MULTIPATH_HANDSHAKE',
      cause: { message: 'unplugged' },
    })
  })

  it('ends with its signal, and leaves no timer', async () => {
    const clock = new ManualClock()
    const [, far] = MemoryStream.pair()
    const limit = new AbortController()
    const reading = readHello(far, { clock, timeoutMs: 1000, signal: limit.signal })
    limit.abort(new Error('enough'))
    await expect(reading).rejects.toThrow('enough')
    expect(far.destroyed).toBe(true)
    expect(clock.nextTimerAt).toBe(Infinity)
    await expect(
      readHello(MemoryStream.pair()[0], { clock, timeoutMs: 1000, signal: limit.signal }),
    ).rejects.toThrow('enough')
  })
})

/** Passes everything on to another stream, until it is told to throw. */
class Throwing extends Duplex {
  readonly inner: Duplex
  isThrowing = false

  constructor(inner: Duplex) {
    super()
    this.inner = inner
    inner.on('data', (chunk) => this.push(chunk))
    inner.on('end', () => this.push(null))
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    if (this.isThrowing) throw new Error('a write that throws')
    this.inner.write(chunk)
    done()
  }
}

describe('a stream of the application that throws from write()', () => {
  it('is closed as failed, and the connection goes on over the others', async () => {
    const caught = catchUncaught()
    const { listener, paths } = meeting({ paths: 2 })
    const made: Throwing[] = []
    const wrapped = new MemoryPath(paths[0]!.server, 'throwing')
    const dialer = new MultipathDialer('x', [
      {
        label: 'throwing',
        dial: async (options) => {
          const stream = new Throwing(await wrapped.dial(options))
          made.push(stream)
          return stream
        },
      },
      paths[1]!,
    ])
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    await until(() => upCount(near) === 2)
    far.resume()
    made[0]!.isThrowing = true
    const closed = new Promise((resolve) => near.once('subflow-close', resolve))
    while (near.subflows().some(({ id }) => id === 1)) {
      near.write('x')
      far.write('y')
      near.resume()
      await quiet(5)
    }
    expect(await closed).toMatchObject({ reason: 'failed', error: { message: 'a write that throws' } })
    await near.flushed()
    expect(caught).toEqual({ exceptions: [], rejections: [] })
    near.destroy()
    far.destroy()
  })
})

describe('a stream that is over before its subflow begins', () => {
  it('closes it, and the connection with it where it was the only one', async () => {
    const { near } = await connectedPair()
    const [stream] = MemoryStream.pair()
    stream.destroy()
    const told = new Promise((resolve) => near.once('subflow-close', resolve))
    near.attach({ stream, label: 'late', trackers: [], isDialer: false, helloAt: 0 })
    expect(await told).toMatchObject({ label: 'late', reason: 'ended' })
    const done = closing(near)
    near.destroy()
    await done
  })
})

describe('setKeepAlive()', () => {
  it('reaches the socket of every subflow', async () => {
    const { near, paths } = await connectedPair({ paths: 2 })
    const calls: unknown[][] = []
    for (const { last } of paths)
      Object.assign(last, { setKeepAlive: (...given: unknown[]) => void calls.push(given) })
    near.setKeepAlive(true, 5000)
    expect(calls).toEqual([
      [true, 5000],
      [true, 5000],
    ])
  })
})

describe('NODE_DEBUG=multipath', () => {
  it('prints what happens to subflows and refused streams, and never a CID that could be joined', async () => {
    const program = `
      import { once } from 'node:events'
      import { createServer, connect } from 'node:net'
      import { MultipathDialer, MultipathListener, tcpDialer } from './dist/index.js'
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      const { port } = server.address()
      const listener = new MultipathListener([server])
      connect(port, '127.0.0.1').end('GET /')
      await new Promise((resolve) => listener.once('refused', resolve))
      const dialer = new MultipathDialer('x', [tcpDialer({ host: '127.0.0.1', port, label: 'my path' })])
      const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
      near.destroy()
      far.destroy()
      await listener.close()`
    const { stderr } = await promisify(execFile)(execPath, ['--input-type=module', '--eval', program], {
      env: { ...process.env, NODE_DEBUG: 'multipath' },
    })
    expect(stderr).toMatch(/MULTIPATH \d+: subflow 1 my path: up/)
    expect(stderr).toMatch(/MULTIPATH \d+: subflow 1 my path: closed closed/)
    expect(stderr).toMatch(/MULTIPATH \d+: refused a stream: .*unexpected version/)
    expect(stderr).not.toMatch(/[0-9a-f]{8}/)
  }, 20_000)
})

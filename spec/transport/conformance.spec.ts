// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { describe, expect, it, onTestFinished } from 'vitest'
import { SubflowIo } from '../../lib/conn/subflow-io.js'
import type { SubflowChange } from '../../lib/index.js'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import { catchUncaught } from '../support/outside.js'
import { readAll, upCount } from '../support/pair.js'
import { PatternChecker, patternAt } from '../support/pattern.js'
import { nextStream, streamsOver, TRANSPORTS } from '../support/transports.js'
import { quiet, until } from '../support/turns.js'

const MIB = 1_048_576
const free = (): { signal: AbortSignal } => ({ signal: new AbortController().signal })

/** Reads `bytes` bytes of the pattern. */
async function readPattern(stream: Duplex, seed: number, bytes: number): Promise<PatternChecker> {
  const checker = new PatternChecker(seed)
  stream.on('data', (chunk: Buffer) => {
    checker.add(chunk)
  })
  await until(() => checker.bytes >= bytes)
  return checker
}

describe.each(TRANSPORTS)('a path over $name', (transport) => {
  it('carries bytes both ways at once, as they are', async () => {
    const { near, far } = await streamsOver(transport)
    near.write(patternAt(1, 0, MIB))
    far.write(patternAt(2, 0, MIB))
    const checkers = await Promise.all([readPattern(far, 1, MIB), readPattern(near, 2, MIB)])
    for (const { bytes, wrongAt } of checkers)
      expect({ bytes, wrongAt }).toEqual({ bytes: MIB, wrongAt: undefined })
  })

  it('says when it takes no more, and goes on when the reader does', async () => {
    const { near, far } = await streamsOver(transport)
    // More than the kernel keeps, on both ways to a proxy and from it.
    const total = 64 * MIB
    const checker = new PatternChecker(3)
    far.on('data', (chunk: Buffer) => {
      checker.add(chunk)
    })
    far.once('data', () => far.pause())
    let taken = 0
    const written = (async () => {
      for (; taken < total; taken += MIB) if (!near.write(patternAt(3, taken, MIB))) await once(near, 'drain')
    })()
    for (let before = -1; before < taken; ) {
      before = taken
      await quiet(500)
    }
    expect(taken).toBeLessThan(total)
    far.resume()
    await until(() => checker.bytes >= total)
    await written
    expect([checker.bytes, checker.wrongAt]).toEqual([total, undefined])
  })

  it('brings everything before its end, and the end closes it at both sides', async () => {
    const { near, far } = await streamsOver(transport)
    near.end(patternAt(4, 0, MIB))
    near.resume()
    expect((await readAll(far)).equals(patternAt(4, 0, MIB))).toBe(true)
    far.end()
    await until(() => near.closed && far.closed)
    expect([near.errored, far.errored]).toEqual([null, null])
  })

  it('ends at the other side when one is destroyed', async () => {
    const caught = catchUncaught()
    const { near, far } = await streamsOver(transport)
    near.on('error', () => {}).resume()
    far.destroy()
    await until(() => near.closed)
    expect(caught).toEqual({ exceptions: [], rejections: [] })
  })

  it('ends at both sides when a connection drops it, whether it can be reset or not', async () => {
    const { near, far } = await streamsOver(transport)
    far.resume()
    new SubflowIo(near, { onBytes: ({ length }) => length, onDrain: () => {}, onClosed: () => {} }).destroy()
    await until(() => near.closed && far.closed)
  })

  it('opens for a listener that closes it when it is told to', async () => {
    const { server, dialer } = await transport.open()
    const listener = new MultipathListener([server])
    const [near, far] = await Promise.all([new MultipathDialer('x', [dialer]).dial(), listener.accept()])
    near.resume().end('hello')
    expect(String(await readAll(far))).toBe('hello')
    await until(() => near.closed && far.closed)
    await listener.close()
    expect(server.listening).toBe(false)
    await expect(dialer.dial(free())).rejects.toThrow(transport.refusal)
  })

  it('can be destroyed with data under way, from inside of a connection', async () => {
    const caught = catchUncaught()
    const { server, dialer } = await transport.open()
    const listener = new MultipathListener([server])
    onTestFinished(() => listener.close())
    const [near, far] = await Promise.all([new MultipathDialer('x', [dialer]).dial(), listener.accept()])
    far.on('error', () => {})
    near.write(Buffer.alloc(4 * MIB))
    await until(() => far.subflows()[0]!.receivedFrames > 0)
    near.resetAndDestroy()
    far.resetAndDestroy()
    await until(() => near.closed && far.closed)
    await quiet()
    expect(caught).toEqual({ exceptions: [], rejections: [] })
  })

  it('closes what it has begun when it is aborted at once', async () => {
    const { server, dialer } = await transport.mute()
    const reason = new Error('enough')
    await expect(dialer.dial({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const limit = new AbortController()
    const opening = dialer.dial({ signal: limit.signal })
    limit.abort(reason)
    await expect(opening).rejects.toBe(reason)
    server.on('connection', (socket) => socket.on('error', () => {}).resume())
    // It closes only once its last socket has.
    await once(server.close(), 'close')
  })

  it('leaves a live connection in order when it is removed, and no byte is lost', async () => {
    const opened = await Promise.all([transport.open(), TRANSPORTS[0]!.open()])
    const listener = new MultipathListener(opened.map(({ server }) => server))
    onTestFinished(() => listener.close())
    const [leaving, staying] = opened.map(({ dialer }, n) => ({ ...dialer, label: `path ${n}` }))
    const dialer = new MultipathDialer('x', [leaving!, staying!], { scheduler: 'round-robin' })
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    await until(() => upCount(near) === 2 && upCount(far) === 2)
    const closed: unknown[] = []
    for (const [name, end] of [['near', near] as const, ['far', far] as const])
      end.on('subflow-close', ({ reason, error }: SubflowChange) => closed.push([name, reason, error]))
    near.write(patternAt(6, 0, 16 * MIB))
    far.write(patternAt(7, 0, 16 * MIB))
    const read = Promise.all([readPattern(far, 6, 16 * MIB), readPattern(near, 7, 16 * MIB)])
    await until(() => far.bytesRead > MIB && near.bytesRead > MIB)
    dialer.remove('path 0')
    for (const { wrongAt } of await read) expect(wrongAt).toBeUndefined()
    await until(() => closed.length === 2)
    // Their order is that of the network.
    expect(closed).toContainEqual(['near', 'removed', undefined])
    expect(closed).toContainEqual(['far', 'ended', undefined])
    expect([near, far].map((end) => end.subflows().length)).toEqual([1, 1])
    near.destroy()
    far.destroy()
  })

  it('leaves no listener of its own on the signal or the stream', async () => {
    const { server, dialer } = await transport.open()
    const accepted = nextStream(server)
    const limit = new AbortController()
    const stream = await dialer.dial({ signal: limit.signal })
    await accepted
    expect(stream.listenerCount('error')).toBe(0)
    limit.abort()
    await quiet()
    expect(stream.destroyed).toBe(false)
    stream.destroy()
  })
})

describe.each(TRANSPORTS.filter(({ isShaking }) => isShaking))('a dial over $name', (transport) => {
  it('that is aborted while the other side is silent closes its socket', async () => {
    const { server, dialer } = await transport.mute()
    const limit = new AbortController()
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const opening = dialer.dial({ signal: limit.signal })
    const [socket] = await accepted
    const closed = once(socket.on('error', () => {}).resume(), 'close')
    const reason = new Error('enough')
    limit.abort(reason)
    await expect(opening).rejects.toBe(reason)
    await closed
  })

  it('fails when the other side hangs up', async () => {
    const { server, dialer } = await transport.mute()
    server.on('connection', (socket) => socket.on('error', () => {}).end())
    await expect(dialer.dial(free())).rejects.toThrow(/disconnect|hang up|closed|ECONNRESET/)
  })
})

describe('a connection', () => {
  it('goes over all transports at once', async () => {
    const opened = await Promise.all(TRANSPORTS.map((transport) => transport.open()))
    const listener = new MultipathListener(opened.map(({ server }) => server))
    onTestFinished(() => listener.close())
    const dialer = new MultipathDialer(
      'x',
      opened.map((one) => one.dialer),
      { scheduler: 'round-robin' },
    )
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    await until(() => upCount(near) === TRANSPORTS.length && upCount(far) === TRANSPORTS.length)
    expect(new Set(far.subflows().map(({ label }) => label)).size).toBe(TRANSPORTS.length)
    near.write(patternAt(5, 0, 8 * MIB))
    const checker = await readPattern(far, 5, 8 * MIB)
    expect(checker.wrongAt).toBeUndefined()
    for (const { label, sentFrames } of near.subflows()) expect(sentFrames, label).toBeGreaterThan(0)
    near.resume().end()
    await until(() => near.closed && far.closed)
  })
})

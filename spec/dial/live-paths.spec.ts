// SPDX-License-Identifier: Apache-2.0
/** Paths that are added to a dialer and removed from it while its connections live. */
import { describe, expect, it, onTestFinished } from 'vitest'
import type { MultipathConn, SubflowChange } from '../../lib/index.js'
import { DialError, MultipathDialer, OptionError } from '../../lib/index.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { MemoryPath, memoryPaths } from '../support/memory-path.js'
import { connectedPair, meeting, readBytes, upCount } from '../support/pair.js'
import { pass, passUntil } from '../support/pass.js'
import { quiet, until } from '../support/turns.js'

const labels = (conn: MultipathConn): string[] =>
  conn
    .subflows()
    .map(({ label }) => label)
    .sort()

/** What closed on `conn`, and why. */
function closedOn(conn: MultipathConn): string[] {
  const closed: string[] = []
  conn.on('subflow-close', ({ label, reason }: SubflowChange) => closed.push(`${label} ${reason}`))
  return closed
}

async function carries(near: MultipathConn, far: MultipathConn, bytes: number): Promise<void> {
  const data = Buffer.alloc(bytes, 'live')
  near.write(data)
  expect((await readBytes(far, bytes)).equals(data)).toBe(true)
  await near.flushed()
}

describe('a path that is added', () => {
  it('joins every live connection at once, and takes part in dials to come', async () => {
    const { near, far, dialer, listener, paths } = await connectedPair()
    const [other, otherFar] = await Promise.all([dialer.dial(), listener.accept()])
    const added = new MemoryPath(paths[0]!.server, 'added')
    dialer.add(added)
    await until(() => [near, far, other, otherFar].every((conn) => upCount(conn) === 2))
    for (const conn of [near, other]) expect(labels(conn)).toEqual(['added', 'path 0'])
    paths[0]!.mode = 'refuse'
    const [next] = await Promise.all([dialer.dial(), listener.accept()])
    expect(labels(next)).toEqual(['added'])
    expect(dialer.label).toBe('multipath dialer to memory with 2 paths')
    for (const conn of [other, next]) conn.destroy()
  })

  it('while a dial is under way takes part in it', async () => {
    const { dialer, listener, paths } = meeting({ dialer: { headStartMs: 0 } })
    paths[0]!.mode = 'hang'
    const dialled = dialer.dial()
    await quiet()
    dialer.add(new MemoryPath(paths[0]!.server, 'added'))
    const [near] = await Promise.all([dialled, listener.accept()])
    expect(labels(near)).toEqual(['added'])
    near.destroy()
  })

  it.each([
    [
      'under a label in use',
      { label: 'path 0', dial: () => {} },
      'a path with the label "path 0" exists already',
    ],
    [
      'without dial()',
      { label: 'x' },
      "path has no dial(): it must be a SubflowDialer, such as tcpDialer({ label: 'wifi', host, port })",
    ],
    [
      'as nothing',
      undefined,
      "path has no dial(): it must be a SubflowDialer, such as tcpDialer({ label: 'wifi', host, port })",
    ],
  ])('%s is refused', async (_what, path, message) => {
    const { dialer, near } = await connectedPair()
    expect(() => {
      dialer.add(path as never)
    }).toThrow(new OptionError(message))
    expect(labels(near)).toEqual(['path 0'])
  })
})

describe('a path that is removed', () => {
  it('closes on every live connection with its own reason, and is dialled no more', async () => {
    const { near, far, dialer, listener, paths } = await connectedPair({
      paths: 2,
      dialer: { redialMinMs: 1 },
    })
    const [other, otherFar] = await Promise.all([dialer.dial(), listener.accept()])
    await until(() => [other, otherFar].every((conn) => upCount(conn) === 2))
    const closed = [closedOn(near), closedOn(other)]
    const { dials } = paths[0]!
    expect(dialer.remove('path 0')).toBe(true)
    await until(() => [near, far, other, otherFar].every((conn) => conn.subflows().length === 1))
    await quiet()
    expect(closed).toEqual([['path 0 removed'], ['path 0 removed']])
    expect(paths[0]!.dials).toBe(dials)
    expect(paths[0]!.live).toEqual([])
    expect(dialer.stats().map(({ label }) => label)).toEqual(['path 1'])
    await carries(near, far, 1000)
    await carries(otherFar, other, 1000)
    for (const conn of [other, otherFar]) conn.destroy()
  })

  it('can be added again', async () => {
    const { near, far, dialer, paths } = await connectedPair({ paths: 2 })
    dialer.remove('path 0')
    dialer.add(paths[0]!)
    await until(() => upCount(near) === 2 && labels(near).join() === 'path 0,path 1' && upCount(far) === 2)
    await carries(near, far, 1000)
  })

  it('says whether there was one', async () => {
    const { dialer, near } = await connectedPair({ paths: 2 })
    expect(dialer.remove('path 7')).toBe(false)
    expect(dialer.remove('path 0')).toBe(true)
    expect(dialer.remove('path 0')).toBe(false)
    await until(() => labels(near).join() === 'path 1')
  })

  it("that is its connection's last stays, without a redial, until another is up", async () => {
    const { near, far, dialer, paths } = await connectedPair({ dialer: { redialMinMs: 1 } })
    const closed = closedOn(near)
    dialer.remove('path 0')
    await quiet()
    await carries(near, far, 10_000)
    await carries(far, near, 10_000)
    expect(closed).toEqual([])
    expect(near.paths()).toMatchObject([{ label: 'path 0', state: 'leaving' }])
    dialer.add(new MemoryPath(paths[0]!.server, 'added'))
    await until(() => closed.length > 0)
    expect(closed).toEqual(['path 0 removed'])
    expect(near.paths().map(({ label }) => label)).toEqual(['added'])
    expect(paths[0]!.dials).toBe(1)
    await carries(near, far, 10_000)
  })

  it('of two at the same time leaves the one removed last', async () => {
    const { near, far, dialer } = await connectedPair({ paths: 2 })
    const closed = closedOn(near)
    dialer.remove('path 1')
    dialer.remove('path 0')
    await until(() => closed.length > 0)
    await quiet()
    expect(closed).toEqual(['path 1 removed'])
    await carries(near, far, 1000)
  })

  it('and fails before another is up ends the connection as any last one does', async () => {
    const { near, far, dialer, paths } = await connectedPair({ dialer: { redialMinMs: 1, holdMs: 0 } })
    const errors: Error[] = []
    near.on('error', (error) => errors.push(error))
    far.on('error', () => {})
    const closed = closedOn(near)
    dialer.remove('path 0')
    paths[0]!.last.cut()
    await until(() => near.closed)
    expect(closed).toEqual(['path 0 failed'])
    expect(errors).toMatchObject([{ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' }])
    expect(paths[0]!.dials).toBe(1)
  })

  it('loses no byte, in whatever state it is', async () => {
    const { near, far, dialer, paths } = await connectedPair({ paths: 3, dialer: { redialMinMs: 1 } })
    const bytes = 3_000_000
    const received = readBytes(far, bytes)
    const back = readBytes(near, bytes)
    near.write(Buffer.alloc(bytes, 'there'))
    far.write(Buffer.alloc(bytes, 'back'))
    await quiet(5)
    dialer.remove('path 0')
    await quiet(5)
    paths[1]!.last.freeze()
    dialer.remove('path 1')
    expect((await received).equals(Buffer.alloc(bytes, 'there'))).toBe(true)
    expect((await back).equals(Buffer.alloc(bytes, 'back'))).toBe(true)
    await until(() => near.subflows().length === 1)
  })

  it('while it is being dialled is given up', async () => {
    const clock = new ManualClock()
    const { dialer, listener, paths } = meeting({ paths: 2, dialer: { clock }, listener: { clock } })
    paths[1]!.mode = 'hang'
    const [near] = await passUntil(clock, Promise.all([dialer.dial(), listener.accept()]))
    await pass(clock, 200)
    expect(paths[1]!.dials).toBe(1)
    dialer.remove('path 1')
    await pass(clock, 30_000, 1000)
    expect(paths[1]!.dials).toBe(1)
    expect(paths[1]!.aborts).toBe(1)
    expect(near.paths().map(({ label }) => label)).toEqual(['path 0'])
    near.destroy()
  })

  it('while it says hello joins, since the peer may use it by then, and leaves in order', async () => {
    const clock = new ManualClock()
    const { dialer, listener, paths } = meeting({ paths: 2, dialer: { clock }, listener: { clock } })
    paths[1]!.mode = 'mute'
    const [near] = await passUntil(clock, Promise.all([dialer.dial(), listener.accept()]))
    await pass(clock, 200)
    const closed = closedOn(near)
    dialer.remove('path 1')
    await pass(clock, 50)
    expect(paths[1]!.last.destroyed).toBe(false)
    paths[1]!.server.emit('connection', paths[1]!.last.peer)
    await pass(clock, 100)
    expect(closed).toEqual(['path 1 removed'])
    expect(paths[1]!.last.destroyed).toBe(true)
    near.destroy()
  })

  it('while a dial waits for it fails the dial with that cause, if it was the only one', async () => {
    const { dialer, paths } = meeting()
    paths[0]!.mode = 'hang'
    const dialled = dialer.dial()
    await quiet()
    dialer.remove('path 0')
    await expect(dialled).rejects.toThrow('no path to memory: path 0: the path was removed')
  })

  it('while a dial says hello on it carries the connection until another is up', async () => {
    const { dialer, listener, paths } = meeting()
    paths[0]!.mode = 'mute'
    const dialled = dialer.dial()
    await until(() => paths[0]!.streams.length === 1)
    await quiet()
    dialer.remove('path 0')
    paths[0]!.server.emit('connection', paths[0]!.last.peer)
    const [near, far] = await Promise.all([dialled, listener.accept()])
    expect(near.paths()).toMatchObject([{ label: 'path 0', state: 'leaving' }])
    const closed = closedOn(near)
    dialer.add(new MemoryPath(paths[0]!.server, 'added'))
    await until(() => closed.length > 0)
    expect(closed).toEqual(['path 0 removed'])
    await carries(near, far, 1000)
    near.destroy()
  })

  it('was the last: dials fail and say so', async () => {
    const dialer = new MultipathDialer('nowhere', memoryPaths(1))
    dialer.remove('path 0')
    const error = await dialer.dial().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(DialError)
    expect(error).toMatchObject({ message: 'no path to nowhere: no path is known', failures: [] })
  })
})

describe('paths(), where this side dials,', () => {
  it('lists those that are down, too', async () => {
    const { near, far, paths, dialer } = await connectedPair({ paths: 2, dialer: { redialMinMs: 60_000 } })
    onTestFinished(() => {
      near.destroy()
    })
    dialer.setPathPolicy('path 0', {
      maxBytes: 5000,
      weight: 3,
      tier: 'secondary',
      maxBytesPerSecond: 70_000,
    })
    await carries(near, far, 1000)
    paths[0]!.mode = 'refuse'
    paths[0]!.last.cut()
    await until(() => upCount(near) === 1)
    const [down, up] = near.paths()
    expect(down).toEqual({
      label: 'path 0',
      state: 'down',
      isPaused: false,
      tier: 'secondary',
      weight: 3,
      maxBytes: 5000,
      maxBytesPerSecond: 70_000,
      spentBytes: 0,
      rttMs: undefined,
      subflows: [],
      sentFrames: 0,
      sentBytes: 0,
      copiedFrames: 0,
      copiedBytes: 0,
      receivedFrames: 0,
      receivedBytes: 0,
      retransmittedFrames: 0,
      retransmittedBytes: 0,
    })
    expect(up).toMatchObject({ label: 'path 1', state: 'up', maxBytes: Infinity, spentBytes: 1000 })
    expect(up!.rttMs).toBe(near.subflows()[0]!.smoothedRttMs)
    expect(up!.subflows).toEqual(near.subflows())
    expect(far.paths().map(({ state }) => state)).toEqual(['up'])
  })

  it('still tells what each has carried once the connection is over, on all of its subflows', async () => {
    const { near, far, paths } = await connectedPair({ paths: 1, dialer: { redialMinMs: 1 } })
    await carries(near, far, 1000)
    paths[0]!.last.cut()
    await until(() => near.isSuspended)
    await until(() => upCount(near) === 1 && upCount(far) === 1)
    await carries(near, far, 500)
    await carries(far, near, 70)
    near.destroy()
    await quiet()
    expect(near.paths()).toMatchObject([
      { label: 'path 0', state: 'down', subflows: [], sentBytes: 1500, receivedBytes: 70 },
    ])
    expect(() => near.setPathPolicy('path 0', { weight: 2 })).toThrow('no path is called')
  })
})

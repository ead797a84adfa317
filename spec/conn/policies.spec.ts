// SPDX-License-Identifier: Apache-2.0
/** Schedulers and policies of paths as users set them, on connections. */
import { describe, expect, it, test } from 'vitest'
import type { MultipathConn, PathPolicy, Scheduler, SubflowView } from '../../lib/index.js'
import { MultipathDialer, MultipathListener, OptionError, schedulers, tcpDialer } from '../../lib/index.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'
import { catchUncaught } from '../support/outside.js'
import { closing, connectedPair, meeting, readBytes, upCount } from '../support/pair.js'
import { quiet, until } from '../support/turns.js'

/** Bytes that each path was given, by label; copies included. */
function sentOn(conn: MultipathConn): Record<string, number> {
  return Object.fromEntries(conn.subflows().map(({ label, sentBytes }) => [label, sentBytes]))
}

/** Writes `bytes` bytes, of which every one arrives. */
async function carries(near: MultipathConn, far: MultipathConn, bytes: number): Promise<void> {
  const data = Buffer.alloc(bytes, 'policy')
  near.write(data)
  expect((await readBytes(far, bytes)).equals(data)).toBe(true)
  await near.flushed()
}

const NAMES = 'lowest-rtt, redundant, hybrid, weighted, round-robin'

describe('the scheduler of a connection', () => {
  it('is the one of the dialer, and on the other side that of the listener', async () => {
    const { near, far } = await connectedPair({
      paths: 2,
      dialer: { scheduler: 'redundant' },
      listener: { scheduler: 'round-robin' },
    })
    await carries(near, far, 100)
    expect(sentOn(near)).toEqual({ 'path 0': 100, 'path 1': 100 })
    await carries(far, near, 100)
    await carries(far, near, 100)
    expect(far.subflows().map(({ sentBytes }) => sentBytes)).toEqual([100, 100])
    expect(far.subflows().map(({ copiedBytes }) => copiedBytes)).toEqual([0, 0])
  })

  it('can be changed at any time, and applies from the next frame on', async () => {
    const { near, far } = await connectedPair({ paths: 2, dialer: { scheduler: 'redundant' } })
    await carries(near, far, 100)
    near.setScheduler('round-robin')
    await carries(near, far, 100)
    await carries(near, far, 100)
    expect(sentOn(near)).toEqual({ 'path 0': 200, 'path 1': 200 })
    near.setScheduler(schedulers.redundant)
    await carries(near, far, 100)
    expect(sentOn(near)).toEqual({ 'path 0': 300, 'path 1': 300 })
  })

  it("can be one's own, which sees what its choice is about", async () => {
    const seen: SubflowView[] = []
    const last: Scheduler = {
      name: 'last',
      choose: ({ subflows, hasRoom }) => {
        seen.push(...subflows)
        return subflows.findLast(hasRoom)
      },
    }
    const { near, far } = await connectedPair({ paths: 3, dialer: { scheduler: last } })
    near.setPathPolicy('path 1', { weight: 7 })
    await carries(near, far, 100)
    const [label] = near
      .subflows()
      .map((subflow) => subflow.label)
      .slice(-1)
    expect(sentOn(near)[label!]).toBe(100)
    expect(new Set(seen.map((view) => `${view.label}: ${view.weight}`))).toEqual(
      new Set(['path 0: 1', 'path 1: 7', 'path 2: 1']),
    )
  })

  it('takes up at once what another one let wait', async () => {
    const { near, far } = await connectedPair({
      dialer: { scheduler: { name: 'never', choose: () => undefined } },
    })
    near.write('waiting')
    await quiet()
    expect(near.unflushedBytes).toBe(7)
    near.setScheduler('lowest-rtt')
    expect(String(await readBytes(far, 7))).toBe('waiting')
  })

  test.each([
    ['fastest', 'got "fastest"'],
    [{ name: 'x' }, 'got object'],
    [null, 'got object'],
  ])('cannot be %j', async (scheduler, got) => {
    const message = `scheduler must be one of ${NAMES}, or have a name and choose(), ${got}`
    const options = { scheduler } as never
    expect(() => meeting({ dialer: options })).toThrow(message)
    expect(() => new MultipathListener([], [], options)).toThrow(message)
    const { near, far } = await connectedPair()
    expect(() => {
      near.setScheduler(scheduler as never)
    }).toThrow(OptionError)
    await carries(near, far, 10)
  })
})

describe('a scheduler that breaks its word', () => {
  const throws = (error: unknown) => (): never => {
    throw error
  }
  const first: Scheduler['choose'] = ({ subflows }) => subflows[0]
  const DENIED = new OptionError('a code of its own')

  test.each<[string, Partial<Scheduler>, string, unknown]>([
    ['throws', { choose: throws(DENIED) }, 'it threw', DENIED],
    ['throws no error', { choose: throws('a string') }, 'it threw', 'a string'],
    ['throws where it is asked to share', { choose: first, isShared: throws(DENIED) }, 'it threw', DENIED],
    [
      'makes a subflow up',
      { choose: ({ subflows }) => subflows[0] && { ...subflows[0] } },
      'is not there',
      undefined,
    ],
    ['chooses null', { choose: () => null as never }, 'is not there', undefined],
    ['promises one', { choose: (async () => undefined) as never }, 'is not there', undefined],
  ])('ends the connection with ERR_MULTIPATH_SCHEDULER: %s', async (_what, broken, message, cause) => {
    const caught = catchUncaught()
    const { near, far, dialer, listener } = await connectedPair({ paths: 2 })
    const other = await Promise.all([dialer.dial(), listener.accept()])
    await until(() => other.every((conn) => upCount(conn) === 2))
    const errors = [near, far].map(closing)
    near.setScheduler({ name: 'broken', choose: first, ...broken })
    near.write('lost')
    const flushed = near.flushed().catch((error: unknown) => error)
    const [nearError, farError] = await Promise.all(errors)
    expect(nearError).toMatchObject({ code: 'ERR_MULTIPATH_SCHEDULER' })
    expect(nearError?.message).toContain(message)
    expect(nearError?.cause).toBe(cause)
    expect(farError).toMatchObject({
      multipathCode: 'ERR_MULTIPATH_RESET',
      reason: 'ERR_MULTIPATH_SCHEDULER',
    })
    expect(await flushed).toBe(nearError)
    expect(near.subflows()).toEqual([])
    await carries(other[0], other[1], 1000)
    for (const conn of other) conn.destroy()
    expect([caught.exceptions, caught.rejections]).toEqual([[], []])
  })

  it('is found out, too, where it chooses what has no room', async () => {
    const stubborn: Scheduler = { name: 'stubborn', choose: first }
    const { near, far } = await connectedPair({ dialer: { scheduler: stubborn } })
    far.on('error', () => {}).resume()
    near.write(Buffer.alloc(20_000_000))
    expect(await closing(near)).toMatchObject({
      code: 'ERR_MULTIPATH_SCHEDULER',
      message: 'the scheduler failed: stubborn chose a subflow that is not there or has no room',
    })
  })
})

describe('the policy of a path', () => {
  it('is that of its dialer', async () => {
    const { paths, dialer, listener } = meeting({ paths: 2 })
    const policed = paths.map((path, index) => ({
      label: path.label,
      dial: path.dial.bind(path),
      policy: { tier: (['backup', 'primary'] as const)[index] },
    }))
    const [near, far] = await Promise.all([new MultipathDialer('memory', policed).dial(), listener.accept()])
    await until(() => upCount(near) === 2)
    await carries(near, far, 1000)
    expect(sentOn(near)).toEqual({ 'path 0': 0, 'path 1': 1000 })
    expect(
      near
        .subflows()
        .map(({ label, tier }) => `${label}: ${tier}`)
        .sort(),
    ).toEqual(['path 0: backup', 'path 1: primary'])
    expect(dialer.stats().map(({ sentBytes }) => sentBytes)).toEqual([0, 0])
    near.destroy()
    far.destroy()
  })

  it('is taken by tcpDialer, apart from what is for the socket', () => {
    const policy = { tier: 'backup', weight: 2, maxBytes: 3, maxBytesPerSecond: 4 } as const
    expect(tcpDialer({ port: 1, ...policy }).policy).toEqual(policy)
  })

  test.each([
    [{ tier: 'best' }, 'tier must be one of primary, secondary, backup, got "best"'],
    [{ weight: 0 }, 'weight must be an integer from 1 to 1000000, got 0'],
    [{ cost: 5 }, 'unknown option cost; known are tier, parallel, weight, maxBytes, maxBytesPerSecond'],
  ])('cannot be %j', async (wrong, message) => {
    const policy = wrong as PathPolicy
    const { near, far, dialer, paths } = await connectedPair({ paths: 2 })
    const [path] = paths
    const policed = { label: 'policed', dial: path!.dial.bind(path), policy }
    expect(() => new MultipathDialer('memory', [policed])).toThrow(message)
    for (const owner of [near, dialer])
      expect(() => {
        owner.setPathPolicy('path 0', policy)
      }).toThrow(new OptionError(message))
    await carries(near, far, 10)
  })

  it('changes on a connection at once, for what waits too', async () => {
    const { near, far } = await connectedPair({ paths: 2 })
    for (const label of ['path 0', 'path 1']) near.setPathPolicy(label, { maxBytes: 0 })
    near.write('waiting')
    await quiet()
    expect(near.unflushedBytes).toBe(7)
    near.setPathPolicy('path 1', { maxBytes: 1000 })
    expect(String(await readBytes(far, 7))).toBe('waiting')
    await near.flushed()
    expect(sentOn(near)).toEqual({ 'path 0': 0, 'path 1': 7 })
  })

  it('changes for all connections of a dialer, those to come included, and counts what all of them send', async () => {
    const { near, far, dialer, listener } = await connectedPair({ paths: 2 })
    dialer.setPathPolicy('path 0', { maxBytes: 150 })
    dialer.setPathPolicy('path 1', { tier: 'backup' })
    await carries(near, far, 100)
    const [next, nextFar] = await Promise.all([dialer.dial(), listener.accept()])
    await until(() => upCount(next) === 2)
    await carries(next, nextFar, 100)
    expect([sentOn(near), sentOn(next)]).toEqual([
      { 'path 0': 100, 'path 1': 0 },
      { 'path 0': 50, 'path 1': 50 },
    ])
    // The path is used up for the first connection as well.
    await carries(near, far, 10)
    expect(sentOn(near)).toEqual({ 'path 0': 100, 'path 1': 10 })
    for (const conn of [next, nextFar]) conn.destroy()
  })

  it('holds for a path whose subflow is gone, and for the one that replaces it', async () => {
    const { near, far, paths } = await connectedPair({ paths: 2, dialer: { redialMinMs: 1 } })
    paths[0]!.mode = 'refuse'
    paths[0]!.last.cut()
    await until(() => upCount(near) === 1)
    near.setPathPolicy('path 0', { tier: 'backup' })
    paths[0]!.mode = 'open'
    await until(() => upCount(near) === 2)
    await carries(near, far, 1000)
    expect(sentOn(near)).toEqual({ 'path 0': 0, 'path 1': 1000 })
  })

  it('of the listening side is set by the label there, and is its own', async () => {
    const { near, far } = await connectedPair({ paths: 2 })
    const { label } = far.subflows()[0]!
    far.setPathPolicy(label, { tier: 'backup' })
    expect(far.subflows().some(({ tier }) => tier === 'backup')).toBe(true)
    expect(near.subflows().map(({ tier }) => tier)).toEqual(['primary', 'primary'])
  })

  it('of an unknown path is refused, with the names of those that there are', async () => {
    const { near, dialer } = await connectedPair({ paths: 2 })
    expect(() => {
      near.setPathPolicy('path 7', {})
    }).toThrow(/^no path is called "path 7"; there are path [01], path [01]$/)
    expect(() => {
      dialer.setPathPolicy('path 7', {})
    }).toThrow('no path is called "path 7"')
    const fresh = dialer.prepare()
    expect(() => {
      fresh.setPathPolicy('path 0', {})
    }).toThrow('no path is called "path 0"; there are none yet')
    fresh.destroy()
  })
})

describe('a rate cap', () => {
  it('holds for all connections of a dialer together', async () => {
    const network = new SimulatedNetwork()
    const { clock } = network
    const link = network.link({ rateMbps: 50, delayMs: 10 })
    const listener = new MultipathListener([link.server], [], { clock })
    const capped = { ...link.dialer('capped'), policy: { maxBytesPerSecond: 500_000 } }
    const dialer = new MultipathDialer('there', [capped], { clock })
    const received = [0, 0]
    const conns: MultipathConn[] = []
    for (const index of received.keys()) {
      const [near, far] = await clock.until(Promise.all([dialer.dial(), listener.accept()]))
      far.on('data', ({ length }: Buffer) => (received[index] = received[index]! + length))
      near.write(Buffer.alloc(5_000_000))
      conns.push(near, far)
    }
    await clock.run(1000)
    const before = received[0]! + received[1]!
    await clock.run(4000)
    const bytes = received[0]! + received[1]! - before
    expect(bytes).toBeGreaterThan(0.97 * 2_000_000)
    expect(bytes).toBeLessThan(1.03 * 2_000_000)
    for (const conn of conns) conn.destroy()
    await listener.close()
  })
})

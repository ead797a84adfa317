// SPDX-License-Identifier: Apache-2.0
/** What a trace tells, over simulated links in virtual time. */
import { describe, expect, it, vi } from 'vitest'
import { MultipathDialer } from '../../lib/index.js'
import { memoryPaths } from '../support/memory-path.js'
import type { Traced } from '../support/traced.js'
import { connected, Lines } from '../support/traced.js'

const MB = 1_000_000
const TWO = [
  { rateMbps: 50, delayMs: 5 },
  { rateMbps: 20, delayMs: 20 },
]

async function traced(links = TWO, holdMs?: number): Promise<Traced & { lines: Lines; theirs: Lines }> {
  const lines = new Lines()
  const theirs = new Lines()
  const pair = await connected({
    links,
    dialer: { trace: lines.write, holdMs },
    listener: { trace: theirs.write },
  })
  await pair.clock.run(200)
  return { ...pair, lines, theirs }
}

describe('the events of a trace', () => {
  it('begin with the version, the name of the connection, its side and its scheduler', async () => {
    const { near, lines, theirs } = await traced()
    expect(lines.all[0]).toEqual({
      t: 0,
      c: expect.any(Number) as number,
      ev: 'open',
      v: 1,
      at: expect.stringMatching(/^2023-11-14T22:13:20\.\d{3}Z$/) as string,
      name: near.name,
      side: 'dialer',
      scheduler: 'lowest-rtt',
    })
    expect(theirs.all[0]).toMatchObject({ t: 0, ev: 'open', name: near.name, side: 'listener' })
    expect(theirs.all[0]!.c).not.toBe(lines.all[0]!.c)
  })

  it('tell of a subflow that joins, goes up, is suspected, returns and closes with reason and code', async () => {
    const { clock, links, near, far, lines } = await traced()
    far.resume()
    links[1]!.freeze()
    near.write(Buffer.alloc(MB))
    await clock.run(1000)
    links[1]!.thaw()
    await clock.run(2000)
    const second = lines.events('subflow').filter(({ label }) => label === 'link 1')
    expect(second[0]).toMatchObject({ id: 2, tier: 'primary', from: 'probing', state: 'probing' })
    const moves = second
      .filter(({ id }) => id === 2)
      .map(({ from, state }) => `${String(from)}>${String(state)}`)
    expect(moves.slice(0, 3)).toEqual(['probing>probing', 'probing>up', 'up>suspect'])
    links[0]!.cut()
    await clock.run(100)
    expect(lines.events('subflow').findLast(({ id }) => id === 1)).toMatchObject({
      label: 'link 0',
      from: 'up',
      state: 'closed',
      reason: 'failed',
      error: 'ECONNRESET',
    })
  })

  it('tell of a scheduler that is switched, once', async () => {
    const { clock, near, lines } = await traced()
    near.setScheduler('redundant')
    await clock.run(50)
    near.setScheduler('redundant')
    await clock.run(50)
    expect(lines.events('scheduler').map(({ scheduler }) => scheduler)).toEqual(['redundant'])
  })

  it('tell of a policy, whether the connection or its dialer changes it', async () => {
    const { clock, dialer, near, lines } = await traced()
    near.setPathPolicy('link 0', { tier: 'backup', maxBytes: 5 * MB })
    await clock.run(50)
    dialer.setPathPolicy('link 1', { weight: 3, maxBytesPerSecond: 1234567 })
    near.write('a flush')
    await clock.run(50)
    const policies = lines.events('policy').map(({ t: _t, c: _c, ev: _ev, ...policy }) => policy)
    expect(policies).toEqual([
      { label: 'link 0', tier: 'backup', weight: 1, maxBytes: 5 * MB },
      { label: 'link 1', tier: 'primary', weight: 3, maxBytesPerSecond: 1234567 },
    ])
  })

  it('close with the code of the error, or without one', async () => {
    const failing = await traced(TWO, 0)
    failing.near.on('error', () => {}).write(Buffer.alloc(MB))
    await failing.clock.run(20)
    for (const link of failing.links) link.cut()
    await failing.clock.run(20)
    expect(failing.lines.events('end')).toMatchObject([{ error: 'ERR_MULTIPATH_UNACKED' }])
    const good = await traced()
    good.far.resume().end()
    good.near.resume().end('whole')
    await good.clock.run(1000)
    expect(good.lines.events('end')).toHaveLength(1)
    expect(good.lines.events('end')[0]).not.toHaveProperty('error')
  })

  it('say nothing of a connection that never came to be', async () => {
    const lines = new Lines()
    const paths = memoryPaths(1)
    paths[0]!.mode = 'refuse'
    const dialer = new MultipathDialer('nowhere', paths, { trace: lines.write })
    await expect(dialer.dial()).rejects.toMatchObject({ multipathCode: 'ERR_MULTIPATH_FAIL_ON_ALL_DIALERS' })
    expect(lines.all).toEqual([])
  })
})

describe('the samples of a trace', () => {
  it('add up to what the connection has counted', async () => {
    const { clock, near, far, lines, theirs } = await traced()
    far.resume()
    near.write(Buffer.alloc(2 * MB))
    await clock.run(3000)
    for (const { id, sentBytes, retransmittedBytes } of near.subflows()) {
      expect(lines.sum('sent', id)).toBe(sentBytes)
      expect(lines.sum('resent', id)).toBe(retransmittedBytes)
      expect(lines.sum('acked', id)).toBe(sentBytes + retransmittedBytes)
    }
    for (const { id, receivedBytes } of far.subflows()) expect(theirs.sum('received', id)).toBe(receivedBytes)
    expect(lines.samples.at(-1)).toMatchObject({ acked: 2 * MB })
    expect(theirs.samples.at(-1)).toMatchObject({ read: 2 * MB })
  })

  it('come every 20 ms while there is something to do', async () => {
    const { clock, near, far, lines } = await traced()
    far.resume()
    const before = lines.samples.length
    near.write(Buffer.alloc(20 * MB))
    await clock.run(1000)
    const times = lines.samples.slice(before).map(({ t }) => t)
    expect(times.length).toBeGreaterThan(40)
    expect(times.length).toBeLessThanOrEqual(51)
  })

  it('are as near as that to each other even where single messages go to and fro', async () => {
    const { clock, near, far, lines } = await traced()
    far.on('data', (chunk: Buffer) => far.write(chunk))
    near.on('data', (chunk: Buffer) => near.write(chunk))
    near.write('ball')
    const before = lines.samples.length
    await clock.run(10_000)
    const perSecond = (lines.samples.length - before) / 10
    expect(perSecond).toBeGreaterThan(30)
    expect(perSecond).toBeLessThan(101)
  })

  it('are not written by a connection that rests, whatever its keep-alives find', async () => {
    const { clock, near, far, lines } = await traced()
    far.resume()
    near.write('once')
    await clock.run(500)
    near.write('twice')
    await clock.run(500)
    const before = lines.all.length
    await clock.run(300_000)
    expect(near.subflows().map(({ state }) => state)).toEqual(['up', 'up'])
    expect(lines.all.length - before).toBeLessThanOrEqual(1)
  })

  it('tell of the last moment before a pause as of that moment', async () => {
    const { clock, near, far, lines } = await traced()
    far.resume()
    const began = clock.now()
    near.write('first')
    await clock.run(10_000)
    near.write('second')
    await clock.run(100)
    const since = lines.all[0]!.t
    const acks = lines.subs.filter(({ acked }) => acked === 'first'.length)
    expect(acks).toHaveLength(1)
    expect(acks[0]!.t - since).toBeLessThan(began + 20)
    expect(acks[0]).not.toHaveProperty('flight')
  })

  it('never fall behind a line before them, and only subflows that changed are in them', async () => {
    const { clock, links, near, far, lines } = await traced()
    far.resume()
    near.write(Buffer.alloc(3 * MB))
    await clock.run(300)
    links[1]!.cut()
    await clock.run(5000)
    const times = lines.all.map(({ t }) => t)
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    const closedAt = lines.events('subflow').find(({ id, state }) => id === 2 && state === 'closed')!.t
    expect(lines.subs.some(({ id, t }) => id === 2 && t > closedAt)).toBe(false)
    expect(lines.subs.some(({ id, t }) => id === 1 && t > closedAt)).toBe(true)
  })

  it('count how often the scheduler waited for a better path', async () => {
    const waits = async (shapes: typeof TWO): Promise<number> => {
      const { clock, near, far, lines } = await traced(shapes)
      await clock.run(500)
      far.resume()
      for (let turn = 0; turn < 20; turn++) {
        near.write(Buffer.alloc(100_000))
        await clock.run(100)
      }
      return lines.samples.reduce((sum, line) => sum + Number(line['waits'] ?? 0), 0)
    }
    expect(await waits([TWO[0]!, { rateMbps: 20, delayMs: 100 }])).toBeGreaterThan(0)
    expect(await waits([TWO[0]!])).toBe(0)
  })
})

describe('a connection that is traced', () => {
  it('does all that it would do without', async () => {
    const counters = async (trace: ((line: string) => void) | undefined): Promise<unknown> => {
      const { clock, near, far } = await connected({ links: TWO, dialer: { trace }, listener: { trace } })
      far.resume()
      near.write(Buffer.alloc(5 * MB))
      await clock.run(700)
      return [near.subflows(), far.subflows(), clock.now()]
    }
    expect(await counters(() => {})).toEqual(await counters(undefined))
  })

  it('lives on when the function that gets the lines throws, which is warned of once', async () => {
    const warnings: Error[] = []
    vi.spyOn(process, 'emitWarning').mockImplementation((warning) => warnings.push(warning as Error))
    let calls = 0
    const trace = (): void => {
      calls++
      throw new Error('full')
    }
    const { clock, near, far } = await connected({ links: TWO, dialer: { trace }, listener: { trace } })
    let received = 0
    far.on('data', (chunk: Buffer) => (received += chunk.length))
    near.write(Buffer.alloc(MB))
    await clock.run(2000)
    expect({ received, calls }).toEqual({ received: MB, calls: 1 })
    expect(warnings.map(String)).toEqual(['the trace stops: its function failed: full'])
    vi.restoreAllMocks()
  })

  it('may be destroyed by the function that gets the lines', async () => {
    const held: { conn?: Traced['near'] } = {}
    const { clock, near } = await connected({
      links: TWO,
      dialer: { trace: (line) => line.includes('"acked"') && held.conn?.destroy() },
    })
    held.conn = near
    near.write(Buffer.alloc(MB))
    const closed = new Promise((resolve) => near.once('close', resolve))
    await clock.until(closed)
    expect(near.destroyed).toBe(true)
  })
})

describe('setTrace', () => {
  it('begins the trace of a live connection, with its subflows and without what was before, and ends it', async () => {
    const { clock, near, far } = await connected({ links: TWO })
    far.resume()
    near.write(Buffer.alloc(MB))
    await clock.run(2000)
    const lines = new Lines()
    near.setTrace(lines.write)
    near.write(Buffer.alloc(1000))
    await clock.run(1000)
    expect(lines.all[0]).toMatchObject({ t: 0, ev: 'open', v: 1, name: near.name, side: 'dialer' })
    const joins = lines.events('subflow').map(({ id, label, from, state }) => [id, label, from, state])
    expect(joins).toEqual([
      [1, 'link 0', 'probing', 'probing'],
      [1, 'link 0', 'probing', 'up'],
      [2, 'link 1', 'probing', 'probing'],
      [2, 'link 1', 'probing', 'up'],
    ])
    expect(lines.sum('sent', 1) + lines.sum('sent', 2)).toBe(1000)
    expect(lines.samples.at(-1)).toMatchObject({ acked: MB + 1000 })
    near.setTrace(undefined)
    const count = lines.all.length
    near.write(Buffer.alloc(1000))
    await clock.run(1000)
    expect(lines.all).toHaveLength(count)
    expect(lines.events('end')).toEqual([])
  })

  it('takes the place of a trace, tells the side of a listener, and refuses what is no target', async () => {
    const { clock, near, far, lines, theirs } = await traced()
    const others = new Lines()
    const before = theirs.all.length
    far.setTrace(others.write)
    near.write('x')
    await clock.run(100)
    expect(theirs.all).toHaveLength(before)
    expect(others.all[0]).toMatchObject({ ev: 'open', side: 'listener', name: far.name })
    expect(lines.all.length).toBeGreaterThan(0)
    expect(() => far.setTrace('')).toThrow(/^trace must be the name of a file or a function/)
  })
})

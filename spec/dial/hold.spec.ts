// SPDX-License-Identifier: Apache-2.0
/** A dialer and a listener whose paths are all gone for a while, in virtual time. */
import { describe, expect, it, onTestFinished, test, vi } from 'vitest'
import type {
  DialerOptions,
  ListenerOptions,
  MultipathConn,
  PathSource,
  SubflowDialer,
} from '../../lib/index.js'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import type { Link } from '../../lib/testing/link.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'

vi.setConfig({ testTimeout: 120_000 })

const MIB = 1_048_576

interface Seen {
  bytes: number
  /** When the last bytes came. */
  at: number
  readonly events: unknown[]
  error: (Error & { multipathCode?: string }) | undefined
}

function network(count = 2) {
  const net = new SimulatedNetwork()
  const shapes = [
    { rateMbps: 50, delayMs: 10 },
    { rateMbps: 20, delayMs: 30 },
  ]
  return { clock: net.clock, links: shapes.slice(0, count).map((shape) => net.link(shape)) }
}

function listen(clock: SimulatedNetwork['clock'], links: readonly Link[], options: ListenerOptions = {}) {
  const servers = links.map(({ server }) => server)
  const listener = new MultipathListener(servers, [], { clock, allowHalfOpen: true, ...options })
  onTestFinished(() => listener.close())
  return listener
}

async function meet(options: { dialer?: DialerOptions; listener?: ListenerOptions; paths?: number } = {}) {
  const { clock, links } = network(options.paths)
  const listener = listen(clock, links, options.listener)
  const paths = links.map((link, index) => link.dialer(`link ${index}`))
  const dialer = new MultipathDialer('the other end', paths, {
    clock,
    allowHalfOpen: true,
    ...options.dialer,
  })
  const open = async () => {
    const [near, far] = await clock.until(Promise.all([dialer.dial(), listener.accept()]))
    onTestFinished(() => {
      near.on('error', () => {}).destroy()
      far.on('error', () => {}).destroy()
    })
    return { near, far, atNear: watch(near), atFar: watch(far) }
  }
  const watch = (conn: MultipathConn): Seen => {
    const seen: Seen = { bytes: 0, at: 0, events: [], error: undefined }
    conn.on('data', (chunk: Buffer) => {
      seen.bytes += chunk.length
      seen.at = clock.now()
    })
    for (const event of ['suspended', 'resumed', 'end', 'close'])
      conn.on(event, (fact?: object) =>
        seen.events.push(fact === undefined || event === 'close' ? event : [event, fact]),
      )
    conn.on('error', (error: Error) => (seen.error = error))
    return seen
  }
  const first = await open()
  await clock.run(500)
  return { clock, links, listener, dialer, open, ...first }
}

describe('both paths gone in the middle of a transfer', () => {
  const ways: [string, (link: Link) => void, (link: Link) => void][] = [
    ['silently', (link) => link.freeze(), (link) => link.thaw()],
    ['with resets', (link) => link.cut(), (link) => link.restore()],
  ]
  const cases = ways.flatMap(([how, take, give]) => [5, 30, 100].map((s) => [how, s, take, give] as const))

  test.each(cases)(
    '%s for %i s cost no byte, and no second once they are back',
    async (_how, seconds, take, give) => {
      const { clock, links, near, far, atNear, atFar } = await meet()
      near.end(Buffer.alloc(8 * MIB))
      far.end(Buffer.alloc(8 * MIB))
      await clock.run(700)
      for (const link of links) take(link)
      await clock.run(seconds * 1000)
      const before = [atNear.bytes, atFar.bytes]
      for (const link of links) give(link)
      await clock.run(1000)
      expect([atNear.bytes > before[0]!, atFar.bytes > before[1]!]).toEqual([true, true])
      await clock.run(30_000)
      expect([atNear.error, atFar.error]).toEqual([undefined, undefined])
      expect([atNear.bytes, atFar.bytes]).toEqual([8 * MIB, 8 * MIB])
      expect(atNear.events.slice(-2)).toEqual(['end', 'close'])
    },
  )
})

describe('a path that returns silently', () => {
  const offsets = Array.from({ length: 24 }, (_, n) => 70_000 + n * 457)
  test.each(offsets)('is found within a second (after %i ms)', async (ms) => {
    const { clock, links, near } = await meet({ paths: 1 })
    links[0]!.freeze()
    near.write('x')
    await clock.run(ms)
    expect(near.isSuspended).toBe(true)
    links[0]!.thaw()
    await clock.run(1000)
    expect(near.isSuspended).toBe(false)
  })
})

describe('a connection without a path that is up', () => {
  test.each([
    ['cut', 'restore', true],
    ['freeze', 'thaw', false],
  ] as const)(
    'has the source of its paths look each half second after %s until %s',
    async (take, give, isSuspended) => {
      const { clock, links } = network(1)
      listen(clock, links)
      let looks = 0
      const source: PathSource = {
        watch: (paths) => {
          paths.add(links[0]!.dialer('link'))
          return () => {}
        },
        check: () => looks++,
      }
      const conn = await clock.until(new MultipathDialer('the other end', source, { clock }).dial())
      onTestFinished(() => void conn.on('error', () => {}).destroy())
      await clock.run(500)
      conn.write('x')
      links[0]![take]()
      await clock.run(500)
      expect(conn.isSuspended).toBe(isSuspended)
      const before = looks
      await clock.run(5000)
      expect(looks - before).toBeGreaterThanOrEqual(10)
      links[0]![give]()
      await clock.run(2000)
      expect(conn.subflows().map(({ state }) => state)).toEqual(['up'])
      const after = looks
      await clock.run(5000)
      expect(looks).toBe(after)
    },
  )
})

describe('a path whose first packet was lost before it returned', () => {
  /** A kernel repeats it after a second, and then ever later. */
  const LOST_MS = 3000

  it('is dialled again within half a second while no other answers', async () => {
    const { clock, links } = network(2)
    listen(clock, links)
    const [first, second] = links.map((link) => link.dialer('link'))
    let isLost = true
    const returned: SubflowDialer = {
      label: 'link',
      dial: async (options) => {
        if (isLost) await new Promise<void>((resolve) => clock.callAt(clock.now() + LOST_MS, resolve))
        return second!.dial(options)
      },
    }
    let known: Parameters<PathSource['watch']>[0] | undefined
    const source: PathSource = {
      watch: (paths) => {
        known = paths
        paths.add(first!)
        return () => {}
      },
      check: () => {},
    }
    const conn = await clock.until(new MultipathDialer('the other end', source, { clock }).dial())
    onTestFinished(() => void conn.on('error', () => {}).destroy())
    await clock.run(500)
    conn.write('x')
    links[0]!.freeze()
    await clock.run(400)
    known!.remove('link')
    known!.add(returned)
    await clock.run(100)
    expect(conn.subflows().map(({ state }) => state)).toEqual(['suspect'])
    isLost = false
    await clock.run(700)
    expect(conn.subflows().map(({ state }) => state)).toContain('up')
  })
})

describe('a connection that is suspended', () => {
  it('says so, and for how long it was', async () => {
    const { clock, links, near, far, atNear, atFar } = await meet()
    for (const link of links) link.cut()
    await clock.run(7000)
    expect([near.isSuspended, far.isSuspended, near.destroyed]).toEqual([true, true, false])
    for (const link of links) link.restore()
    await clock.run(1000)
    expect([near.isSuspended, far.isSuspended]).toEqual([false, false])
    for (const { events } of [atNear, atFar])
      expect(events).toEqual(['suspended', ['resumed', { durationMs: expect.closeTo(7500, -3) as number }]])
    expect(near.subflows().map(({ state }) => state)).toEqual(['up', 'up'])
  })

  it('takes writes until its buffers are full, and delivers them when a path is back', async () => {
    const { clock, links, near, atFar } = await meet()
    for (const link of links) link.cut()
    await clock.run(100)
    let isWritten = false
    near.write(Buffer.alloc(4 * MIB), () => (isWritten = true))
    near.end()
    await clock.run(20_000)
    expect(isWritten).toBe(false)
    links[1]!.restore()
    await clock.run(10_000)
    expect(isWritten).toBe(true)
    expect(atFar.bytes).toBe(4 * MIB)
    expect(atFar.events.at(-1)).toBe('end')
  })

  it('may be destroyed at once', async () => {
    const { clock, links, near, atNear } = await meet()
    for (const link of links) link.cut()
    await clock.run(100)
    near.destroy()
    expect([near.destroyed, near.isSuspended]).toEqual([true, false])
    await clock.run(100)
    expect(atNear.events).toEqual(['suspended', 'close'])
  })

  it('keeps its idle timeout', async () => {
    const { clock, links, far, atFar } = await meet({ listener: { idleTimeoutMs: 5000 } })
    for (const link of links) link.cut()
    await clock.run(7000)
    expect(far.destroyed).toBe(true)
    expect(atFar.error).toMatchObject({ code: 'ERR_MULTIPATH_IDLE' })
  })

  it('ends when the hold time of either side is over', async () => {
    const { clock, links, near, atNear, atFar } = await meet({ listener: { holdMs: 3000 } })
    near.write(Buffer.alloc(1000))
    await clock.run(1)
    for (const link of links) link.cut()
    await clock.run(2900)
    expect([atNear.error, atFar.error]).toEqual([undefined, undefined])
    await clock.run(200)
    expect(atNear.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_HOLD', unackedBytes: 1000 })
    expect(atFar.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_HOLD', unackedBytes: 0 })
  })

  it('ends as soon as its dialer has given every path up', async () => {
    const { clock, links, atNear } = await meet({ dialer: { redialRetries: 2 } })
    for (const link of links) link.cut()
    await clock.run(3000)
    expect(atNear.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_HOLD' })
    expect(atNear.error?.message).toMatch(/every path has been given up/)
  })

  it('ends with the first rejoin where the listener holds it no longer', async () => {
    const { clock, links, atNear } = await meet({ listener: { maxSuspended: 0 } })
    for (const link of links) link.cut()
    await clock.run(5000)
    expect(atNear.error).toBeUndefined()
    links[0]!.restore()
    await clock.run(900)
    expect(atNear.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_HOLD' })
    expect(atNear.error?.message).toMatch(/the peer holds the connection no longer/)
  })
})

/** Two connections to one listener, whose links have just been cut. */
async function twoCutOff(listener: ListenerOptions) {
  const { clock, links, open, ...first } = await meet({ listener, paths: 1 })
  const second = await open()
  await clock.run(500)
  for (const link of links) link.cut()
  return { clock, first, second }
}

describe('a listener', () => {
  it('holds no more connections than maxSuspended: the one suspended longest ago ends', async () => {
    const { clock, links, open, ...first } = await meet({ listener: { maxSuspended: 2 }, paths: 1 })
    const others = [await open(), await open()]
    await clock.run(500)
    for (const link of links) link.cut()
    await clock.run(100)
    const [oldest, ...rest] = [first, ...others]
    expect(oldest.atFar.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_HOLD' })
    for (const { atFar, far } of rest) expect([atFar.error, far.isSuspended]).toEqual([undefined, true])
  })

  it('holds no more bytes than maxSuspendedBytes, those written meanwhile included', async () => {
    const { clock, first, second } = await twoCutOff({ maxSuspendedBytes: 100_000 })
    await clock.run(100)
    first.far.write(Buffer.alloc(60_000))
    await clock.run(10)
    expect(first.far.isSuspended).toBe(true)
    second.far.write(Buffer.alloc(60_000))
    await clock.run(10)
    expect(first.atFar.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_HOLD', unackedBytes: 60_000 })
    expect(second.far.isSuspended).toBe(true)
  })

  it('holds others to maxSuspendedBytes even after one that alone had more', async () => {
    const { clock, first, second } = await twoCutOff({ maxSuspendedBytes: 100_000 })
    first.far.write(Buffer.alloc(150_000))
    await clock.run(100)
    expect(first.atFar.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_HOLD' })
    expect(second.far.isSuspended).toBe(true)
    second.far.write(Buffer.alloc(150_000))
    await clock.run(10)
    expect(second.atFar.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_HOLD' })
  })

  it('that is closed holds nothing: what is suspended ends, and others end with their last subflow, on both sides', async () => {
    const { clock, links, open, listener, ...first } = await meet({ paths: 1 })
    for (const link of links) link.cut()
    await clock.run(100)
    links[0]!.restore()
    first.near.destroy()
    const second = await open()
    await clock.run(500)
    await clock.until(listener.close())
    await clock.run(100)
    expect(first.atFar.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_HOLD' })
    second.near.write('still there')
    await clock.run(100)
    expect(second.atFar.bytes).toBe(11)
    links[0]!.cut()
    await clock.run(100)
    for (const { error } of [second.atNear, second.atFar])
      expect(error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })
})

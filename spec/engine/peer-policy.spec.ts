// SPDX-License-Identifier: Apache-2.0
/** A dialer says how its peer sends: on which path, how much, and by which scheduler. In virtual time. */
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { DialerOptions, ListenerOptions, MultipathConn, PathPolicy } from '../../lib/index.js'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import { resolveDialerOptions } from '../../lib/dial/options.js'
import { resolveListenerOptions } from '../../lib/listen/options.js'
import type { LinkOptions } from '../../lib/testing/link.js'
import type { ManualClock } from '../../lib/testing/manual-clock.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'

vi.setConfig({ testTimeout: 120_000 })

const MIB = 1_048_576
const PRIMARY = { rateMbps: 50, delayMs: 5 }
const BACKUP = { rateMbps: 20, delayMs: 10 }

interface Meeting {
  readonly shapes?: readonly LinkOptions[]
  readonly policies?: readonly PathPolicy[]
  readonly dialer?: DialerOptions
  readonly listener?: ListenerOptions
}

async function meet({ shapes = [PRIMARY, BACKUP], policies = [], ...given }: Meeting = {}) {
  const network = new SimulatedNetwork()
  const { clock } = network
  const links = shapes.map((shape) => network.link(shape))
  const servers = links.map(({ server }) => server)
  const listener = new MultipathListener(servers, [], { clock, allowHalfOpen: true, ...given.listener })
  const paths = links.map((link, n) => link.dialer(`link ${n}`, policies[n]))
  const dialer = new MultipathDialer('x', paths, { clock, allowHalfOpen: true, ...given.dialer })
  const [near, far] = await clock.until(Promise.all([dialer.dial(), listener.accept()]))
  onTestFinished(async () => {
    for (const conn of [near, far]) conn.on('error', () => {}).destroy()
    await listener.close()
  })
  await clock.run(200)
  const seen = { bytes: 0 }
  near.on('data', (chunk: Buffer) => (seen.bytes += chunk.length))
  return { clock, links, dialer, near, far, seen }
}

/** Payload bytes that `conn` has got on each path, by the dialer's label. */
function received(conn: MultipathConn): Record<string, number> {
  return Object.fromEntries(conn.subflows().map(({ label, receivedBytes }) => [label, receivedBytes]))
}

/** Payload bytes that `conn` has sent again. */
function retransmitted(conn: MultipathConn): number {
  return conn.subflows().reduce((sum, { retransmittedBytes }) => sum + retransmittedBytes, 0)
}

/** Payload bytes that `conn` has sent twice. */
function copied(conn: MultipathConn): number {
  return conn.subflows().reduce((sum, { copiedBytes }) => sum + copiedBytes, 0)
}

/** How long messages of four bytes to `conn` take, from the call of `begin` for each. */
function waitsAt(clock: ManualClock, conn: MultipathConn) {
  const begun: number[] = []
  const ended: number[] = []
  let bytes = 0
  conn.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    while (ended.length < Math.floor(bytes / 4)) ended.push(clock.now() - begun[ended.length]!)
  })
  return { ended, begin: () => begun.push(clock.now()) }
}

/** Writes so many bytes a millisecond from now on. */
function pace(clock: ManualClock, conn: MultipathConn, bytesPerMs: number): void {
  clock.callAt(clock.now() + 2, () => {
    if (conn.destroyed) return
    conn.write(Buffer.alloc(2 * bytesPerMs))
    pace(clock, conn, bytesPerMs)
  })
}

describe('tiers that the dialer alone has set', () => {
  const policies: PathPolicy[] = [{ tier: 'primary' }, { tier: 'backup' }]

  it('keep a download off the backup while the primary suffices, and move all of it there at once', async () => {
    const { clock, links, near, far, seen } = await meet({ policies })
    pace(clock, far, 2000)
    await clock.run(5000)
    const before = received(near)
    expect(before['link 0']).toBeGreaterThan(9_000_000)
    expect(before['link 1']).toBeLessThan(0.01 * before['link 0']!)
    links[0]!.cut()
    await clock.run(300)
    const at = seen.bytes
    await clock.run(300)
    expect(seen.bytes - at).toBeGreaterThan(0.95 * 300 * 2000)
    expect(far.subflows().map(({ tier, peerLabel }) => [tier, peerLabel])).toEqual([['backup', 'link 1']])
  })

  it.each(['cut', 'freeze'] as const)(
    'keep a download as fast as it can be off the backup, which has all of it 300 ms after a %s',
    async (end) => {
      const { clock, links, near, far, seen } = await meet({ policies })
      far.write(Buffer.alloc(64 * MIB))
      await clock.run(3000)
      const before = received(near)
      expect(before['link 0']).toBeGreaterThan(0.9 * 3000 * 6250)
      expect(before['link 1']).toBeLessThan(0.01 * before['link 0']!)
      expect(retransmitted(far)).toBe(0)
      links[0]![end]()
      await clock.run(300)
      const at = seen.bytes
      await clock.run(1000)
      expect(seen.bytes - at).toBeGreaterThan(0.9 * 1000 * 2500)
      expect(far.subflows().find(({ peerLabel }) => peerLabel === 'link 0')?.state).not.toBe('up')
    },
  )

  it('stay what they are over a reconnect', async () => {
    const { clock, links, near, far } = await meet({ policies })
    links[1]!.reset()
    await clock.run(2000)
    pace(clock, far, 4000)
    await clock.run(1000)
    expect(received(near)['link 0']).toBeGreaterThan(3_500_000)
    expect(received(near)['link 1']).toBeLessThan(35_000)
  })

  it('change nothing where the listener does not accept that, but the labels are shown', async () => {
    const { clock, near, far } = await meet({ policies, listener: { acceptPeerPolicy: false } })
    far.write(Buffer.alloc(8 * MIB))
    await clock.run(1000)
    expect(received(near)['link 1']).toBeGreaterThan(MIB / 2)
    expect(far.subflows().map(({ tier, peerLabel }) => [tier, peerLabel])).toEqual([
      ['primary', 'link 0'],
      ['primary', 'link 1'],
    ])
    expect(near.subflows().map(({ peerLabel }) => peerLabel)).toEqual([undefined, undefined])
  })
})

describe('what the dialer changes while a download runs', () => {
  it('is followed from the next frame on: pause, resume, and caps', async () => {
    const { clock, dialer, near, far } = await meet()
    far.write(Buffer.alloc(100 * MIB))
    await clock.run(500)
    dialer.pausePath('link 0')
    await clock.run(500)
    const paused = received(near)
    await clock.run(500)
    expect(received(near)['link 0']).toBe(paused['link 0'])
    dialer.resumePath('link 0')
    dialer.pausePath('link 1')
    await clock.run(500)
    const resumed = received(near)
    await clock.run(500)
    expect(received(near)['link 1']! - resumed['link 1']!).toBe(0)
    expect(received(near)['link 0']! - resumed['link 0']!).toBeGreaterThan(0.8 * 500 * 6250)
    dialer.setPathPolicy('link 0', { maxBytesPerSecond: 500_000 })
    await clock.run(500)
    const capped = received(near)
    await clock.run(1000)
    expect(received(near)['link 0']! - capped['link 0']!).toBeLessThan(600_000)
  })

  it('counts a cap of bytes over reconnects of the path', async () => {
    const { clock, links, near, far } = await meet({ policies: [{ maxBytes: 2 * MIB }, {}] })
    far.write(Buffer.alloc(40 * MIB))
    await clock.run(150)
    const first = received(near)['link 0']!
    expect(first).toBeGreaterThan(MIB / 8)
    links[0]!.reset()
    await clock.run(5000)
    expect(first + received(near)['link 0']!).toBeLessThan(2.2 * MIB)
  })
})

describe('a scheduler that the dialer alone wants', () => {
  const shapes = [
    { rateMbps: 50, delayMs: 5 },
    { rateMbps: 20, delayMs: 20 },
  ]

  it('has the listener send everything twice, so that no echo waits for the silent path', async () => {
    const dialer = { scheduler: 'redundant', peerScheduler: 'redundant' } as const
    const { clock, links, near, far } = await meet({ shapes, dialer })
    far.on('data', (chunk: Buffer) => far.write(chunk))
    const waits = waitsAt(clock, near)
    for (let n = 0; n < 300; n++) {
      if (n === 60) links[0]!.freeze()
      if (n === 240) links[0]!.thaw()
      waits.begin()
      near.write('ping')
      await clock.run(20)
    }
    await clock.run(1000)
    expect(waits.ended).toHaveLength(300)
    expect(Math.max(...waits.ended)).toBeLessThanOrEqual(50)
  })

  it('rules what the listener sends alone, whatever the dialer uses itself', async () => {
    const { clock, links, near, far } = await meet({
      shapes,
      dialer: { peerScheduler: 'redundant', hedgePercent: 0 },
    })
    const waits = waitsAt(clock, near)
    for (let n = 0; n < 300; n++) {
      if (n === 60) links[0]!.freeze('back')
      waits.begin()
      far.write('ping')
      near.write('pong')
      await clock.run(20)
    }
    await clock.run(1000)
    expect(waits.ended).toHaveLength(300)
    expect(Math.max(...waits.ended)).toBeLessThanOrEqual(25)
    expect(copied(near)).toBe(0)
  })

  it('may change, and is refused by a listener that does not accept it', async () => {
    const { clock, near, far } = await meet({ listener: { acceptPeerPolicy: false } })
    near.setPeerScheduler('redundant')
    await clock.run(100)
    far.write(Buffer.alloc(100_000))
    await clock.run(500)
    expect(copied(far)).toBe(0)
    const open = await meet()
    open.near.setPeerScheduler('redundant')
    await open.clock.run(100)
    open.far.write(Buffer.alloc(100_000))
    await open.clock.run(500)
    expect(copied(open.far)).toBeGreaterThan(30_000)
  })

  it('is a name, and acceptPeerPolicy true or false', () => {
    const wrong = { peerScheduler: 'best' } as unknown as DialerOptions
    expect(() => resolveDialerOptions(wrong)).toThrow(/^peerScheduler must be one of lowest-rtt.*got "best"/)
    const other = { acceptPeerPolicy: 1 } as unknown as ListenerOptions
    expect(() => resolveListenerOptions(other)).toThrow(/^acceptPeerPolicy must be true or false/)
  })
})

// SPDX-License-Identifier: Apache-2.0
/** Dialers and listeners whose subflows prove that they belong together, in virtual time. */
import type { Duplex } from 'node:stream'
import { describe, expect, it, onTestFinished, test, vi } from 'vitest'
import type { DialerOptions, ListenerOptions, MultipathConn, SubflowDialer } from '../../lib/index.js'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import type { LinkOptions } from '../../lib/testing/link.js'
import { SeededRandom } from '../../lib/testing/seeded-random.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'
import { encodeFin, encodeReset, RESET } from '../../lib/wire/end-frames.js'
import { encodeDataHeader } from '../../lib/wire/frame.js'
import { encodeHave } from '../../lib/wire/have.js'
import { encodeHello } from '../../lib/wire/hello.js'
import { encodeProof } from '../../lib/wire/proof.js'
import { ANNOUNCEMENT, encodeSettings } from '../../lib/wire/settings.js'
import { HOLD } from '../support/scripted-core.js'

vi.setConfig({ testTimeout: 120_000 })

const MIB = 1_048_576
const SECRET = 'open sesame, said Ali Baba'
const TWO = [
  { rateMbps: 50, delayMs: 10 },
  { rateMbps: 20, delayMs: 30 },
]

/** Collects what `conn` brings, and how it ends. */
function watch(conn: MultipathConn) {
  const seen = {
    bytes: 0,
    hasEnded: false,
    error: undefined as (Error & { multipathCode?: string }) | undefined,
  }
  conn.on('data', (chunk: Buffer) => (seen.bytes += chunk.length))
  conn.on('end', () => (seen.hasEnded = true))
  conn.on('error', (error: Error) => (seen.error = error))
  onTestFinished(() => void conn.destroy())
  return seen
}

interface Meeting {
  readonly shapes?: readonly LinkOptions[]
  readonly dialer?: DialerOptions
  readonly listener?: ListenerOptions
}

async function meet({ shapes = TWO, dialer: dials = {}, listener: listens = {} }: Meeting = {}) {
  const network = new SimulatedNetwork()
  const { clock } = network
  const links = shapes.map((shape) => network.link(shape))
  const common = { clock, allowHalfOpen: true }
  const listener = new MultipathListener(
    links.map(({ server }) => server),
    [],
    { ...common, ...listens },
  )
  onTestFinished(() => listener.close())
  const dialer = new MultipathDialer(
    'x',
    links.map((link, n) => link.dialer(`link ${n}`)),
    { ...common, ...dials },
  )
  const cids: Uint8Array[] = []
  const [near, far] = await clock.until(Promise.all([dialer.dial(), listener.accept()]))
  return { clock, links, listener, dialer, near, far, atNear: watch(near), atFar: watch(far), cids }
}

function ups(conn: MultipathConn): number {
  return conn.subflows().filter(({ state }) => state === 'up').length
}

describe('two of ours', () => {
  it('have both paths up as soon as without proofs, and on the side that listens a round trip later at most', async () => {
    const times = []
    for (const joinAuth of ['off', 'prefer'] as const) {
      const shapes = [TWO[0]!, TWO[0]!]
      const { clock, near, far } = await meet({ shapes, dialer: { joinAuth }, listener: { joinAuth } })
      const time = { near: 0, far: 0 }
      for (let ms = 0; ms < 500 && Math.min(time.near, time.far) === 0; ms++) {
        await clock.run(1)
        if (ups(near) === 2) time.near ||= clock.now()
        if (ups(far) === 2) time.far ||= clock.now()
      }
      times.push(time)
    }
    const [without, having] = [times[0]!, times[1]!]
    expect(having.near).toBeCloseTo(without.near, 0)
    expect(having.far - without.far).toBeLessThan(22)
  })

  const sides: [string, Meeting][] = [
    ['prefer and prefer', {}],
    ['require and prefer', { dialer: { joinAuth: 'require' } }],
    ['require and require', { dialer: { joinAuth: 'require' }, listener: { joinAuth: 'require' } }],
    ['off and prefer', { dialer: { joinAuth: 'off' } }],
    ['prefer and off', { listener: { joinAuth: 'off' } }],
    ['a secret on both sides', { dialer: { secret: SECRET }, listener: { secret: Buffer.from(SECRET) } }],
  ]
  test.each(sides)(
    'carry everything over both paths, and past a loss of both: %s',
    async (_what, meeting) => {
      const { clock, links, near, far, atNear, atFar } = await meet(meeting)
      near.end(Buffer.alloc(8 * MIB))
      far.end(Buffer.alloc(4 * MIB))
      await clock.run(500)
      expect([ups(near), ups(far)]).toEqual([2, 2])
      for (const link of links) link.cut()
      await clock.run(5000)
      for (const link of links) link.restore()
      await clock.run(20_000)
      expect(atFar).toEqual({ bytes: 8 * MIB, hasEnded: true, error: undefined })
      expect(atNear).toEqual({ bytes: 4 * MIB, hasEnded: true, error: undefined })
    },
  )

  test.each<[string, Meeting]>([
    ['different secrets', { dialer: { secret: SECRET }, listener: { secret: `${SECRET}!` } }],
    ['a secret of the dialer alone', { dialer: { secret: SECRET } }],
    ['a secret of the listener alone', { listener: { secret: SECRET } }],
  ])(
    'fail on both sides, before any byte is delivered: %s',
    async (_what, { dialer: dials, listener: listens }) => {
      const network = new SimulatedNetwork()
      const { clock } = network
      const link = network.link(TWO[0])
      const listener = new MultipathListener([link.server], [], { clock, ...listens })
      onTestFinished(() => listener.close())
      const refused: unknown[] = []
      listener.on('refused', (error) => refused.push((error as { code?: unknown }).code))
      let heard = 0
      const take = async (): Promise<void> => {
        for await (const conn of listener) {
          const far = conn
          far.on('data', (chunk: Buffer) => (heard += chunk.length)).on('error', () => {})
          far.write('y')
        }
      }
      void take()
      const dialer = new MultipathDialer('x', [link.dialer('link')], { clock, ...dials })
      const near = await clock.until(dialer.dial())
      const atNear = watch(near)
      near.write('x')
      await clock.run(1000)
      expect(atNear).toMatchObject({ bytes: 0, error: { multipathCode: 'ERR_MULTIPATH_AUTH' } })
      expect([refused, heard]).toEqual([['ERR_MULTIPATH_AUTH'], 0])
    },
  )

  it('are not told of a dialer that cannot prove anything where the listener requires that', async () => {
    const network = new SimulatedNetwork()
    const { clock } = network
    const link = network.link(TWO[0])
    const listener = new MultipathListener([link.server], [], { clock, joinAuth: 'require' })
    onTestFinished(() => listener.close())
    const accepted: unknown[] = []
    void listener.accept().then(
      (conn) => accepted.push(conn),
      () => {},
    )
    const near = await clock.until(
      new MultipathDialer('x', [link.dialer('link')], { clock, joinAuth: 'off' }).dial(),
    )
    const atNear = watch(near)
    await clock.run(1000)
    expect(atNear.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_AUTH' })
    expect([accepted, listener.connections]).toEqual([[], 0])
  })

  it('recognise with a secret at the first rejoin that the listener holds the connection no longer', async () => {
    const { clock, links, near, listener, atNear, far } = await meet({
      dialer: { secret: SECRET },
      listener: { secret: SECRET },
    })
    await clock.run(500)
    for (const link of links) link.cut()
    await clock.run(100)
    far.destroy()
    await clock.run(100)
    links[0]!.restore()
    await clock.run(900)
    expect(near.isSuspended).toBe(false)
    expect(atNear.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_HOLD' })
    await listener.close()
  })
})

/** What a sniffer sees of a path: what each stream of the dialer said, and what it heard. */
class Sniffed {
  readonly said: Buffer[][] = []
  /** Told the connection ID as soon as it is on the wire. */
  onCid: (cid: Uint8Array) => void = () => {}

  path(dialer: SubflowDialer): SubflowDialer {
    const { label } = dialer
    return { label, dial: async (options) => this.#tap(await dialer.dial(options)) }
  }

  #tap(stream: Duplex): Duplex {
    const said: Buffer[] = []
    this.said.push(said)
    const [write, emit] = [stream.write.bind(stream), stream.emit.bind(stream)]
    stream.write = (chunk: Uint8Array) => {
      said.push(Buffer.from(chunk))
      return write(chunk)
    }
    let isFirst = true
    stream.emit = (name: string, ...args: unknown[]) => {
      if (name === 'data' && isFirst) {
        isFirst = false
        this.onCid((args[0] as Buffer).subarray(1, 17))
      }
      return emit(name, ...args)
    }
    return stream
  }
}

const EVIL = Buffer.from('EVIL!')
const GO_WORDS = Buffer.of(0, 1, 0, 0)
const OURS = Buffer.concat([ANNOUNCEMENT, Buffer.of(0, 0)])
/** Frames 10 to 13, which the dialer sends, too. */
const FORGED = Buffer.concat(
  [10, 11, 12, 13].map((fn) => Buffer.concat([encodeDataHeader(EVIL.length, fn), EVIL])),
)
const noKey = encodeSettings({ holdMs: 1 })
const key = encodeSettings({ holdMs: 1, publicKey: new Uint8Array(32).fill(9), nonce: new Uint8Array(16) })

/** What a stranger says behind its hello. */
const LIES: readonly Uint8Array[] = [
  Buffer.concat([GO_WORDS, FORGED]),
  Buffer.concat([OURS, FORGED]),
  Buffer.concat([OURS, noKey, FORGED]),
  Buffer.concat([OURS, key, FORGED]),
  Buffer.concat([OURS, key, encodeProof(new Uint8Array(32)), FORGED]),
  Buffer.concat([OURS, key, encodeFin(11)]),
  Buffer.concat([OURS, key, encodeReset({ code: RESET.aborted })]),
  Buffer.concat([OURS, key, encodeHave({ nextFrame: 4000, ranges: [] })]),
  Buffer.concat([OURS, Buffer.of(0, HOLD)]),
  Buffer.concat([OURS, ...Array.from({ length: 100 }, (_, n) => Buffer.of(0, 10 + (n % 50)))]),
  OURS,
  Buffer.alloc(0),
]

async function underAttack(seed: number, dialer: DialerOptions = {}) {
  const random = new SeededRandom(seed)
  const network = new SimulatedNetwork({ seed })
  const { clock } = network
  const links = [TWO[random.integer(0, 1)]!, TWO[random.integer(0, 1)]!].map((shape) => network.link(shape))
  const evil = network.link({ delayMs: 1 })
  const listener = new MultipathListener(
    [...links, evil].map(({ server }) => server),
    [],
    { clock, allowHalfOpen: true },
  )
  onTestFinished(() => listener.close())
  const sniffed = new Sniffed()
  const paths = links.map((link, n) => sniffed.path(link.dialer(`link ${n}`)))
  const strangers: Duplex[] = []
  const join = async (cid: Uint8Array): Promise<void> => {
    const stream = await evil.dialer('evil').dial({ signal: new AbortController().signal })
    strangers.push(stream)
    stream.on('error', () => {}).resume()
    const replayed = random.pick([...sniffed.said, []]).slice(1)
    stream.write(
      Buffer.concat([encodeHello(cid), random.random() < 0.3 ? Buffer.concat(replayed) : random.pick(LIES)]),
    )
  }
  sniffed.onCid = (cid) => {
    sniffed.onCid = () => {}
    const next = (): void => {
      if (strangers.length >= 60) return
      void join(cid)
      clock.callAt(clock.now() + random.integer(1, 400), next)
    }
    next()
  }
  const options = { clock, allowHalfOpen: true, ...dialer }
  const [near, far] = await clock.until(
    Promise.all([new MultipathDialer('x', paths, options).dial(), listener.accept()]),
  )
  return { clock, links, near, far, atNear: watch(near), atFar: watch(far), strangers, listener, random }
}

describe('who has sniffed the connection ID and every byte', () => {
  test.each(Array.from({ length: 20 }, (_, n) => n + 1))(
    'can neither join, nor end the connection, nor put in a byte: seed %i',
    async (seed) => {
      const { clock, links, near, far, atNear, atFar, strangers, random } = await underAttack(seed)
      const heard: Buffer[] = []
      far.on('data', (chunk: Buffer) => heard.push(chunk))
      near.write(Buffer.alloc(2 * MIB, 'true'))
      far.end(Buffer.alloc(MIB, 'true'))
      await clock.run(random.integer(50, 700))
      for (const link of links) link.cut()
      await clock.run(random.integer(100, 8000))
      expect([near.isSuspended, far.isSuspended]).toEqual([true, true])
      for (const link of links) link.restore()
      await clock.run(3000)
      near.end(Buffer.alloc(MIB, 'true'))
      await clock.run(30_000)
      expect(atFar, `seed ${seed}`).toEqual({ bytes: 3 * MIB, hasEnded: true, error: undefined })
      expect(atNear, `seed ${seed}`).toEqual({ bytes: MIB, hasEnded: true, error: undefined })
      expect(Buffer.concat(heard).equals(Buffer.alloc(3 * MIB, 'true'))).toBe(true)
      expect(strangers.length).toBeGreaterThan(5)
      expect(strangers.every(({ destroyed }) => destroyed)).toBe(true)
    },
  )
})

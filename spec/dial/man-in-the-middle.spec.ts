// SPDX-License-Identifier: Apache-2.0
/** Somebody on the paths who is no mere sniffer: it has keys of its own, leaves things out, or says again what was said before. */
import { describe, expect, it, onTestFinished, test, vi } from 'vitest'
import type { ListenerOptions, MultipathConn, SubflowChange } from '../../lib/index.js'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'
import { EXTENSION } from '../../lib/wire/extension.js'
import { CODE_CAPABLE, CODE_EXTENDS, CODE_PING, CODE_PONG } from '../../lib/wire/limits.js'
import type { Deeds } from '../support/relay-with-keys.js'
import { Relay } from '../support/relay-with-keys.js'

vi.setConfig({ testTimeout: 60_000 })

const SECRET = 'open sesame, said Ali Baba'
const EXTENSIONS = Object.values(EXTENSION)
const AUTH = 'ERR_MULTIPATH_AUTH'

interface Seen {
  heard: string
  hasEnded: boolean
  error: string | undefined
}

function watch(conn: MultipathConn): Seen {
  const seen: Seen = { heard: '', hasEnded: false, error: undefined }
  conn.on('data', (chunk: Buffer) => (seen.heard += chunk.toString('latin1')))
  conn.on('end', () => (seen.hasEnded = true))
  conn.on('error', (error: Error & { multipathCode?: string }) => (seen.error = error.multipathCode))
  onTestFinished(() => void conn.destroy())
  return seen
}

interface Scene {
  /** On each path that is listed; `undefined`: nobody is there. */
  readonly middle: readonly (Deeds | undefined)[]
  readonly secret?: string | undefined
  readonly options?: ListenerOptions
}

/** A dialer and a listener that say `true` to each other as soon as they can. */
async function meet({ middle, secret, options }: Scene) {
  const network = new SimulatedNetwork()
  const { clock } = network
  const shape = { rateMbps: 50, delayMs: 10 }
  const links = middle.map(() => network.link(shape))
  const relays = links.map((link, n) => middle[n] && new Relay(network.link(shape), link, middle[n]))
  const common = { clock, allowHalfOpen: true, ...(secret !== undefined && { secret }), ...options }
  const listener = new MultipathListener(
    links.map(({ server }) => server),
    [],
    common,
  )
  onTestFinished(() => listener.close())
  const refused: unknown[] = []
  listener.on('refused', (error) => refused.push((error as { code?: unknown }).code))
  const accepted: { conn: MultipathConn; seen: Seen }[] = []
  const take = async (): Promise<void> => {
    for await (const conn of listener) {
      accepted.push({ conn, seen: watch(conn) })
      conn.write('true')
    }
  }
  void take()
  const paths = links.map((link, n) => relays[n]?.path(`path ${n}`) ?? link.dialer(`path ${n}`))
  const dial = () =>
    clock.until(
      new MultipathDialer('x', paths, common).dial().then((near) => {
        const atNear = watch(near)
        near.write('true')
        return { near, atNear }
      }),
    )
  return { clock, links, relays, refused, accepted, listener, dial, ...(await dial()) }
}

/** How both sides fail that were to get nothing. */
const NOTHING = { heard: '', hasEnded: false, error: AUTH }
const OWN_KEYS: Deeds = { hasKeys: true, forge: (payload) => Buffer.alloc(payload.length, 'EVIL') }

describe('who has keys of its own on every path', () => {
  test.each<[string, Scene]>([
    ['without a secret', { middle: [OWN_KEYS, OWN_KEYS] }],
    [
      'with a secret that it knows',
      { middle: Array<Deeds>(2).fill({ ...OWN_KEYS, secret: SECRET }), secret: SECRET },
    ],
  ])('goes unnoticed, and puts in what it likes: %s', async (_what, scene) => {
    const { clock, near, atNear, accepted } = await meet(scene)
    await clock.run(2000)
    const states = near.subflows().map(({ state }) => state)
    expect([atNear, accepted[0]!.seen, states]).toMatchObject([
      { heard: 'EVIL', error: undefined },
      { heard: 'EVIL', error: undefined },
      ['up', 'up'],
    ])
  })

  test.each([1, 2, 3])(
    'is found out on both sides by a secret, before any byte is delivered: %i paths',
    async (paths) => {
      const middle = Array<Deeds>(paths).fill(OWN_KEYS)
      const { clock, atNear, accepted } = await meet({ middle, secret: SECRET })
      await clock.run(15_000)
      expect([atNear, accepted[0]?.seen]).toEqual([NOTHING, NOTHING])
    },
  )
})

const STRIPPERS: [string, Deeds][] = [
  ['SETTINGS', { strips: { types: [EXTENSION.settings] } }],
  ['PROOFs', { strips: { types: [EXTENSION.proof] } }],
  ['all that an earlier version does not say', { strips: { codes: [CODE_EXTENDS], types: EXTENSIONS } }],
  ['all that a Go peer does not say', { strips: { codes: [CODE_CAPABLE, CODE_EXTENDS], types: EXTENSIONS } }],
  [
    'all but the hello',
    { strips: { codes: [CODE_PING, CODE_PONG, CODE_CAPABLE, CODE_EXTENDS], types: EXTENSIONS } },
  ],
]

describe('without a secret, who is in the middle', () => {
  it('says again what a dialer said, and is taken for another one', async () => {
    const { clock, relays, dial, near, accepted } = await meet({ middle: [{}] })
    await clock.run(1000)
    near.destroy()
    await clock.run(1000)
    const [relay] = relays
    relay!.deeds = { replays: relay!.recorded[0]! }
    await dial()
    await clock.run(1000)
    expect(accepted.length).toBeGreaterThan(1)
    expect(new Set(accepted.map(({ seen }) => seen.heard))).toEqual(new Set(['true']))
  })
})

describe('with a secret on both sides, who is in the middle', () => {
  test.each(STRIPPERS)(
    'of every path and strips %s causes an error on both sides, before any byte is delivered',
    async (_what, deeds) => {
      const { clock, atNear, accepted, refused } = await meet({ middle: [deeds, deeds], secret: SECRET })
      await clock.run(15_000)
      const atFar = accepted[0]?.seen ?? { ...NOTHING, error: refused[0] }
      expect([atNear, atFar]).toEqual([NOTHING, NOTHING])
    },
  )

  const [settings, proofs, earlier, go, hello] = STRIPPERS.map(([, deeds]) => deeds)
  test.each([
    ['has keys of its own', OWN_KEYS],
    ['has both pass for an earlier version', earlier!],
    ['has both pass for Go peers', go!],
  ])(
    'of the first path alone, and %s, ends the connection before any byte is delivered',
    async (_what, deeds) => {
      const { clock, atNear, accepted } = await meet({ middle: [deeds, undefined], secret: SECRET })
      await clock.run(1000)
      expect([atNear, accepted[0]?.seen]).toEqual([NOTHING, NOTHING])
    },
  )

  test.each([
    ['SETTINGS', settings!],
    ['PROOFs', proofs!],
    ['all but the hello', hello!],
  ])(
    'of the first path alone, and strips %s, neither ends nor delays what another path proves',
    async (_what, deeds) => {
      const { clock, atNear, accepted } = await meet({ middle: [deeds, undefined], secret: SECRET })
      await clock.run(1000)
      const whole = { heard: 'true', hasEnded: false, error: undefined }
      expect([atNear, accepted[0]?.seen]).toEqual([whole, whole])
      await clock.run(15_000)
      expect([atNear.error, accepted[0]!.seen.error]).toEqual([undefined, undefined])
    },
  )

  it('of a further path has that path left out, and changes nothing', async () => {
    const { clock, near, atNear, accepted } = await meet({ middle: [undefined, OWN_KEYS], secret: SECRET })
    const reasons = new Set<unknown>()
    near.on('subflow-close', ({ label, reason }: SubflowChange) => reasons.add(`${label}: ${reason}`))
    await clock.run(15_000)
    expect(atNear).toEqual({ heard: 'true', hasEnded: false, error: undefined })
    expect(accepted[0]!.seen).toEqual({ heard: 'true', hasEnded: false, error: undefined })
    expect([...reasons]).toEqual(['path 1: unproven'])
    expect(near.subflows().map(({ label }) => label)).not.toContain('path 1')
  })

  it('says again what an earlier session said, and proves nothing by it', async () => {
    const { clock, relays, dial, near, atNear, accepted, refused } = await meet({
      middle: [{}],
      secret: SECRET,
    })
    await clock.run(1000)
    expect([atNear.heard, accepted[0]!.seen.heard]).toEqual(['true', 'true'])
    near.destroy()
    await clock.run(1000)
    const [relay] = relays
    relay!.deeds = { replays: relay!.recorded[0]! }
    const again = await dial()
    await clock.run(15_000)
    expect([again.atNear, refused, accepted.length]).toEqual([NOTHING, [AUTH], 1])
  })

  it('neither resumes a suspended connection, nor ends it: the hold time does', async () => {
    const middle: Deeds[] = [{}, {}]
    const { clock, links, relays, near, atNear, accepted } = await meet({
      middle,
      secret: SECRET,
      options: { holdMs: 20_000 },
    })
    await clock.run(1000)
    for (const link of links) link.cut()
    await clock.run(1000)
    for (const relay of relays) relay!.deeds = OWN_KEYS
    for (const link of links) link.restore()
    near.write('more')
    await clock.run(15_000)
    expect([near.isSuspended, accepted[0]!.conn.isSuspended]).toEqual([true, true])
    await clock.run(15_000)
    const ended = { heard: 'true', hasEnded: false, error: 'ERR_MULTIPATH_HOLD' }
    expect([atNear, accepted[0]!.seen]).toEqual([ended, ended])
  })
})

describe('a FIN that somebody strips', () => {
  const STRIPS: Deeds = { strips: { types: [EXTENSION.fin] } }

  test.each<[string, Deeds, number, string[]]>([
    [
      'and cuts the path',
      { ...STRIPS, cutsBehindFin: true },
      0,
      ['ERR_MULTIPATH_UNACKED', 'ERR_MULTIPATH_INCOMPLETE'],
    ],
    [
      'and cuts the path of a connection that is held',
      { ...STRIPS, cutsBehindFin: true },
      10_000,
      ['ERR_MULTIPATH_HOLD', 'ERR_MULTIPATH_HOLD'],
    ],
    ['and leaves the path as it is', STRIPS, 10_000, ['ERR_MULTIPATH_LINGER', 'ERR_MULTIPATH_RESET']],
  ])('is an error on both sides, never an end: %s', async (_what, deeds, holdMs, errors) => {
    const { clock, near, atNear, accepted } = await meet({ middle: [deeds], options: { holdMs } })
    await clock.run(1000)
    near.end()
    await clock.run(100_000)
    expect([atNear, accepted[0]!.seen]).toEqual(
      errors.map((error) => ({ heard: 'true', hasEnded: false, error })),
    )
  })
})

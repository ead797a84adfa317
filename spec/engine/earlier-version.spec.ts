// SPDX-License-Identifier: Apache-2.0
/** One side of an earlier version: everything goes on as it was between two of that version. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { DialerOptions, ListenerOptions, MultipathConn, SubflowChange } from '../../lib/index.js'
import * as current from '../../lib/index.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'
import type { Library } from '../support/earlier-version.js'
import { earlierVersion } from '../support/earlier-version.js'

const MIB = 1_048_576

let earlier: Library | undefined
beforeAll(async () => {
  earlier = await earlierVersion()
}, 60_000)

/** Collects what `conn` brings, its end, and its error. */
function watch(conn: MultipathConn) {
  const seen = { bytes: 0, hasEnded: false, isClosed: false, error: undefined as Error | undefined }
  conn.on('data', (chunk: Buffer) => (seen.bytes += chunk.length))
  conn.on('end', () => (seen.hasEnded = true))
  conn.on('close', () => (seen.isClosed = true))
  conn.on('error', (error: Error) => (seen.error = error))
  return seen
}

interface Options {
  readonly dialer?: DialerOptions
  readonly listener?: ListenerOptions
}

async function meet(
  dials: Library,
  listens: Library,
  { dialer: ofDialer, listener: ofListener }: Options = {},
) {
  const network = new SimulatedNetwork()
  const { clock } = network
  const links = [network.link({ rateMbps: 50, delayMs: 5 }), network.link({ rateMbps: 20, delayMs: 20 })]
  const listener = new listens.MultipathListener(
    links.map(({ server }) => server),
    [],
    { clock, allowHalfOpen: true, ...ofListener },
  )
  const dialers = links.map((link, index) => link.dialer(`link ${index}`))
  const dialer = new dials.MultipathDialer('earlier', dialers, { clock, allowHalfOpen: true, ...ofDialer })
  const reasons: unknown[] = []
  const note = ({ reason }: SubflowChange): void => {
    reasons.push(reason)
  }
  listener.on('subflow-close', note)
  dialer.on('subflow-close', note)
  const [near, far] = await clock.until(Promise.all([dialer.dial(), listener.accept()]))
  await clock.run(500)
  return { clock, links, listener, near, far, atNear: watch(near), atFar: watch(far), reasons }
}

describe.each([
  ['dials', () => [earlier, current]],
  ['listens', () => [current, earlier]],
] as const)('a peer of the earlier version that %s', (_role, sides) => {
  it('carries data both ways, past a path that breaks, and ends in order', async (context) => {
    const [dials, listens] = sides()
    if (dials === undefined || listens === undefined) return context.skip('no history')
    const { clock, links, near, far, atNear, atFar, listener } = await meet(dials, listens)
    near.end(Buffer.alloc(8 * MIB))
    far.write(Buffer.alloc(4 * MIB))
    await clock.run(400)
    links[0]!.cut()
    await clock.run(300)
    links[0]!.restore()
    far.end(Buffer.alloc(MIB))
    await clock.run(20_000)
    expect(atFar).toEqual({ bytes: 8 * MIB, hasEnded: true, isClosed: true, error: undefined })
    expect(atNear).toEqual({ bytes: 5 * MIB, hasEnded: true, isClosed: true, error: undefined })
    await clock.until(listener.close())
  })

  it('loses the connection with its last subflow, at once and on both sides', async (context) => {
    const [dials, listens] = sides()
    if (dials === undefined || listens === undefined) return context.skip('no history')
    const { clock, links, near, atNear, atFar, listener } = await meet(dials, listens)
    near.write(Buffer.alloc(8 * MIB))
    await clock.run(300)
    for (const link of links) link.cut()
    await clock.run(100)
    expect(atNear.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_UNACKED' })
    expect(atFar.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
    await clock.until(listener.close())
  })
})

const VERSIONS: [string, () => Library | undefined][] = [['before extension frames', () => earlier]]
const SIDES = VERSIONS.flatMap(([name, version]) => [
  [`a version ${name} that dials`, () => [version(), current]] as const,
  [`a version ${name} that listens`, () => [current, version()]] as const,
])

describe.each(SIDES)('%s', (_name, sides) => {
  it('minds neither policies that change nor a paused path, and every byte arrives', async (context) => {
    const [dials, listens] = sides()
    if (dials === undefined || listens === undefined) return context.skip('no history')
    const { clock, near, far, atNear, atFar, listener, reasons } = await meet(dials, listens)
    near.write(Buffer.alloc(2 * MIB))
    far.write(Buffer.alloc(2 * MIB))
    await clock.run(200)
    near.setPathPolicy('link 0', { tier: 'backup', weight: 3 })
    await clock.run(200)
    near.pausePath('link 1')
    await clock.run(500)
    near.resumePath('link 1')
    near.end(Buffer.alloc(MIB))
    far.end(Buffer.alloc(MIB))
    await clock.run(20_000)
    for (const seen of [atNear, atFar])
      expect(seen).toEqual({ bytes: 3 * MIB, hasEnded: true, isClosed: true, error: undefined })
    for (const bad of ['protocol', 'unproven', 'limit']) expect(reasons).not.toContain(bad)
    await clock.until(listener.close())
  })
})

describe.each(VERSIONS)('a peer of a version %s, where we have a secret', (_name, version) => {
  it('gets no byte when it listens, and gives none', async (context) => {
    const listens = version()
    if (listens === undefined) return context.skip('no history')
    const network = new SimulatedNetwork()
    const { clock } = network
    const link = network.link({ delayMs: 5 })
    const listener = new listens.MultipathListener([link.server], [], { clock })
    const secret = 'a secret that it does not know'
    const heard: unknown[] = []
    const talk = (conn: MultipathConn): MultipathConn => {
      conn.on('data', (chunk: Buffer) => heard.push(chunk)).on('error', () => {})
      conn.write('x')
      return conn
    }
    const take = async (): Promise<void> => {
      for await (const conn of listener) talk(conn)
    }
    void take()
    const near = await clock.until(
      new current.MultipathDialer('earlier', [link.dialer('link')], { clock, secret }).dial().then(talk),
    )
    await clock.run(15_000)
    expect(near.errored).toMatchObject({ multipathCode: 'ERR_MULTIPATH_AUTH' })
    expect([heard, listener.connections]).toEqual([[], 0])
    await clock.until(listener.close())
  })
})

// SPDX-License-Identifier: Apache-2.0
/** The drawings of docs/protocol.md beside what connections do and say, in virtual time. */
import { readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { MultipathConn } from '../../lib/index.js'
import { connect, MultipathDialer, MultipathListener } from '../../lib/index.js'
import type { Link } from '../../lib/testing/link.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'
import { EXTENSION, Extension } from '../../lib/wire/extension.js'
import { FrameReader } from '../../lib/wire/frame-reader.js'
import * as limits from '../../lib/wire/limits.js'
import { Payload } from '../../lib/wire/payload.js'
import type { Speaker, State } from '../support/connection-charts.js'
import { PHASES, STATES, TRANSITIONS, transitionTable } from '../support/connection-charts.js'
import { PAGES } from '../support/docs.js'
import type { Recorded } from '../support/relay-with-keys.js'
import { Relay } from '../support/relay-with-keys.js'

const PAGE = readFileSync('docs/protocol.md', 'utf8')

it.each(Object.keys(PAGES))('%s is what `npm run docs` makes of the code', (file) => {
  expect(readFileSync(file, 'utf8')).toBe(PAGES[file]!())
})

function stateOf(conn: MultipathConn): State {
  if (conn.destroyed) return 'closed'
  if (conn.connecting) return 'dialling'
  if (conn.isSuspended) return 'suspended'
  return conn.writableEnded ? 'ending' : 'open'
}

interface Scene {
  readonly link: Link
  readonly near: MultipathConn
  readonly far: MultipathConn
  readonly run: (ms: number) => Promise<void>
}

/** Each brings a connection through some of its states. */
const LIVES: Readonly<Record<string, (scene: Scene) => Promise<unknown>>> = {
  async ends({ near, far, run }) {
    near.end('x')
    far.end()
    await run(500)
  },
  async 'is held twice, and ends'({ link, near, far, run }) {
    link.cut()
    await run(500)
    link.restore()
    await run(2000)
    near.end('x')
    await run(5)
    link.cut()
    await run(500)
    link.restore()
    far.end()
    await run(3000)
  },
  async 'is held for too long'({ link, run }) {
    link.cut()
    await run(12_000)
  },
  async 'is destroyed'({ near, run }) {
    near.destroy()
    await run(100)
  },
}

async function transitionsOf(live: (scene: Scene) => Promise<unknown>): Promise<Set<string>> {
  const network = new SimulatedNetwork()
  const { clock } = network
  const link = network.link({ delayMs: 10 })
  const common = { clock, allowHalfOpen: true, holdMs: 10_000 }
  const listener = new MultipathListener([link.server], [], common)
  onTestFinished(() => listener.close())
  const near = connect({ ...common, paths: [link.dialer('x')] })
  const seen = new Set<string>()
  let last = stateOf(near)
  const look = (): void => {
    const state = stateOf(near)
    if (state !== last) seen.add(`${last} → ${state}`)
    last = state
  }
  const run = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at++) {
      look()
      await clock.run(1)
    }
    look()
  }
  near.on('error', () => {}).resume()
  const accepted = listener.accept()
  await run(300)
  const far = await accepted
  far.on('error', () => {}).resume()
  await live({ link, near, far, run })
  expect(STATES).toContain(last)
  near.destroy()
  far.destroy()
  return seen
}

describe('the states of a connection', () => {
  it('are those that connections go through, and no others', async () => {
    const seen = new Set<string>()
    for (const live of Object.values(LIVES)) for (const each of await transitionsOf(live)) seen.add(each)
    const network = new SimulatedNetwork()
    const link = network.link()
    link.cut()
    const lost = connect({ clock: network.clock, paths: [link.dialer('x')] }).on('error', () => {})
    expect(stateOf(lost)).toBe('dialling')
    await network.clock.run(100)
    seen.add(`dialling → ${stateOf(lost)}`)
    expect(seen).toEqual(new Set(TRANSITIONS.map(({ from, to }) => `${from} → ${to}`)))
  })

  it('stand in the page with the reason for each change', () => {
    expect(PAGE).toContain(transitionTable())
    expect(PAGE).toContain('(protocol/states.svg)')
  })
})

const NAMES: Readonly<Record<number, string>> = {
  [limits.CODE_PING]: 'ping',
  [limits.CODE_PONG]: 'pong',
  [limits.CODE_EXTENDS]: 'extends',
  [limits.CODE_CAPABLE]: 'capable',
}
const TYPES = new Map<number, string>(
  Object.entries(EXTENSION).map(([name, type]) => [type, name.toUpperCase()]),
)

/** What one side said, one write after another; without pongs, pings and acks that came alone. */
function sayings(chunks: readonly Buffer[]): string[][] {
  let helloLeft = limits.HELLO_BYTES
  let words: string[] = []
  const reader = new FrameReader({
    begin: (_fn, size) => new Payload(size),
    onData: () => words.push('data'),
    onAck: () => words.push('ack'),
    onCode: (code) => words.push(NAMES[code] ?? `code ${code}`),
    onExtension: (_number, bytes) => words.push(TYPES.get(new Extension(bytes).type)!),
  })
  return chunks.flatMap((chunk) => {
    const hello = chunk.subarray(0, helloLeft)
    helloLeft -= hello.length
    words = hello.length > 0 ? ['hello'] : []
    reader.push(chunk.subarray(hello.length))
    return words.every((word) => ['ping', 'pong', 'ack'].includes(word)) ? [] : [words]
  })
}

describe('the sequence of a join, a hold and a resumption', () => {
  it('is what both sides say', async () => {
    const network = new SimulatedNetwork()
    const { clock } = network
    const links = [0, 1].map(() => network.link({ delayMs: 10 }))
    const relays = links.map((link) => new Relay(network.link({ delayMs: 10 }), link, {}))
    const common = { clock, allowHalfOpen: true }
    const listener = new MultipathListener(
      links.map(({ server }) => server),
      [],
      common,
    )
    const paths = relays.map((relay, n) => relay.path(`path ${n}`))
    const dialling = new MultipathDialer('x', paths, common).dial()
    const ends = await clock.until(Promise.all([dialling, listener.accept()]))
    await clock.run(500)
    for (const link of links) link.cut()
    for (const end of ends) end.resume().write('x')
    await clock.run(1000)
    links[1]!.restore()
    await clock.run(1000)
    const streams: Recorded[] = relays.flatMap(({ recorded }) => recorded)
    const said = (by: Speaker): string[][][] =>
      streams.map(({ byDialer, byListener }) => sayings(by === 'dialer' ? byDialer : byListener))
    const drawn = (by: Speaker): unknown =>
      PHASES.map((phase) => phase.sayings.filter((saying) => saying.by === by).map(({ words }) => words))
    expect(said('dialer')).toEqual(drawn('dialer'))
    expect(said('listener')).toEqual(drawn('listener'))
    for (const end of ends) end.destroy()
    await listener.close()
  })

  it('stands in the page', () => {
    expect(PAGE).toContain('(protocol/sequence.svg)')
  })
})

// SPDX-License-Identifier: Apache-2.0
/** Real dialers, listeners and connections in virtual time. */
import { describe, expect, it } from 'vitest'
import type { DialerOptions } from '../../lib/dial/options.js'
import { MultipathDialer } from '../../lib/dial/multipath-dialer.js'
import type { MultipathConn } from '../../lib/conn/multipath-conn.js'
import { MultipathListener } from '../../lib/listen/multipath-listener.js'
import type { LinkOptions } from '../../lib/testing/link.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'
import { patternAt, PatternChecker } from '../support/pattern.js'

async function connected(shapes: readonly LinkOptions[], options: DialerOptions = {}) {
  const network = new SimulatedNetwork()
  const { clock } = network
  const links = shapes.map((shape) => network.link(shape))
  const listener = new MultipathListener(
    links.map(({ server }) => server),
    [],
    { ...options, clock },
  )
  const dialers = links.map((link, index) => link.dialer(`link ${index}`))
  const dialer = new MultipathDialer('there', dialers, { ...options, clock })
  const [near, far] = await clock.until(Promise.all([dialer.dial(), listener.accept()]))
  return { clock, links, dialer, listener, near, far }
}

function checked(conn: MultipathConn): PatternChecker {
  const checker = new PatternChecker(1)
  conn.on('data', (chunk: Buffer) => {
    checker.add(chunk)
  })
  return checker
}

const ended = (conn: MultipathConn): Promise<void> => new Promise((resolve) => conn.once('end', resolve))
const TWO = [
  { rateMbps: 50, delayMs: 10 },
  { rateMbps: 50, delayMs: 20 },
]

describe('a connection over simulated links', () => {
  it('joins every path and carries data whole', async () => {
    const { clock, near, far, listener } = await connected(TWO)
    await clock.run(200)
    expect(near.subflows().map(({ label, state }) => [label, state])).toEqual([
      ['link 0', 'up'],
      ['link 1', 'up'],
    ])
    const got = checked(far)
    near.end(patternAt(1, 0, 4_000_000))
    await clock.until(ended(far))
    expect(got).toMatchObject({ bytes: 4_000_000, wrongAt: undefined })
    await listener.close()
  })

  it('uses a path that was cut again once it is back', async () => {
    const { clock, links, near, far } = await connected(TWO)
    const got = checked(far)
    await clock.run(200)
    links[0]!.cut()
    near.write(patternAt(1, 0, 1_000_000))
    await clock.run(3000)
    expect(near.subflows().map(({ label }) => label)).toEqual(['link 1'])
    links[0]!.restore()
    await clock.run(60_000)
    expect(near.subflows().map(({ label, state }) => [label, state])).toEqual([
      ['link 1', 'up'],
      ['link 0', 'up'],
    ])
    near.destroySoon()
    far.end()
    await clock.until(ended(far))
    expect(got).toMatchObject({ bytes: 1_000_000, wrongAt: undefined })
  })

  it('has a silent path replaced by a fresh stream soon after its return', async () => {
    const { clock, links, near, far } = await connected(TWO, { deadMs: 60_000 })
    far.resume()
    await clock.run(200)
    links[0]!.freeze()
    near.write(patternAt(1, 0, 100_000))
    await clock.run(4000)
    expect(near.subflows().find(({ label }) => label === 'link 0')?.state).toBe('suspect')
    links[0]!.thaw()
    await clock.run(1000)
    expect(
      near
        .subflows()
        .map(({ label, state }) => `${label} ${state}`)
        .sort(),
    ).toEqual(['link 0 up', 'link 1 up'])
    // The old one's reset gets through with the next try of its TCP.
    await clock.run(10_000)
    expect(links[0]!.streams).toBe(1)
    near.destroy()
  })

  it('finds its first path although the better one is silent from the start', async () => {
    const network = new SimulatedNetwork()
    const { clock } = network
    const links = TWO.map((shape) => network.link(shape))
    links[0]!.freeze()
    const listener = new MultipathListener(
      links.map(({ server }) => server),
      [],
      { clock },
    )
    const dialer = new MultipathDialer('there', [links[0]!.dialer('a'), links[1]!.dialer('b')], { clock })
    const conn = await clock.until(dialer.dial())
    expect(clock.now()).toBeLessThan(500)
    conn.destroy()
    await listener.close()
  })

  it('fails on both sides with codes when every path is cut', async () => {
    const { clock, links, near, far } = await connected(TWO, { holdMs: 0 })
    const codes: Promise<unknown>[] = [near, far].map(
      (conn) =>
        new Promise((resolve) =>
          conn.once('error', (error) => resolve((error as { multipathCode?: unknown }).multipathCode)),
        ),
    )
    far.resume()
    near.write(patternAt(1, 0, 1_000_000))
    await clock.run(30)
    for (const link of links) link.cut()
    expect(await clock.until(Promise.all(codes))).toEqual([
      'ERR_MULTIPATH_UNACKED',
      'ERR_MULTIPATH_INCOMPLETE',
    ])
  })
})

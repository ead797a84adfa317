// SPDX-License-Identifier: Apache-2.0
/** Several subflows on one path, as applications see them. */
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { MultipathConn, SubflowChange } from '../../lib/index.js'
import { MultipathDialer, MultipathListener, OptionError } from '../../lib/index.js'
import type { LinkOptions } from '../../lib/testing/link.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'
import type { PathPolicy } from '../../lib/core/path.js'

vi.setConfig({ testTimeout: 60_000 })

const LOSSY: LinkOptions = { rateMbps: 50, delayMs: 10, lossRate: 0.01, queueBytes: 125_000, kernel: 'cubic' }

async function open(policy: PathPolicy, link: LinkOptions = LOSSY, maxSubflows?: number) {
  const network = new SimulatedNetwork()
  const { clock } = network
  const links = [network.link(link), network.link({ rateMbps: 1, delayMs: 10 })]
  const listener = new MultipathListener(
    links.map(({ server }) => server),
    [],
    { clock },
  )
  const paths = [links[0]!.dialer('lossy', policy), links[1]!.dialer('slow')]
  const dialer = new MultipathDialer('the other end', paths, { clock, maxSubflows })
  const failures: string[] = []
  dialer.on('path-failure', ({ error }) => failures.push(error.message))
  const [near, far] = await clock.until(Promise.all([dialer.dial(), listener.accept()]))
  const closed: SubflowChange[] = []
  near.on('subflow-close', (change) => closed.push(change))
  onTestFinished(async () => {
    near.on('error', () => {}).destroy()
    far.on('error', () => {}).destroy()
    await clock.until(listener.close())
  })
  return { network, clock, links, dialer, near, far, failures, closed }
}

const BLOCK = Buffer.alloc(65_536)
function sendOn(from: MultipathConn, to: MultipathConn): void {
  to.resume()
  const fill = (): void => {
    while (!from.destroyed && from.write(BLOCK));
  }
  from.on('drain', fill)
  fill()
}

function lossyPath(conn: MultipathConn) {
  return conn.paths().find(({ label }) => label === 'lossy')
}

describe('a path of a connection', () => {
  it.each(['upload', 'download'] as const)('gets further subflows in an %s', async (way) => {
    const { clock, near, far, failures } = await open({})
    if (way === 'upload') sendOn(near, far)
    else sendOn(far, near)
    await clock.run(5000)
    expect(near.paths().map(({ label }) => label)).toEqual(['lossy', 'slow'])
    expect(lossyPath(near)?.subflows.length).toBeGreaterThan(2)
    expect(failures).toEqual([])
  })

  it('has as many from the start as it says, and no more', async () => {
    const off = await open({ parallel: 1 })
    sendOn(off.near, off.far)
    await off.clock.run(5000)
    expect(lossyPath(off.near)?.subflows).toHaveLength(1)
    const fixed = await open({ parallel: 3 })
    await fixed.clock.run(500)
    expect(lossyPath(fixed.near)?.subflows).toHaveLength(3)
  })

  it('gets no more than half of all, so that there is room for other paths', async () => {
    const { clock, near, far } = await open({}, LOSSY, 6)
    sendOn(near, far)
    await clock.run(8000)
    expect(near.subflows()).toHaveLength(3)
  })

  it('gives up those that bring nothing, which is no failure', async () => {
    const { clock, near, far, links, failures, closed } = await open({})
    sendOn(near, far)
    await clock.run(5000)
    links[0]!.change({ lossRate: 0 })
    for (let waited = 0; waited < 45 && lossyPath(near)!.subflows.length > 1; waited++) await clock.run(1000)
    expect(lossyPath(near)?.subflows).toHaveLength(1)
    expect(new Set(closed.map(({ reason }) => reason))).toEqual(new Set(['surplus']))
    expect(failures).toEqual([])
    await clock.run(2000)
    expect(far.subflows()).toHaveLength(2)
  })

  it('is paused and removed with all of its subflows', async () => {
    const { clock, near, far, dialer } = await open({ parallel: 3 })
    await clock.run(500)
    dialer.pausePath('lossy')
    sendOn(near, far)
    await clock.run(2000)
    expect(lossyPath(near)?.sentBytes).toBe(0)
    dialer.remove('lossy')
    await clock.run(3000)
    expect(near.subflows().map(({ label }) => label)).toEqual(['slow'])
  })

  it('gets a standby when all of its subflows are silent', async () => {
    const { clock, near, far, links } = await open({ parallel: 3 }, { rateMbps: 50, delayMs: 10 })
    await clock.run(500)
    sendOn(near, far)
    await clock.run(1000)
    links[0]!.freeze()
    await clock.run(1500)
    links[0]!.thaw()
    const before = near.subflows().map(({ id }) => id)
    await clock.run(800)
    expect(near.subflows().some(({ id, state }) => state === 'up' && !before.includes(id))).toBe(true)
  })

  it.each([0, 65, 1.5, { max: 0 }, {}, 'many', null])('refuses parallel: %o', (parallel) => {
    const { clock, link } = new NetworkOfOne()
    const dial = () => new MultipathDialer('x', [link.dialer('a', { parallel } as PathPolicy)], { clock })
    expect(dial).toThrow(OptionError)
  })
})

class NetworkOfOne {
  readonly #network = new SimulatedNetwork()
  readonly clock = this.#network.clock
  readonly link = this.#network.link()
}

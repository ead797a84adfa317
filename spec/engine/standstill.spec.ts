// SPDX-License-Identifier: Apache-2.0
/** The shell's driver when time jumps: a busy event loop, a machine that slept. */
import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import type { DriverHost } from '../../lib/conn/driver.js'
import { Driver } from '../../lib/conn/driver.js'
import { nodePorts } from '../../lib/conn/node-ports.js'
import type { Action } from '../../lib/core/action.js'
import type { ConnOptions } from '../../lib/core/options.js'
import { CONN_OPTIONS } from '../../lib/core/options.js'
import { Path } from '../../lib/core/path.js'
import { lowestRtt } from '../../lib/core/schedulers/lowest-rtt.js'
import { NullTracker } from '../../lib/core/tracker.js'
import { resolveOptions } from '../../lib/options.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'

interface Side {
  readonly driver: Driver<Duplex>
  readonly changes: Extract<Action, { kind: 'subflow' }>[]
  read: number
}

function side(network: SimulatedNetwork, options: ConnOptions): Side {
  const changes: Side['changes'] = []
  const made: { self?: Side } = {}
  const host: DriverHost = {
    onReadable() {
      const { self } = made
      if (self === undefined) return
      for (let piece = self.driver.core.take(); piece; piece = self.driver.core.take())
        self.read += piece.length
    },
    onProgress() {},
    onParallel() {},
    onSuspension() {},
    onSubflow(change) {
      changes.push(change)
    },
    onFinished() {},
  }
  const init = {
    options: resolveOptions(CONN_OPTIONS, options),
    scheduler: lowestRtt,
    random: network.random.random,
  }
  made.self = { driver: new Driver(init, nodePorts(network.clock), host), changes, read: 0 }
  return made.self
}

/** Two drivers over two links, settled. */
async function settled(options: ConnOptions = {}) {
  const network = new SimulatedNetwork()
  const links = [network.link({ delayMs: 10 }), network.link({ delayMs: 20 })]
  const [near, far] = [side(network, options), side(network, options)]
  for (const link of links) {
    const [nearStream, farStream] = link.open()
    const attach = (to: Side, stream: Duplex, isDialer: boolean): void => {
      const helloAt = network.clock.now() - 20
      const [tracker, path] = [new NullTracker(), new Path()]
      to.driver.attach(stream, { label: 'link', tracker, path, isDialer, helloAt })
    }
    attach(near, nearStream, true)
    attach(far, farStream, false)
  }
  await network.clock.run(1000)
  return { clock: network.clock, links, near, far }
}

const statesOf = ({ driver }: Side): string[] => driver.core.subflows.map(({ state }) => state)
const rttsOf = ({ driver }: Side): number[] => driver.core.subflows.map(({ smoothedRttMs }) => smoothedRttMs)

describe('an event loop that stands still', () => {
  it('suspects no path and sends nothing again, though acks were overdue by far', async () => {
    const { clock, near, far } = await settled()
    const before = rttsOf(near)
    near.driver.write(new Uint8Array(2000))
    await clock.run(5)
    clock.stall(3000)
    await clock.run(1000)
    expect(far.read).toBe(2000)
    expect(near.changes.filter(({ state }) => state === 'suspect' || state === 'closed')).toEqual([])
    expect(near.driver.core.subflows.map(({ counters }) => counters.framesRetransmitted)).toEqual([0, 0])
    rttsOf(near).forEach((rtt, index) => {
      expect(rtt).toBeLessThan(before[index]! + 20)
    })
  })

  it('kills no path, though it stood for longer than the dead time', async () => {
    const { clock, near, far } = await settled({ deadMs: 2000, keepAliveMs: 1000 })
    await clock.run(400)
    clock.stall(60_000)
    await clock.run(1000)
    expect(statesOf(near)).toEqual(['up', 'up'])
    expect(statesOf(far)).toEqual(['up', 'up'])
  })

  it('does not hide a path that is really dead for long', async () => {
    const { clock, links, near } = await settled()
    links[0]!.freeze()
    near.driver.write(new Uint8Array(2000))
    await clock.run(5)
    clock.stall(500)
    await clock.run(2000)
    expect(statesOf(near)).toEqual(['suspect', 'up'])
  })
})

describe('an event loop that is always late', () => {
  it('notices a dead path all the same, and what it carried arrives', async () => {
    const { clock, links, near, far } = await settled()
    links[0]!.freeze()
    near.driver.write(new Uint8Array(2000))
    for (let turn = 0; turn < 20; turn++) {
      clock.stall(100)
      await clock.run(5)
    }
    expect(statesOf(near)).toEqual(['suspect', 'up'])
    expect(far.read).toBe(2000)
  })

  it('closes it after the dead time', async () => {
    const { clock, links, near } = await settled({ deadMs: 2000 })
    links[0]!.freeze()
    near.driver.write(new Uint8Array(2000))
    for (let turn = 0; turn < 50; turn++) {
      clock.stall(100)
      await clock.run(5)
    }
    expect(statesOf(near)).toEqual(['up'])
  })

  it('hears what came in meanwhile before it judges', async () => {
    const { clock, near, far } = await settled({ deadMs: 2000 })
    near.driver.write(new Uint8Array(2000))
    await clock.run(1)
    clock.stall(100)
    await clock.run(5)
    clock.stall(5000)
    await clock.run(1000)
    expect(far.read).toBe(2000)
    expect(near.changes.map(({ state }) => state)).toEqual(['probing', 'up', 'probing', 'up'])
  })
})

describe('a machine that slept', () => {
  it('asks every path for a sign of life and keeps those that give one', async () => {
    const { clock, near, far } = await settled({ keepAliveMs: 2000 })
    clock.suspend(3_600_000)
    await clock.run(5000)
    expect(statesOf(near)).toEqual(['up', 'up'])
    near.driver.write(new Uint8Array(2000))
    await clock.run(1000)
    expect(far.read).toBe(2000)
  })

  it('asks all paths at the same time, as soon as it notices', async () => {
    const { clock, near } = await settled({ keepAliveMs: 20_000 })
    // Nothing is asked any more because of the data before.
    await clock.run(5000)
    const pings = (): number[] => near.driver.core.subflows.map(({ pings: { lastAt } }) => lastAt)
    const before = pings()
    clock.suspend(3_600_000)
    while (pings().join() === before.join()) await clock.run(100)
    expect(pings()[0]).toBeGreaterThan(10_000)
    expect(pings()[1]).toBe(pings()[0])
  })

  it('notices soon which paths it lost', async () => {
    const { clock, links, near } = await settled({ keepAliveMs: 2000, deadMs: 3000 })
    clock.suspend(3_600_000)
    links[0]!.freeze()
    await clock.run(9000)
    expect(statesOf(near)).toEqual(['up'])
  })
})

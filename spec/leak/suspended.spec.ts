// SPDX-License-Identifier: Apache-2.0
/** What suspended connections of a listener hold, and that they end in the order in which they were suspended. */
import { env } from 'node:process'
import { describe, expect, it } from 'vitest'
import type { MultipathConn } from '../../lib/index.js'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'
import { memoryInUse } from '../support/memory.js'

const GROUPS = 10
/** `SUSPENDED=10000`: as many as `maxSuspended` lets in by default. */
const COUNT = Number(env['SUSPENDED'] ?? 1000)
const OF_A_GROUP = COUNT / GROUPS
/** As docs/limits.md states, with what the simulated network keeps. */
const MOST_BYTES_EACH = 40_000
/** Compiled code and pools, however many there are. */
const ONCE_BYTES = 40_000_000
const HOLD_MS = 60_000

/** Those of a group lose their path at the same time. */
const groupOf = (place: number): number => Math.floor(place / OF_A_GROUP)

async function opened(maxSuspended: number) {
  const network = new SimulatedNetwork()
  const { clock } = network
  const links = Array.from({ length: GROUPS }, () => network.link({ delayMs: 1 }))
  const servers = links.map(({ server }) => server)
  const listener = new MultipathListener(servers, [], { clock, maxSuspended, holdMs: HOLD_MS })
  const ended: number[] = []
  const dialed: MultipathConn[] = []
  const held: MultipathConn[] = []
  for (const link of links) {
    const dialer = new MultipathDialer('x', [link.dialer('link')], { clock })
    for (let n = 0; n < OF_A_GROUP; n++) {
      const [near, far] = await clock.until(Promise.all([dialer.dial(), listener.accept()]))
      const place = held.push(far) - 1
      dialed.push(near.on('error', () => {}))
      far.on('error', () => ended.push(place))
    }
  }
  /** The path of one group after another is gone, and so are its dialers. */
  const suspend = async (): Promise<void> => {
    for (const link of links) {
      link.cut()
      for (const near of dialed.splice(0, OF_A_GROUP)) near.destroy()
      await clock.run(100)
    }
  }
  return { clock, listener, held, ended, suspend }
}

describe('suspended connections', () => {
  it('hold so much memory as is stated, and end in order once the hold time is over', async () => {
    const before = await memoryInUse()
    const { clock, listener, held, ended, suspend } = await opened(COUNT)
    await suspend()
    expect(held.filter(({ isSuspended }) => isSuspended)).toHaveLength(COUNT)
    const grown = (await memoryInUse()) - before
    console.info(`${COUNT} suspended connections: ${Math.round(grown / COUNT)} bytes each`)
    expect(grown).toBeLessThan(COUNT * MOST_BYTES_EACH + ONCE_BYTES)
    await clock.run(HOLD_MS - 100 * GROUPS - 10)
    expect(ended).toEqual([])
    await clock.run(100 * GROUPS + 20)
    expect(ended).toHaveLength(COUNT)
    expect(ended.map(groupOf)).toEqual(held.map((_conn, place) => groupOf(place)))
    await clock.until(listener.close())
  }, 180_000)

  it('are no more than maxSuspended: the ones that were suspended first end', async () => {
    const { clock, listener, held, ended, suspend } = await opened(COUNT - 2 * OF_A_GROUP)
    await suspend()
    expect(new Set(ended)).toEqual(new Set(held.slice(0, 2 * OF_A_GROUP).keys()))
    for (const conn of held) conn.destroy()
    await clock.until(listener.close())
  }, 180_000)
})

// SPDX-License-Identifier: Apache-2.0
/** Many connections of one dialer that are suspended at the same time, in virtual time. */
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { MultipathConn } from '../../lib/index.js'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'

vi.setConfig({ testTimeout: 120_000 })

const CONNECTIONS = 24

async function meet(count: number, holdMs = 120_000) {
  const network = new SimulatedNetwork()
  const { clock } = network
  const links = [0, 1].map(() => network.link({ delayMs: 10 }))
  const common = { clock, allowHalfOpen: true, holdMs }
  const listener = new MultipathListener(
    links.map(({ server }) => server),
    [],
    common,
  )
  onTestFinished(() => listener.close())
  const paths = links.map((link, n) => link.dialer(`path ${n}`))
  const dialer = new MultipathDialer('x', paths, common)
  let attempts = 0
  dialer.on('path-failure', () => attempts++)
  const conns: MultipathConn[] = []
  const take = async (): Promise<void> => {
    for await (const conn of listener) conn.on('error', () => {}).resume()
  }
  void take()
  while (conns.length < count) conns.push(await clock.until(dialer.dial()))
  for (const conn of conns) conn.on('error', () => {}).resume()
  onTestFinished(() => {
    for (const conn of conns) conn.destroy()
  })
  await clock.run(500)
  const attemptsWithin = async (ms: number): Promise<number> => {
    const before = attempts
    await clock.run(ms)
    return attempts - before
  }
  const suspended = (): number => conns.filter((conn) => conn.isSuspended).length
  return { clock, links, conns, attemptsWithin, suspended }
}

describe('many suspended connections of one dialer', () => {
  it('try the paths no more often together than a few would, and all go on within a second once one of them can', async () => {
    const few = await meet(4)
    for (const link of few.links) link.cut()
    await few.clock.run(5000)
    const attemptsOfFew = await few.attemptsWithin(10_000)
    const many = await meet(CONNECTIONS)
    for (const link of many.links) link.cut()
    await many.clock.run(5000)
    expect(many.suspended()).toBe(CONNECTIONS)
    expect(await many.attemptsWithin(10_000)).toBeLessThan(2 * attemptsOfFew)
    many.links[0]!.restore()
    await many.clock.run(1000)
    expect(many.suspended()).toBe(0)
  })

  it('do not hurry where one of them is given up', async () => {
    const { clock, links, conns, attemptsWithin } = await meet(CONNECTIONS)
    for (const link of links) link.cut()
    await clock.run(5000)
    const before = await attemptsWithin(2000)
    for (const conn of conns.slice(0, CONNECTIONS / 2)) {
      conn.destroy()
      await clock.run(50)
    }
    expect(await attemptsWithin(500)).toBeLessThan(before)
  })
})

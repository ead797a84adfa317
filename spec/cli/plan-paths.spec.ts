// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { PlanInit } from '../../lib/cli/plan-paths.js'
import { planPaths } from '../../lib/cli/plan-paths.js'

const at = (host: string): { host: string; port: number } => ({ host, port: 80 })

async function plan(init: Partial<PlanInit>): Promise<{ labels: string[]; lines: string[] }> {
  const lines: string[] = []
  const report = (line: string): unknown => lines.push(line)
  const paths = await planPaths(
    { targets: [at('127.0.0.1')], family: 0, addresses: undefined, ...init },
    report,
  )
  return { labels: paths.map(({ label }) => label), lines }
}

describe('planPaths', () => {
  it('starts from the addresses of this machine, each path once', async () => {
    const { labels } = await plan({ targets: [at('127.0.0.5'), at('127.0.0.5')], family: 4 })
    expect(labels).toEqual(['127.0.0.1|127.0.0.5:80'])
  })

  it('starts from the addresses given, whether there are such or not', async () => {
    const { labels } = await plan({ addresses: ['203.0.113.7', '::1', '203.0.113.8', '203.0.113.7'] })
    expect(labels).toEqual(['203.0.113.7|127.0.0.1:80', '203.0.113.8|127.0.0.1:80'])
  })

  it('reports what it leaves out while something is left', async () => {
    const { labels, lines } = await plan({ targets: [at('::1'), at('127.0.0.1')], family: 4 })
    expect(labels).toEqual(['127.0.0.1|127.0.0.1:80'])
    expect(lines).toEqual(['multipath: one target is left out: [::1]:80: no IPv4 address found'])
  })

  it('fails when nothing is left', async () => {
    await expect(plan({ targets: [at('::1')], family: 4 })).rejects.toMatchObject({
      message: 'no target has a usable address: [::1]:80: no IPv4 address found',
      hint: '-4 allows only IPv4',
    })
    await expect(plan({ addresses: ['::1'] })).rejects.toMatchObject({
      message: 'no local address can reach any target',
      hint: 'the address must have the same family as the target',
    })
  })
})

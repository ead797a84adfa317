// SPDX-License-Identifier: Apache-2.0
/** Node's own tests of net, http, https, http2 and tls with this library in the place of TCP: see node-tests/. */
import { availableParallelism } from 'node:os'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Family, Judged } from './node-tests/campaign.js'
import { judge, namesOf } from './node-tests/campaign.js'
import { listed } from './node-tests/differences.js'
import { nodeTests } from './node-tests/sources.js'

/** Of the other families, one file of so many: `npm run node-tests` runs them all. */
const STRIDE = 10
const LEAST_PASSED_OF_NET = 110

const missing = whyNoTests()
if (missing !== undefined) console.log(`Node's own tests cannot be fetched here, and are skipped: ${missing}`)

function whyNoTests(): string | undefined {
  try {
    nodeTests()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function judged(names: readonly string[]): Promise<Judged[]> {
  const jobs = Math.max(2, availableParallelism())
  const settings = { binary: process.execPath, paths: 1, timeLimitMs: 20_000, runsListed: false }
  return judge({ ...settings, names, jobs })
}

function defects(all: readonly Judged[]): string[] {
  return all.filter(({ verdict }) => verdict === 'ours').map(({ name, why }) => `${name}: ${why}`)
}

describe.skipIf(missing !== undefined)("Node's own tests", { timeout: 300_000 }, () => {
  let net: readonly Judged[] = []

  beforeAll(async () => {
    net = await judged(namesOf(['net']))
  }, 300_000)

  it('of net pass, but for those that are listed with their reason', () => {
    expect(defects(net)).toEqual([])
    expect(net.filter(({ verdict }) => verdict === 'passed').length).toBeGreaterThanOrEqual(
      LEAST_PASSED_OF_NET,
    )
  })

  it.each<Family>(['http', 'https', 'http2', 'tls'])(
    'of %s pass where they pass over a plain Duplex',
    async (family) => {
      const names = namesOf([family]).filter((_, index) => index % STRIDE === 0)
      expect(defects(await judged(names))).toEqual([])
    },
  )

  it('that are listed exist', () => {
    const names = new Set(
      namesOf(['net', 'http', 'https', 'http2', 'tls']).map((name) => name.replace(/\.m?js$/, '')),
    )
    expect(listed().filter((name) => !names.has(`test-${name}`))).toEqual([])
  })
})

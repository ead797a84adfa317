// SPDX-License-Identifier: Apache-2.0
/** A sample of Node's own tests with this library in the place of TCP. `npm run node-tests` runs all of them. */
import { availableParallelism } from 'node:os'
import { describe, expect, it } from 'vitest'
import type { Family } from './node-tests/campaign.js'
import { FAMILIES, judge, sampleOf } from './node-tests/campaign.js'
import { listedBeside } from './node-tests/differences.js'
import { nodeTests } from './node-tests/sources.js'

/** One file of that many, so that the whole takes less than 40 s. */
const EVERY: Readonly<Record<Family, number>> = { net: 4, http: 40, https: 20, http2: 40, tls: 60 }

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

describe.skipIf(missing !== undefined)("Node's own tests", () => {
  it.each(FAMILIES)('of %s pass, but for those that are listed with their reason', async (family) => {
    const judged = await judge({
      binary: process.execPath,
      version: process.versions.node.split('.')[0]!,
      names: sampleOf(family, EVERY[family]),
      paths: 1,
      jobs: Math.max(2, availableParallelism()),
      timeLimitMs: 10_000,
      runsListed: false,
    })
    expect(judged.filter(({ verdict }) => verdict === 'ours')).toEqual([])
    expect(judged.some(({ verdict }) => verdict === 'passed')).toBe(true)
  })

  it('that are listed exist', () => {
    expect(listedBeside(FAMILIES.flatMap((family) => sampleOf(family)))).toEqual([])
  })
})

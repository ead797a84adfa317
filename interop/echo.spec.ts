// SPDX-License-Identifier: Apache-2.0
/** Writes of every size come back as they were, whichever side dials and whichever side writes. */
import { describe, it } from 'vitest'
import { echoByGo, echoByNode } from './support/exchanges.js'
import { PATIENT, openPair } from './support/pair.js'
import { mixedSizes } from './support/seeded-data.js'
import { CASES, describeWithGo } from './support/with-go.js'

const SEED = 20_260_101
const MIX = mixedSizes(SEED, 300)
const total = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0)

const WRITES: ReadonlyArray<{ what: string; bytes: number; sizes: readonly number[] }> = [
  { what: '1 byte', bytes: 2_000, sizes: [1] },
  { what: '1,400 bytes', bytes: 1_400 * 2_000, sizes: [1_400] },
  { what: '64 KiB', bytes: 65_536 * 200, sizes: [65_536] },
  { what: '1 MiB', bytes: 1_048_576 * 16, sizes: [1_048_576] },
  { what: 'a random mix of sizes', bytes: total(MIX), sizes: MIX },
]

describeWithGo('Echo', (go) => {
  describe.each(CASES)('over $paths path(s), $dials dialling $listens', ({ dials, paths }) => {
    it.each(WRITES)(
      'brings Node back its writes of $what, with empty ones between',
      async ({ bytes, sizes }) => {
        await using pair = await openPair(go(), { dials, paths, connOptions: PATIENT })
        await echoByGo(pair, { bytes, sizes, seed: SEED })
      },
    )

    it.each(WRITES)('brings Go back its writes of $what', async ({ bytes, sizes }) => {
      await using pair = await openPair(go(), { dials, paths, connOptions: PATIENT })
      await echoByNode(pair, { bytes, sizes, seed: SEED })
    })
  })
})

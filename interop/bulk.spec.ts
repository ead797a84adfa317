// SPDX-License-Identifier: Apache-2.0
/** Much data both ways at once, with applications that read at once, late, or only after they have written all. */
import { describe, expect, it } from 'vitest'
import { DROPPED, bulkBothWays } from './support/exchanges.js'
import { TIME_FOR_TRIES_MS, withGoThatResends } from './support/go-locked.js'
import { receive, send } from './support/node-side.js'
import { PATIENT, expectNothingHealed, openPair } from './support/pair.js'
import { SeededStream, seededSha256 } from './support/seeded-data.js'
import { CASES, describeWithGo } from './support/with-go.js'

const MIB = 1_048_576
const BYTES = 256 * MIB
const FROM_NODE = 1
const FROM_GO = 2
const SIZES = [65_536]

describeWithGo('Bulk', (go) => {
  const hashes = { fromNode: '', fromGo: '' }
  const expectAll = (
    at: { bytes: number; mismatchAt: number; sha256: string },
    from: 'fromNode' | 'fromGo',
  ): void => {
    hashes[from] ||= seededSha256(from === 'fromNode' ? FROM_NODE : FROM_GO, BYTES)
    expect(at).toMatchObject({ bytes: BYTES, mismatchAt: -1, sha256: hashes[from] })
  }

  describe.each(CASES)('over $paths path(s), $dials dialling $listens', ({ dials, paths }) => {
    it('takes 256 MiB each way at once', { timeout: TIME_FOR_TRIES_MS }, () =>
      withGoThatResends({ dials, paths, connOptions: PATIENT }, (pair) => bulkBothWays(pair, BYTES)),
    )
  })

  describe.each(CASES.filter(({ paths }) => paths < 6))(
    'over $paths path(s), $dials dialling $listens',
    ({ dials, paths }) => {
      it(
        'gets through when Node writes 256 MiB before it reads a byte of the 256 MiB that Go writes',
        { timeout: TIME_FOR_TRIES_MS },
        () =>
          withGoThatResends({ dials, paths }, async (pair) => {
            const atGo = pair.go.receive({ bytes: BYTES, seed: FROM_NODE })
            const sent = pair.go.send({ bytes: BYTES, sizes: SIZES, seed: FROM_GO })
            await send(pair.node, { bytes: BYTES, sizes: SIZES, seed: FROM_NODE })
            const atNode = await receive(pair.node, { bytes: BYTES, seed: FROM_GO })
            await sent
            expectAll(await atGo, 'fromNode')
            expectAll(atNode, 'fromGo')
          }),
      )

      it(
        'gets through when Go writes 256 MiB before it reads a byte of the 256 MiB that Node writes',
        { timeout: TIME_FOR_TRIES_MS },
        () =>
          withGoThatResends({ dials, paths }, async (pair) => {
            const atNode = receive(pair.node, { bytes: BYTES, seed: FROM_GO })
            const sent = send(pair.node, { bytes: BYTES, sizes: SIZES, seed: FROM_NODE })
            await pair.go.send({ bytes: BYTES, sizes: SIZES, seed: FROM_GO })
            const atGo = await pair.go.receive({ bytes: BYTES, seed: FROM_NODE })
            await sent
            expectAll(atGo, 'fromNode')
            expectAll(await atNode, 'fromGo')
          }),
      )
    },
  )

  it('takes a buffer of 1 GiB in one write', async () => {
    await using pair = await openPair(go(), { dials: 'Node', paths: 3, connOptions: PATIENT })
    const bytes = 1024 * MIB
    const whole = new SeededStream(FROM_NODE).next(bytes)
    const atGo = pair.go.receive({ bytes, seed: FROM_NODE })
    pair.node.write(whole)
    expect(await atGo).toMatchObject({ bytes, mismatchAt: -1 })
    await pair.node.flushed()
    expectNothingHealed(pair, DROPPED)
  })
})

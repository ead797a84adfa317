/** A reader that stops for 10 s: nothing is lost, and nothing needs to be sent again. */
import { describe, expect, it } from 'vitest'
import { receive, send } from './support/node-side.js'
import { openPair } from './support/pair.js'
import { CASES, describeWithGo } from './support/with-go.js'

const MIB = 1_048_576
const BYTES = 64 * MIB
const SEED = 13
const PAUSE = { pauseAt: MIB, pauseMs: 10_000 }

// Most of the time of each is waiting, and each has a connection of its own: side by side.
describeWithGo('A reader that stops for 10 s', (go) => {
  describe.concurrent.each(CASES)('over $paths path(s), $dials dialling $listens', ({ dials, paths }) => {
    it('on the side of Go gets all that Node wrote', async () => {
      await using pair = await openPair(go(), { dials, paths })
      const [atGo] = await Promise.all([
        pair.go.receive({ bytes: BYTES, seed: SEED, ...PAUSE }),
        send(pair.node, { bytes: BYTES, sizes: [65_536], seed: SEED }),
      ])
      expect(atGo).toMatchObject({ bytes: BYTES, mismatchAt: -1 })
    })

    it('on the side of Node gets all that Go wrote', async () => {
      await using pair = await openPair(go(), { dials, paths })
      const [atNode] = await Promise.all([
        receive(pair.node, { bytes: BYTES, seed: SEED, ...PAUSE }),
        pair.go.send({ bytes: BYTES, sizes: [65_536], seed: SEED }),
      ])
      expect(atNode).toMatchObject({ bytes: BYTES, mismatchAt: -1 })
    })

    it('on the side of Go gets all of many small writes', async () => {
      await using pair = await openPair(go(), { dials, paths })
      const bytes = 16 * MIB
      const [atGo] = await Promise.all([
        pair.go.receive({ bytes, seed: SEED, ...PAUSE }),
        send(pair.node, { bytes, sizes: [1_000], seed: SEED }),
      ])
      expect(atGo).toMatchObject({ bytes, mismatchAt: -1 })
    })
  })
})

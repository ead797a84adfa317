// SPDX-License-Identifier: Apache-2.0
/** A reader that stops for 10 s: nothing is lost, and next to nothing is sent again. */
import { describe, expect, it } from 'vitest'
import { TIME_FOR_TRIES_MS, withGoThatResends } from './support/go-locked.js'
import { receive, send } from './support/node-side.js'
import { openPair, PATIENT, type Pair } from './support/pair.js'
import { CASES, describeWithGo } from './support/with-go.js'

const MIB = 1_048_576
const BYTES = 64 * MIB
const SEED = 13
const PAUSE = { pauseAt: MIB, pauseMs: 10_000 }
/** Go drops frames that are 4,096 beyond the last that its application read: with these, 64 MiB are four times that. */
const SMALL_FRAMES = { ...PATIENT, maxFrameBytes: 4096 }
/** What is in flight may go out again once: six transfers at a time keep a slow machine from acking. */
const MOST_RESENT_BYTES = 16 * MIB
/** All that was under way when Go ran full is dropped by it, and has to be sent again: once, at most 2,048 frames. */
const MOST_RESENT_WHEN_FULL = 2048 * SMALL_FRAMES.maxFrameBytes + MOST_RESENT_BYTES

const resentBytes = (pair: Pair): number =>
  pair.trackers.reduce((sum, { bytesRetransmit }) => sum + bytesRetransmit, 0)

// Most of the time of each is waiting, and each has a connection of its own: side by side.
describeWithGo('A reader that stops for 10 s', (go) => {
  describe.concurrent.each(CASES)('over $paths path(s), $dials dialling $listens', ({ dials, paths }) => {
    it('on the side of Go gets all that Node wrote', async () => {
      await using pair = await openPair(go(), { dials, paths, connOptions: PATIENT })
      const [atGo] = await Promise.all([
        pair.go.receive({ bytes: BYTES, seed: SEED, ...PAUSE }),
        send(pair.node, { bytes: BYTES, sizes: [65_536], seed: SEED }),
      ])
      expect(atGo).toMatchObject({ bytes: BYTES, mismatchAt: -1 })
      expect(resentBytes(pair)).toBeLessThan(MOST_RESENT_BYTES)
    })

    it('on the side of Go gets all that Node wrote in more frames than Go can hold', async () => {
      await using pair = await openPair(go(), { dials, paths, connOptions: SMALL_FRAMES })
      const [atGo] = await Promise.all([
        pair.go.receive({ bytes: BYTES, seed: SEED, ...PAUSE }),
        send(pair.node, { bytes: BYTES, sizes: [65_536], seed: SEED }),
      ])
      expect(atGo).toMatchObject({ bytes: BYTES, mismatchAt: -1 })
      expect(resentBytes(pair)).toBeLessThan(MOST_RESENT_WHEN_FULL)
    })

    it('on the side of Node gets all that Go wrote', { timeout: TIME_FOR_TRIES_MS }, async () => {
      await withGoThatResends({ dials, paths }, async (pair) => {
        const [atNode] = await Promise.all([
          receive(pair.node, { bytes: BYTES, seed: SEED, ...PAUSE }),
          pair.go.send({ bytes: BYTES, sizes: [65_536], seed: SEED }),
        ])
        expect(atNode).toMatchObject({ bytes: BYTES, mismatchAt: -1 })
      })
    })
  })
})

/** A reader that stops for 10 s: nothing is lost, and next to nothing is sent again. */
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { MultipathConn } from '../lib/index.js'
import { isLockedUp } from './support/go-locked.js'
import { GoPeer } from './support/go-peer.js'
import { receive, send, type NodeReception } from './support/node-side.js'
import { openPair, PATIENT, type Pair, type PairOptions } from './support/pair.js'
import { CASES, describeWithGo } from './support/with-go.js'

const MIB = 1_048_576
const BYTES = 64 * MIB
const SEED = 13
/** Nothing read for so long, though it is read: three times the pause. */
const STANDSTILL_MS = 30_000
const PAUSE = { pauseAt: MIB, pauseMs: 10_000 }
/** Go drops frames that are 4,096 beyond the last that its application read: with these, 64 MiB are four times that. */
const SMALL_FRAMES = { ...PATIENT, maxFrameBytes: 4096 }
/** Copies of what a slow path holds up, at the end. */
const MOST_RESENT_BYTES = 2 * MIB
/** All that was under way when Go ran full is dropped by it, and has to be sent again: once, at most 2,048 frames. */
const MOST_RESENT_WHEN_FULL = 2048 * SMALL_FRAMES.maxFrameBytes + MOST_RESENT_BYTES

const resentBytes = (pair: Pair): number =>
  pair.trackers.reduce((sum, { bytesRetransmit }) => sum + bytesRetransmit, 0)

/**
 * Pauses, and reads all the rest. With several paths Go at times locks itself up over what it resends after the pause,
 * to a peer in Go as well: then, and only then, it is tried again with another Go.
 */
async function receiveFromGo(options: PairOptions, tries: number = 3): Promise<NodeReception> {
  await using peer = await GoPeer.start()
  const pair = await openPair(peer, options)
  const [atNode] = await Promise.race([
    Promise.all([
      receive(pair.node, { bytes: BYTES, seed: SEED, ...PAUSE }),
      pair.go.send({ bytes: BYTES, sizes: [65_536], seed: SEED }),
    ]),
    standstill(pair.node),
  ])
  if (atNode !== undefined) {
    await pair[Symbol.asyncDispose]()
    return atNode
  }
  pair.node.destroy()
  const traces = await peer.traces()
  if (tries === 1 || !isLockedUp(traces)) throw new Error(`the transfer stands still: ${traces}`)
  return await receiveFromGo(options, tries - 1)
}

/** Resolves when nothing has been read for {@link STANDSTILL_MS}. */
async function standstill(conn: MultipathConn): Promise<[undefined]> {
  let before = -1
  while (before !== conn.bytesRead) {
    before = conn.bytesRead
    await delay(STANDSTILL_MS, undefined, { ref: false })
  }
  return [undefined]
}

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

    it('on the side of Node gets all that Go wrote', { timeout: 300_000 }, async () => {
      expect(await receiveFromGo({ dials, paths })).toMatchObject({ bytes: BYTES, mismatchAt: -1 })
    })
  })
})

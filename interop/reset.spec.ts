// SPDX-License-Identifier: Apache-2.0
/** Paths that are reset in the middle of a frame. */
import { describe, expect, it } from 'vitest'
import { MultipathError } from '../lib/index.js'
import type { Direction } from './support/path-relay.js'
import { receive, send } from './support/node-side.js'
import { openPair, type Pair } from './support/pair.js'
import { standstill } from './support/standstill.js'
import { CASES, describeWithGo } from './support/with-go.js'

const MIB = 1_048_576
const BYTES = 32 * MIB
const SEED = 9
/** Large frames, so that a cut after an odd number of bytes falls within one. */
const SIZES = [65_536]
const CUT_AFTER = 3 * MIB + 12_345
/** Go's stream is taken to stand still for good when nothing has come for so long. */
const STANDSTILL_MS = 5_000
/** Long enough for whatever Go still resends, and shorter than the default, which is a minute. */
const connOptions = { missingMs: 10_000 }

const fromNode = (pair: Pair): Direction => (pair.nodeDialer ? 'up' : 'down')
const fromGo = (pair: Pair): Direction => (pair.nodeDialer ? 'down' : 'up')

const passed = ({ relays }: Pair): number =>
  relays.reduce((sum, relay) => sum + relay.bytesUp + relay.bytesDown, 0)

describeWithGo('A path reset in the middle of a frame', (go) => {
  describe.each(CASES.filter(({ paths }) => paths > 1))(
    'of $paths, $dials dialling $listens',
    ({ dials, paths }) => {
      it('costs Node nothing that it sends', async () => {
        await using pair = await openPair(go(), { dials, paths, relayed: true })
        // Which path is used most is the scheduler's affair: cut each but the last, wherever it has got to.
        for (const relay of pair.relays.slice(0, -1)) relay.resetAfter(CUT_AFTER / paths, fromNode(pair))
        const [atGo] = await Promise.all([
          pair.go.receive({ bytes: BYTES, seed: SEED }),
          send(pair.node, { bytes: BYTES, sizes: SIZES, seed: SEED }),
        ])
        expect(atGo).toMatchObject({ bytes: BYTES, mismatchAt: -1, end: '' })
        await pair.node.flushed()
      })

      // A frame that Go's Write has put into the queue of a subflow that dies before it is sent is in no list of
      // what to resend: the stream has a hole for ever. Go to Go it stands still in the same way. Node has to
      // receive all of it, or to say at the end that something is missing.
      it('costs nothing that Go sends, or is told at the end', async () => {
        await using pair = await openPair(go(), { dials, paths, relayed: true, connOptions })
        pair.relays[0]!.resetAfter(CUT_AFTER / paths, fromGo(pair))
        const atNode = receive(pair.node, { seed: SEED })
        const sent = pair.go.send({ bytes: BYTES, sizes: SIZES, seed: SEED }).catch(() => undefined)
        await Promise.race([sent, standstill(STANDSTILL_MS, () => passed(pair))])
        await pair.go.close()
        const received = await atNode
        expect(received.mismatchAt).toBe(-1)
        if (received.state === 'ended') expect(received.bytes).toBe(BYTES)
        else expect(received.error).toHaveProperty('multipathCode')
      })
    },
  )

  describe.each(CASES.filter(({ paths }) => paths === 1))(
    'where it is the only one, $dials dialling $listens',
    ({ dials, paths }) => {
      it('ends the connection of a writing Node with an error', async () => {
        await using pair = await openPair(go(), { dials, paths, relayed: true })
        pair.relays[0]!.resetAfter(CUT_AFTER, fromNode(pair))
        const atGo = pair.go.receive({ bytes: BYTES, seed: SEED })
        const failed = receive(pair.node, { seed: SEED })
        const sending = send(pair.node, { bytes: BYTES, sizes: SIZES, seed: SEED })
        await expect(sending).rejects.toThrow(MultipathError)
        expect(await failed).toMatchObject({ state: 'destroyed', bytes: 0 })
        const received = await atGo
        expect(received.mismatchAt).toBe(-1)
        expect(received.end).not.toBe('')
        expect(received.bytes).toBeLessThanOrEqual(CUT_AFTER)
      })

      it('ends the connection of a reading Node with an error, after all that came whole', async () => {
        await using pair = await openPair(go(), { dials, paths, relayed: true })
        pair.relays[0]!.resetAfter(CUT_AFTER, fromGo(pair))
        const sent = pair.go.send({ bytes: BYTES, sizes: SIZES, seed: SEED }).catch(() => undefined)
        const received = await receive(pair.node, { seed: SEED })
        expect(received).toMatchObject({ state: 'destroyed', mismatchAt: -1 })
        expect(received.error).toHaveProperty('multipathCode')
        expect(received.bytes).toBeGreaterThan(0)
        expect(received.bytes).toBeLessThan(CUT_AFTER)
        void sent
      })
    },
  )
})

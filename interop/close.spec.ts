// SPDX-License-Identifier: Apache-2.0
/** Either side closes early: what it wrote before is read in full by the other, or the other learns of the loss. */
import { describe, expect, it } from 'vitest'
import { receive, send } from './support/node-side.js'
import { PATIENT, expectNothingHealed, openPair } from './support/pair.js'
import { mixedSizes } from './support/seeded-data.js'
import { CASES, describeWithGo } from './support/with-go.js'

const MIB = 1_048_576
const BYTES = 16 * MIB
const SEED = 11
const SIZES = mixedSizes(SEED, 100)
/** What the module's Read says at the end of a connection, whole or not. */
const GO_END = 'closed connection'

describeWithGo('Closing', (go) => {
  describe.each(CASES)('over $paths path(s), $dials dialling $listens', ({ dials, paths }) => {
    it('by Node right after its last write leaves Go all of it to read', async () => {
      await using pair = await openPair(go(), { dials, paths, connOptions: PATIENT })
      const atGo = pair.go.receive({ seed: SEED })
      const sent = await send(pair.node, { bytes: BYTES, sizes: SIZES, seed: SEED })
      pair.node.end()
      expect(await atGo).toMatchObject({ bytes: BYTES, mismatchAt: -1, sha256: sent.sha256, end: GO_END })
      expectNothingHealed(pair)
    })

    it('by Node leaves Go all of it to read when Go starts reading only after that', async () => {
      await using pair = await openPair(go(), { dials, paths })
      await send(pair.node, { bytes: MIB, sizes: SIZES, seed: SEED })
      pair.node.end()
      await pair.node.flushed()
      expect(await pair.go.receive({ seed: SEED })).toMatchObject({ bytes: MIB, mismatchAt: -1, end: GO_END })
    })

    // The module's Close sends what is queued, waits for 33 ms of quiet on each subflow and drops what is unacked
    // then, so that it may lose the tail under load. A tail that is lost has to be told.
    it('by Go right after its last write leaves Node all of it to read, or tells that something is missing', async () => {
      await using pair = await openPair(go(), { dials, paths })
      const atNode = receive(pair.node, { seed: SEED })
      await pair.go.send({ bytes: BYTES, sizes: SIZES, seed: SEED })
      await pair.go.close()
      const received = await atNode
      expect(received.mismatchAt).toBe(-1)
      if (received.state === 'ended') expect(received.bytes).toBe(BYTES)
      else expect(received.error).toHaveProperty('multipathCode')
    })

    // Relayed, so that all paths have joined: a dial of Go that is under way joins the connection that Go has closed.
    it('by Go, once Node has acked all, ends the stream of Node cleanly', async () => {
      await using pair = await openPair(go(), { dials, paths, relayed: true })
      await pair.go.send({ bytes: MIB, sizes: SIZES, seed: SEED })
      expect(await receive(pair.node, { bytes: MIB, seed: SEED })).toMatchObject({ mismatchAt: -1 })
      const rest = receive(pair.node, { seed: SEED })
      await pair.go.close()
      expect(await rest).toMatchObject({ bytes: 0, state: 'ended', error: undefined })
    })

    it('by Node, destroying it while Go writes, ends the write and the reads of Go', async () => {
      await using pair = await openPair(go(), { dials, paths })
      const atGo = pair.go.receive({ seed: SEED })
      const sending = pair.go.send({ bytes: 1024 * MIB, sizes: [65_536], seed: SEED })
      expect(await receive(pair.node, { bytes: MIB, seed: SEED })).toMatchObject({ mismatchAt: -1 })
      pair.node.destroy()
      await expect(sending).rejects.toThrow(GO_END)
      expect(await atGo).toMatchObject({ bytes: 0, end: GO_END })
    })
  })

  describe.each([{ paths: 1 }, { paths: 3 }, { paths: 6 }])(
    'over $paths path(s), Node dialling Go',
    ({ paths }) => {
      // Go resets a path on which it has not read everything yet. A frame may have been lost with that, for all that Node can tell.
      it('by Go right after a short answer, while the paths of Node still join, ends the stream of Node cleanly unless a path was reset', async () => {
        for (let i = 0; i < 10; i++) {
          await using pair = await openPair(go(), { dials: 'Node', paths })
          let resets = 0
          pair.node.on('subflow-close', ({ reason }) => (resets += reason === 'failed' ? 1 : 0))
          const atNode = receive(pair.node, { seed: SEED })
          await pair.go.send({ bytes: 100, seed: SEED })
          await pair.go.close()
          const received = await atNode
          expect(received).toMatchObject({ bytes: 100, mismatchAt: -1 })
          expect(received.error?.code ?? received.state).toBe(resets > 0 ? 'ECONNRESET' : 'ended')
        }
      })
    },
  )
})

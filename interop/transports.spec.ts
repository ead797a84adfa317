// SPDX-License-Identifier: Apache-2.0
/** Paths over TLS and WebSockets, and a connection that mixes them with TCP, with Go at the other end of each. */
import { describe, expect, it } from 'vitest'
import { upCount } from '../spec/support/pair.js'
import { until } from '../spec/support/turns.js'
import { bulkBothWays, echoByGo, echoByNode } from './support/exchanges.js'
import type { Kind } from './support/kinds.js'
import { receive, send } from './support/node-side.js'
import { PATIENT, openPair } from './support/pair.js'
import { mixedSizes } from './support/seeded-data.js'
import { CASES, describeWithGo } from './support/with-go.js'

const MIB = 1_048_576
const SEED = 31
const SIZES = mixedSizes(SEED, 100)
const WRITES = { bytes: 4 * MIB, sizes: SIZES, seed: SEED }

const KINDS: readonly { what: string; over: readonly Kind[] }[] = [
  { what: 'TLS', over: ['tls'] },
  { what: 'WebSockets', over: ['ws'] },
  { what: 'TCP, TLS and a WebSocket', over: ['tcp', 'tls', 'ws'] },
]
const EACH = KINDS.flatMap(({ what, over }) =>
  CASES.filter(({ paths }) => paths === over.length || (paths <= 3 && over.length === 1)).map((one) => ({
    ...one,
    what,
    over,
  })),
)

describeWithGo('Transports', (go) => {
  describe.each(EACH)('over $paths path(s) of $what, $dials dialling $listens', ({ over, dials, paths }) => {
    const open = (): ReturnType<typeof openPair> =>
      openPair(go(), { dials, paths, over, connOptions: PATIENT })

    it('bring Node back what it writes', async () => {
      await using pair = await open()
      await echoByGo(pair, WRITES)
    })

    it('bring Go back what it writes', async () => {
      await using pair = await open()
      await echoByNode(pair, WRITES)
    })

    it('take 32 MiB each way at once, each path its part of what Node sends', async () => {
      const connOptions = { ...PATIENT, scheduler: 'round-robin' } as const
      await using pair = await openPair(go(), { dials, paths, over, connOptions })
      await until(() => upCount(pair.node) === paths)
      await bulkBothWays(pair, 32 * MIB)
      for (const { label, sentFrames } of pair.node.subflows()) expect(sentFrames, label).toBeGreaterThan(0)
    })

    it('closed by Node right after its last write leave Go all of it to read', async () => {
      await using pair = await open()
      const atGo = pair.go.receive({ seed: SEED })
      const sent = await send(pair.node, WRITES)
      pair.node.end()
      expect(await atGo).toMatchObject({
        bytes: WRITES.bytes,
        mismatchAt: -1,
        sha256: sent.sha256,
        end: 'closed connection',
      })
    })

    it('closed by Go, once Node has acked all, end the stream of Node cleanly', async () => {
      await using pair = await open()
      await until(() => upCount(pair.node) === paths)
      await pair.go.send(WRITES)
      expect(await receive(pair.node, WRITES)).toMatchObject({ bytes: WRITES.bytes, mismatchAt: -1 })
      const rest = receive(pair.node, { seed: SEED })
      await pair.go.close()
      expect(await rest).toMatchObject({ bytes: 0, state: 'ended', error: undefined })
    })
  })
})

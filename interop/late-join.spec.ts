// SPDX-License-Identifier: Apache-2.0
/** A path that was down when Node dialled joins the Go connection later and carries it. */
import { describe, expect, it } from 'vitest'
import { receive, send } from './support/node-side.js'
import { nodeDialer } from './support/pair.js'
import { PathRelay } from './support/path-relay.js'
import { describeWithGo } from './support/with-go.js'

const MIB = 1_048_576

describeWithGo('A Node subflow joining a Go connection late', (go) => {
  describe.each([{ paths: 3 }, { paths: 6 }])('of $paths paths, all but one down at first', ({ paths }) => {
    it('carries the connection alone when the others fall silent', async () => {
      const listener = await go().listen(1)
      const relays = await Promise.all(
        Array.from({ length: paths }, () => PathRelay.open(listener.addrs[0]!)),
      )
      const [first, ...late] = relays as [PathRelay, ...PathRelay[]]
      for (const relay of late) relay.refuse(true)
      const { dialer } = nodeDialer(relays.map((relay) => relay.address))
      const conn = await dialer.dial()
      const accepted = await listener.accept()
      void accepted.echo().catch(() => undefined)
      const roundTrip = async (bytes: number): Promise<void> => {
        const [back] = await Promise.all([
          receive(conn, { bytes, seed: bytes }),
          send(conn, { bytes, seed: bytes }),
        ])
        expect(back).toMatchObject({ bytes, mismatchAt: -1 })
      }
      await roundTrip(MIB)
      for (const relay of late) relay.refuse(false)
      await Promise.all(late.map((relay) => relay.joined()))
      await roundTrip(MIB)
      first.freeze()
      const before = late.reduce((sum, relay) => sum + relay.bytesUp, 0)
      await roundTrip(MIB)
      expect(late.reduce((sum, relay) => sum + relay.bytesUp, 0) - before).toBeGreaterThanOrEqual(MIB)
      conn.destroy()
      for (const relay of relays) await relay[Symbol.asyncDispose]()
      await listener.close()
    })
  })

  it('takes the place of one that was reset, under the same connection', async () => {
    const listener = await go().listen(1)
    const relays = await Promise.all([PathRelay.open(listener.addrs[0]!), PathRelay.open(listener.addrs[0]!)])
    const { dialer } = nodeDialer(relays.map((relay) => relay.address))
    const conn = await dialer.dial()
    const accepted = await listener.accept()
    void accepted.echo().catch(() => undefined)
    await Promise.all(relays.map((relay) => relay.joined()))
    for (const relay of [...relays, ...relays]) {
      const opened = relay.opened
      relay.reset()
      const bytes = MIB
      const [back] = await Promise.all([receive(conn, { bytes, seed: 1 }), send(conn, { bytes, seed: 1 })])
      expect(back).toMatchObject({ bytes, mismatchAt: -1 })
      await relay.joined()
      expect(relay.opened).toBeGreaterThan(opened)
    }
    conn.destroy()
    for (const relay of relays) await relay[Symbol.asyncDispose]()
    await listener.close()
  })
})

// SPDX-License-Identifier: Apache-2.0
/** 200 connections at once, each with data of its own. */
import { describe, expect, it } from 'vitest'
import type { GoConn } from './support/go-peer.js'
import { echo, receive, send } from './support/node-side.js'
import { NodeListener, PATIENT, nodeDialer, portsFor } from './support/pair.js'
import { CASES, describeWithGo } from './support/with-go.js'

const CONNECTIONS = 200
const BYTES = 64 * 1024
const addressesFor = (addrs: readonly string[], paths: number): string[] =>
  Array.from({ length: paths }, (_, i) => addrs[i % addrs.length]!)

describeWithGo(`${CONNECTIONS} connections at once`, (go) => {
  const pathsOf = (side: 'Node' | 'Go'): Array<{ paths: number }> =>
    CASES.filter(({ dials }) => dials === side)

  describe.each(pathsOf('Node'))('over $paths path(s) each', ({ paths }) => {
    it('are dialled by Node and bring it back what it writes', async () => {
      const listener = await go().listen(portsFor(paths), 'echo')
      const { dialer } = nodeDialer(addressesFor(listener.addrs, paths), PATIENT)
      const conns = await Promise.all(Array.from({ length: CONNECTIONS }, () => dialer.dial()))
      const results = await Promise.all(
        conns.map(async (conn, seed) => {
          const [, back] = await Promise.all([
            send(conn, { bytes: BYTES, sizes: [10_000], seed }),
            receive(conn, { bytes: BYTES, seed }),
          ])
          conn.destroy()
          return back
        }),
      )
      for (const back of results) expect(back).toMatchObject({ bytes: BYTES, mismatchAt: -1 })
      // A connection may be over before all of its paths have joined. A path is dialled twice only where the hello
      // of a connection went unanswered for 300 ms on a busy machine, and lost the race to the next path.
      for (const path of dialer.stats()) {
        expect(path.failures).toBe(0)
        expect(path.successes).toBeLessThanOrEqual(CONNECTIONS * 1.05)
      }
      await listener.close()
    })
  })

  describe.each(pathsOf('Go'))('over $paths path(s) each', ({ paths }) => {
    it('are dialled by Go and bring it back what it writes', async () => {
      await using listener = await NodeListener.open(portsFor(paths))
      const echoing = serveEchoes(listener)
      const dialer = await go().dialer(addressesFor(listener.addrs, paths))
      const conns: GoConn[] = await Promise.all(Array.from({ length: CONNECTIONS }, () => dialer.dial()))
      const results = await Promise.all(
        conns.map(async (conn, seed) => {
          const [, back] = await Promise.all([
            conn.send({ bytes: BYTES, sizes: [10_000], seed }),
            conn.receive({ bytes: BYTES, seed }),
          ])
          return back
        }),
      )
      for (const back of results) expect(back).toMatchObject({ bytes: BYTES, mismatchAt: -1 })
      await Promise.all(conns.map((conn) => conn.close()))
      await echoing
    })
  })
})

/** Accepts as many connections as the spec opens. */
async function serveEchoes({ listener }: NodeListener): Promise<void> {
  for (let i = 0; i < CONNECTIONS; i++) echo(await listener.accept())
}

// SPDX-License-Identifier: Apache-2.0
/** Paths that Node adds and removes while Go and it send as fast as they can: not a byte is lost, on either way. */
import { once } from 'node:events'
import { expect, it } from 'vitest'
import type { MultipathConn, SubflowChange } from '../lib/index.js'
import { MultipathDialer, tcpDialer } from '../lib/index.js'
import { receive, send } from './support/node-side.js'
import { PathRelay } from './support/path-relay.js'
import { describeWithGo } from './support/with-go.js'

const MIB = 1_048_576
const BYTES = 24 * MIB
/** So slow that Go's writes take longer than the 33 ms of quiet after which it closes a subflow. */
const BYTES_PER_SECOND = 4 * MIB
const LEAST_CHANGES = 2

/** Resolves with the change of the path called `label`; `undefined` when the connection closes first. */
async function change(conn: MultipathConn, name: string, label: string): Promise<SubflowChange | undefined> {
  const over = new AbortController()
  const connOnClose = (): void => {
    over.abort()
  }
  conn.once('close', connOnClose)
  try {
    for (;;) {
      const [told] = (await once(conn, name, { signal: over.signal })) as [SubflowChange]
      if (told.label === label) return told
    }
  } catch {
    return undefined
  } finally {
    conn.off('close', connOnClose)
  }
}

describeWithGo('Paths added and removed under load', (go) => {
  it.each([
    { keeping: 1, what: 'one at a time, each the only one until the next is up' },
    { keeping: 2, what: 'beside others' },
  ])('$what, cost not a byte', async ({ keeping }) => {
    const listener = await go().listen(1)
    const relay = await PathRelay.open(listener.addrs[0]!)
    relay.limit(BYTES_PER_SECOND)
    const path = (n: number) => tcpDialer({ host: '127.0.0.1', port: relay.port, label: `path-${n}` })
    const dialer = new MultipathDialer(
      'Go',
      Array.from({ length: keeping }, (_, n) => path(n)),
    )
    const conn = await dialer.dial()
    const accepted = await listener.accept()
    const state = { isDone: false }
    const done = Promise.all([
      receive(conn, { bytes: BYTES, seed: 1 }),
      accepted.receive({ bytes: BYTES, seed: 2 }),
      accepted.send({ bytes: BYTES, seed: 1, sizes: [1_000_000, 100, 300_000] }),
      send(conn, { bytes: BYTES, seed: 2 }),
    ]).finally(() => {
      state.isDone = true
    })
    const reasons: (string | undefined)[] = []
    for (let n = keeping; !state.isDone; n++) {
      const opened = change(conn, 'subflow-open', `path-${n}`)
      const closed = change(conn, 'subflow-close', `path-${n - keeping}`)
      dialer.add(path(n))
      await opened
      dialer.remove(`path-${n - keeping}`)
      reasons.push((await closed)?.reason)
    }
    const [atNode, atGo] = await done
    expect(atNode).toMatchObject({ bytes: BYTES, mismatchAt: -1 })
    expect(atGo).toMatchObject({ bytes: BYTES, mismatchAt: -1 })
    expect(reasons.length).toBeGreaterThanOrEqual(LEAST_CHANGES)
    expect(new Set(reasons)).toEqual(new Set(['removed']))
    conn.destroy()
    await relay[Symbol.asyncDispose]()
    await listener.close()
  })
})

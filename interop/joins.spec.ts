// SPDX-License-Identifier: Apache-2.0
/** A Go dialer dials each path once: a listener's limits on joins have to let in all of them. */
import { expect, it } from 'vitest'
import { LISTENER_TABLE } from '../lib/listen/options.js'
import { NodeListener } from './support/pair.js'
import { describeWithGo } from './support/with-go.js'

/** All that a listener takes by default, which is far more than it takes a second later. */
const PATHS = LISTENER_TABLE.maxSubflows.default
const CONNECTIONS = 3

describeWithGo('The joins of a Go dialer', (go) => {
  it(`with ${PATHS} paths all get in, with the defaults`, async () => {
    expect(PATHS).toBeGreaterThan(LISTENER_TABLE.maxJoinsPerSecond.default)
    await using node = await NodeListener.open(3)
    const refused: Error[] = []
    node.listener.on('refused', (error) => refused.push(error))
    const dialer = await go().dialer(Array.from({ length: PATHS }, (_, n) => node.addrs[n % 3]!))
    const dialled = await Promise.all(Array.from({ length: CONNECTIONS }, () => dialer.dial()))
    for (let n = 0; n < CONNECTIONS; n++) {
      const conn = await node.listener.accept()
      while (conn.subflows().length < PATHS && refused.length === 0)
        await new Promise((resolve) => setTimeout(resolve, 10))
      expect(refused).toEqual([])
      expect(conn.subflows()).toHaveLength(PATHS)
      conn.on('error', () => {}).destroy()
    }
    await Promise.all(dialled.map((conn) => conn.close().catch(() => {})))
  })
})

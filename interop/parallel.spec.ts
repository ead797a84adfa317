// SPDX-License-Identifier: Apache-2.0
/** A Go listener takes several subflows of one path, and loses nothing when some are given up. */
import { expect, it } from 'vitest'
import { MultipathDialer, tcpDialer } from '../lib/index.js'
import { receive, send } from './support/node-side.js'
import { describeWithGo } from './support/with-go.js'

const MIB = 1_048_576

describeWithGo('A path of several subflows to a Go listener', (go) => {
  it('carries data both ways, and goes on with one', async () => {
    const listener = await go().listen(1)
    const [host = '', port] = listener.addrs[0]!.split(':')
    const dialer = new MultipathDialer('go', [
      tcpDialer({ label: 'lossy', host, port: Number(port), parallel: 4 }),
    ])
    const conn = await dialer.dial()
    const accepted = await listener.accept()
    void accepted.echo().catch(() => undefined)
    const echo = async (seed: number): Promise<void> => {
      const [back] = await Promise.all([
        receive(conn, { bytes: 8 * MIB, seed }),
        send(conn, { bytes: 8 * MIB, seed }),
      ])
      expect(back).toMatchObject({ bytes: 8 * MIB, mismatchAt: -1 })
    }
    await expect.poll(() => conn.subflows().filter(({ state }) => state === 'up').length).toBe(4)
    await echo(1)
    const reasons: unknown[] = []
    conn.on('subflow-close', ({ reason }) => reasons.push(reason))
    dialer.setPathPolicy('lossy', { parallel: 1 })
    await Promise.all([echo(2), expect.poll(() => conn.subflows().length, { timeout: 5000 }).toBe(1)])
    expect(reasons).toEqual(['surplus', 'surplus', 'surplus'])
    await echo(3)
    conn.destroy()
    await listener.close()
  })
})

// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { MuxSession } from '../../lib/mux/index.js'
import { memoryInUse, inMib } from '../support/memory.js'
import { sessions, tcpPair, text } from '../support/mux.js'
import { until } from '../support/turns.js'

async function cycles(client: MuxSession, count: number): Promise<void> {
  for (let done = 0; done < count; done += 100)
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const stream = client.open({ allowHalfOpen: true })
        if (index % 10 === 0) {
          stream.on('error', () => {}).resetAndDestroy()
          return
        }
        stream.end('x'.repeat(500))
        expect((await text(stream)).length).toBe(500)
      }),
    )
}

describe('a mux session', () => {
  it('keeps nothing of 10,000 streams that were opened and closed', async () => {
    const [client, server] = sessions(await tcpPair(), { allowHalfOpen: true })
    server.on('stream', (stream) => {
      stream.on('error', () => {})
      stream.pipe(stream)
    })
    await cycles(client, 2_000)
    const before = await memoryInUse()
    await cycles(client, 10_000)
    await until(() => server.streams === 0)
    const grown = (await memoryInUse()) - before
    expect([client.streams, server.streams, client.unreadBytes, server.unreadBytes]).toEqual([0, 0, 0, 0])
    expect(grown, `${inMib(grown)} after 10,000 streams`).toBeLessThan(5_000_000)
    await Promise.all([client.close(), once(server as never, 'close')])
  })
})

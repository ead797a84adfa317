// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { env } from 'node:process'
import { describe, expect, it } from 'vitest'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import { handles, inMib, memoryInUse } from '../support/memory.js'
import { catchUncaught } from '../support/outside.js'
import { listening, pathTo } from '../support/tcp.js'
import { quiet, until } from '../support/turns.js'

const MIB = 1_048_576
/** `SOAK_CYCLES` makes it longer or shorter. */
const CYCLES = Number(env.SOAK_CYCLES ?? 5_000)
/** Under way at the same time. */
const WORKERS = 8
/** Pools are filled and code is compiled after so many. */
const WARM_UP = 1000

describe('dial, use, close', () => {
  it(`${CYCLES} times leaves no listener state, handles or memory behind`, async () => {
    const caught = catchUncaught()
    const servers = [await listening(), await listening()]
    const listener = new MultipathListener(servers)
    const dialer = new MultipathDialer(
      'x',
      servers.map((server) => pathTo(server)),
    )
    const echo = (async () => {
      for await (const conn of listener) conn.pipe(conn)
    })()

    async function cycle(): Promise<void> {
      const conn = await dialer.dial()
      conn.write('echo')
      await once(conn, 'data')
      conn.resume().end()
      await once(conn, 'close')
    }

    async function run(count: number): Promise<void> {
      let left = count
      const worker = async (): Promise<void> => {
        while (left-- > 0) await cycle()
      }
      await Promise.all(Array.from({ length: WORKERS }, worker))
      await until(() => listener.connections === 0 && listener.pendingHandshakes === 0)
      await until(() => (handles().TCPSocketWrap ?? 0) === 0)
      await quiet(50)
    }

    await run(Math.min(WARM_UP, CYCLES))
    const [memory, resources] = [await memoryInUse(), handles()]
    const startedAt = performance.now()
    await run(CYCLES)
    const grown = (await memoryInUse()) - memory
    const rate = Math.round((CYCLES / (performance.now() - startedAt)) * 1000)
    console.info(
      `${CYCLES} cycles, ${rate}/s: memory ${inMib(grown)}, listener state ${listener.connections}, ` +
        `handles ${JSON.stringify(handles())}`,
    )
    expect(handles()).toEqual(resources)
    expect(grown).toBeLessThan(3 * MIB)
    const [first] = servers
    expect(
      await new Promise((resolve) =>
        first!.getConnections((_error, count) => {
          resolve(count)
        }),
      ),
    ).toBe(0)
    await listener.close()
    await echo
    expect(caught).toEqual({ exceptions: [], rejections: [] })
  }, 180_000)
})

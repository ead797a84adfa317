// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { MultipathConn } from '../../lib/index.js'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import type { SeededRandom } from '../../lib/testing/seeded-random.js'
import { damaged, frames, fuzzSource, pieces } from '../support/fuzz.js'
import { handles, inMib, memoryInUse } from '../support/memory.js'
import { catchUncaught } from '../support/outside.js'
import { readBytes } from '../support/pair.js'
import { listening, pathTo, portOf } from '../support/tcp.js'
import { quiet, until } from '../support/turns.js'

const MIB = 1_048_576
/** Hostile clients at the same time. */
const CLIENTS = 32

/** A client that says hello, more or less, and then frames, more or less. */
async function attack(random: SeededRandom, port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1')
  const gone = new Promise((resolve) => socket.once('close', resolve))
  socket.on('error', () => {})
  socket.resume()
  const opening = random.integer(0, 9) === 0 ? damaged(random, Buffer.alloc(17)) : Buffer.alloc(17)
  const bytes = Buffer.concat([opening, frames(random)])
  if (random.integer(0, 2) > 0) socket.write(bytes)
  else for (const piece of pieces(random, bytes)) socket.write(piece)
  leave(random, socket)
  await gone
}

function leave(random: SeededRandom, socket: Socket): void {
  const how = random.integer(0, 2)
  if (how === 1) socket.once('data', () => socket.resetAndDestroy())
  if (how < 2) socket.end()
  else socket.end(() => socket.destroy())
}

/** Accepts whatever comes and reads it, as an application would. */
async function serve(listener: MultipathListener, accepted: Set<MultipathConn>): Promise<void> {
  for await (const conn of listener) {
    accepted.add(conn)
    conn.on('error', () => {})
    conn.on('close', () => accepted.delete(conn))
    conn.pipe(conn)
  }
}

describe('a live listener', () => {
  it('given anything by anybody, serves its friends and is as before when they are gone', async () => {
    const caught = catchUncaught()
    const { random, inputs } = fuzzSource('live listener', 5000)
    const server = await listening()
    const listener = new MultipathListener([server])
    const accepted = new Set<MultipathConn>()
    const served = serve(listener, accepted)
    const friend = await new MultipathDialer('x', [pathTo(server)]).dial()

    async function round(count: number): Promise<void> {
      let left = count
      const worker = async (): Promise<void> => {
        while (left-- > 0) await attack(random, portOf(server))
      }
      await Promise.all(Array.from({ length: CLIENTS }, worker))
      friend.write('still here?')
      expect(String(await readBytes(friend, 11))).toBe('still here?')
      await until(() => listener.connections === 1 && listener.pendingHandshakes === 0)
    }

    await round(500)
    const [memory, resources] = [await memoryInUse(), handles()]
    for (let done = 0; done < inputs; done += 1000) await round(1000)
    await until(() => accepted.size === 1)
    await quiet(20)
    const grown = (await memoryInUse()) - memory
    console.info(`${inputs} connections, memory ${inMib(grown)}, handles ${JSON.stringify(handles())}`)
    expect(grown).toBeLessThan(8 * MIB)
    expect(handles().TCPSocketWrap ?? 0).toBeLessThanOrEqual((resources.TCPSocketWrap ?? 0) + 1)
    expect(caught).toEqual({ exceptions: [], rejections: [] })
    friend.destroy()
    await listener.close()
    await served
  }, 120_000)
})

// SPDX-License-Identifier: Apache-2.0
/** One of the two processes is killed while streams are in all kinds of states: nothing is left hanging. */
import type { Socket } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { SeededRandom } from '../../../lib/testing/seeded-random.js'
import { dial, ending, forward, serve, target } from '../../support/streams.js'
import { until } from '../../support/turns.js'

vi.setConfig({ testTimeout: 60_000 })

const STREAMS = 24

/** What a client does with its stream. */
const MANNERS: readonly ((socket: Socket, random: SeededRandom) => void)[] = [
  (socket) => socket.resume(), // says nothing
  (socket) => socket.resume().end('a question'), // has said all
  (socket) => socket.resume().write(Buffer.alloc(3_000_000)),
  (socket) => socket.write(Buffer.alloc(3_000_000)), // takes no answer
]

describe.each([1, 2])('a kill at a moment drawn from seed %i', (seed) => {
  it.each(['serve', 'forward'] as const)('of %s ends every stream at the other end', async (victim) => {
    const random = new SeededRandom(seed)
    const far = new Set<Socket>()
    const port = await target((socket) => {
      far.add(socket)
      socket.pipe(socket)
    })
    const there = await serve(['--allow', `t=127.0.0.1:${port}`, '--hold', '0'])
    const here = await forward(there.port, 't', ['--wait', '0.2', '--hold', '0'])
    const near = await Promise.all(Array.from({ length: STREAMS }, () => dial(here.port)))
    for (const socket of near) random.pick(MANNERS)(socket, random)
    const enough = random.integer(0, STREAMS)
    await until(() => far.size >= enough)
    const [killed, survivor] = victim === 'serve' ? [there.cli, here.cli] : [here.cli, there.cli]
    killed.kill('SIGKILL')
    await killed.left
    if (victim === 'serve') {
      for (const socket of near) socket.resume()
      // Those whose stream was over before may end well; a kill never does.
      for (const socket of near)
        expect(['ECONNRESET', 'EPIPE', 'closed']).toContain(await ending(socket.end()))
    } else {
      for (const socket of near) socket.destroy()
      for (const socket of far) expect(['ECONNRESET', 'EPIPE', 'closed']).toContain(await ending(socket))
    }
    survivor.kill('SIGTERM')
    expect((await survivor.exited).code).toBe(0)
  })
})

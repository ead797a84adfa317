// SPDX-License-Identifier: Apache-2.0
/** Streams whose readers stand still, in one session with one that is in use. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, expect, it, vi } from 'vitest'
import { memoryOf } from '../../support/memory.js'
import { command, dial, echo, serve, target } from '../../support/streams.js'
import { until } from '../../support/turns.js'

const MIB = 1_048_576
const STREAMS = 32
/** What a stream may bring before its reader takes anything. */
const WINDOW_BYTES = 256 * 1024
/** What 64 sockets and a heap that grows cost a process besides: 30 to 70 MiB were seen. */
const SLACK_BYTES = 128 * MIB
/** Of what echoes, what reads nothing, and what never stops writing. */
const NAMES = ['e', 'd', 'l']

vi.setConfig({ testTimeout: 60_000 })

/** Writes for as long as the other end takes it. @returns how much that was, until now */
function pour(socket: Socket): () => number {
  const chunk = Buffer.alloc(65_536)
  const more = (): void => {
    while (socket.write(chunk));
  }
  socket.on('drain', more)
  more()
  return () => socket.bytesWritten
}

/** Resolves once nothing more is taken. */
async function stuck(taken: () => number): Promise<void> {
  for (let before = -1; before !== taken(); ) {
    before = taken()
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

async function scene() {
  const counts: (() => number)[] = []
  const deaf = await target(() => {})
  const loud = await target((socket) => counts.push(pour(socket.on('data', () => {}))))
  const places = [await echo(), deaf, loud].map((port, n) => `${NAMES[n]}=127.0.0.1:${port}`)
  const there = await serve(places.flatMap((place) => ['--allow', place]))
  const locals = NAMES.flatMap((name) => ['--local', `0=${name}`])
  const here = command(['forward', '--to', `127.0.0.1:${there.port}`, ...locals])
  await here.line(/connected to/)
  const listening = (): string[] => here.lines.filter((line) => line.includes('listening on'))
  await until(() => listening().length === 3)
  const [echoPort, deafPort, loudPort] = listening().map((line) =>
    Number(/listening on \S+:(\d+)/.exec(line)![1]),
  )
  return { there: there.cli, here, counts, echoPort: echoPort!, deafPort: deafPort!, loudPort: loudPort! }
}

async function isServed(port: number): Promise<boolean> {
  const socket = await dial(port)
  for (let n = 0; n < 50; n++) {
    socket.write(`round ${n}`)
    const [bytes] = (await once(socket, 'data')) as [Buffer]
    if (String(bytes) !== `round ${n}`) return false
  }
  return true
}

describe('streams that nobody reads', () => {
  it('at the targets of serve hold a window each, and no other stream', async () => {
    const { there, here, echoPort, deafPort } = await scene()
    await isServed(echoPort)
    const before = [memoryOf(there), memoryOf(here)]
    const sockets = await Promise.all(Array.from({ length: STREAMS }, () => dial(deafPort)))
    const counts = sockets.map(pour)
    await stuck(() => counts.reduce((sum, count) => sum + count(), 0))
    expect(await isServed(echoPort)).toBe(true)
    const grown = [memoryOf(there), memoryOf(here)].map((bytes, n) => bytes - before[n]!)
    for (const bytes of grown) expect(bytes).toBeLessThan(STREAMS * 2 * WINDOW_BYTES + SLACK_BYTES)
  })

  it('at the clients of forward hold a window each, and no other stream', async () => {
    const { there, here, counts, echoPort, loudPort } = await scene()
    await isServed(echoPort)
    const before = [memoryOf(there), memoryOf(here)]
    const sockets = await Promise.all(Array.from({ length: STREAMS }, () => dial(loudPort)))
    for (const socket of sockets) socket.pause().write('go')
    await until(() => counts.length === STREAMS)
    await stuck(() => counts.reduce((sum, count) => sum + count(), 0))
    expect(await isServed(echoPort)).toBe(true)
    const grown = [memoryOf(there), memoryOf(here)].map((bytes, n) => bytes - before[n]!)
    for (const bytes of grown) expect(bytes).toBeLessThan(STREAMS * 2 * WINDOW_BYTES + SLACK_BYTES)
  })
})

// SPDX-License-Identifier: Apache-2.0
/** What strangers take of `multipath serve`: descriptors and memory. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ATTACKS } from '../../support/attacks.js'
import { memoryOf } from '../../support/memory.js'
import { dial, echo, forward, serve } from '../../support/streams.js'

const MIB = 1_048_576
const STREAMS = 20
/** Fewer than are dropped by chance. */
const SILENT = 7
/** More than the kernel holds of them. */
const SENT_BYTES = 160 * MIB
const ADDRESSES = [11, 12, 13, 14, 15].map((n) => `127.0.0.${n}`)
const SOCKETS_OF_AN_ADDRESS = 80

vi.setConfig({ testTimeout: 60_000 })

/** Silent sockets, which come again whenever they are closed. */
function strangers(port: number): void {
  const open = new Set<Socket>()
  let isOver = false
  const next = (localAddress: string): void => {
    if (isOver) return
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    open.add(socket)
    socket.on('error', () => {}).resume()
    socket.once('close', () => {
      open.delete(socket)
      setTimeout(next, 50, localAddress)
    })
  }
  for (const address of ADDRESSES) for (let n = 0; n < SOCKETS_OF_AN_ADDRESS; n++) next(address)
  onTestFinished(() => {
    isOver = true
    for (const socket of open) socket.destroy()
  })
}

/** What comes back of `text`. */
async function echoed(socket: Socket, text: string): Promise<string> {
  socket.write(text)
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  return String(bytes)
}

describe('multipath serve that may have 256 descriptors', () => {
  it('serves every stream of a client beside silent sockets of five addresses, and says so in a line', async () => {
    const port = await echo()
    const there = await serve(['--allow', `t=127.0.0.1:${port}`], {
      env: { MULTIPATH_TOKEN: 'a token that only specs know' },
      within: ['bash', '-c', 'ulimit -n 256; exec "$0" "$@"'],
    })
    strangers(there.port)
    await there.cli.line(/too many handshakes|descriptors|sockets are open/)
    const here = await forward(there.port, 't', ['--wait', '10'])
    const streams = await Promise.all(Array.from({ length: STREAMS }, () => dial(here.port)))
    const heard = await Promise.all(streams.map((socket, n) => echoed(socket, `stream ${n}`)))
    expect(heard).toEqual(streams.map((_, n) => `stream ${n}`))
    const lines = there.cli.lines.filter((line) => !/listening|is connected/.test(line))
    expect(lines.length).toBeLessThanOrEqual(2)
  })
})

describe('multipath serve', () => {
  it('keeps next to nothing of what those send who have not greeted', async () => {
    const there = await serve(['--allow', 't=127.0.0.1:9'], { env: { MULTIPATH_TOKEN: '' } })
    const before = memoryOf(there.cli)
    const sockets = await Promise.all(Array.from({ length: SILENT }, () => dial(there.port)))
    for (const socket of sockets) ATTACKS['announced-far-ahead']!(socket)
    let most = 0
    const sent = (): number => sockets.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0)
    for (let n = 0; n < 30 && sent() < SENT_BYTES; n++) {
      await new Promise((resolve) => setTimeout(resolve, 200))
      most = Math.max(most, memoryOf(there.cli) - before)
    }
    expect(sent()).toBeGreaterThan(SENT_BYTES / 4)
    expect(most).toBeLessThan(64 * MIB)
  })
})

// SPDX-License-Identifier: Apache-2.0
/** What sits at the port of `multipath serve` is not what it should be. */
import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ClientFlags } from '../../../lib/cli/streams/dial-session.js'
import { sessionDialer } from '../../../lib/cli/streams/dial-session.js'
import { Registry } from '../../../lib/cli/live/registry.js'
import { greetAsServer } from '../../../lib/cli/streams/greet.js'
import { Log } from '../../../lib/cli/streams/log.js'
import { MultipathListener } from '../../../lib/index.js'
import { MuxSession } from '../../../lib/mux/index.js'
import { FakeCliIo } from '../../support/fake-cli-io.js'
import { listening, portOf } from '../../support/tcp.js'
import { quiet, until } from '../../support/turns.js'

const LIMITS = { timeoutMs: 20_000 }

/** A session of a client that takes `maxStreams` streams, and the other end's. */
async function met(maxStreams: number): Promise<{ client: MuxSession; hostile: MuxSession }> {
  const server = await listening(createServer())
  const listener = new MultipathListener([server])
  onTestFinished(() => listener.close())
  const accepted = (async () => {
    const conn = await listener.accept()
    conn.on('error', () => {})
    await greetAsServer(conn, undefined, LIMITS, () => {})
    return new MuxSession(conn, { role: 'server' })
  })()
  const io = new FakeCliIo()
  const log = new Log(io, { isJson: false, isVerbose: false })
  const flags = { to: [{ host: '127.0.0.1', port: portOf(server) }], maxStreams: 10, drain: 1, wait: 1 }
  const registry = new Registry()
  const { open } = sessionDialer(flags as unknown as ClientFlags, maxStreams, { io, log, registry })
  const [client, hostile] = await Promise.all([open(new AbortController().signal), accepted])
  onTestFinished(() => {
    for (const session of [client, hostile]) session.destroy()
  })
  return { client, hostile }
}

describe('a serve that is hostile', () => {
  it('may open no stream where none is wanted: each is refused and holds nothing', async () => {
    const { client, hostile } = await met(0)
    const streams = Array.from({ length: 20 }, () => hostile.open())
    for (const stream of streams) stream.on('error', () => {}).write(Buffer.alloc(65_536))
    await until(() => streams.every(({ closed }) => closed))
    expect([client.streams, client.unreadBytes, client.isOpen]).toEqual([0, 0, true])
  })

  it('loses the session where it goes on opening them', async () => {
    const { client, hostile } = await met(0)
    for (let n = 0; n < 20; n++) {
      for (let i = 0; i < 100 && hostile.isOpen; i++) hostile.open().on('error', () => {})
      await quiet()
    }
    await until(() => !client.isOpen)
  })
})

describe('streams that one client does not read', () => {
  it('hold no more than a window each, and others go on', async () => {
    const { client, hostile } = await met(100)
    hostile.on('stream', (stream) => {
      stream.on('error', () => {})
      const more = (): void => {
        while (stream.write(Buffer.alloc(65_536)));
      }
      stream.on('drain', more)
      more()
    })
    const slow = Array.from({ length: 8 }, () => client.open().on('error', () => {}))
    for (const stream of slow) stream.write('go')
    await until(() => client.unreadBytes > 0)
    await quiet()
    expect(client.unreadBytes).toBeLessThanOrEqual(8 * 256 * 1024)
    const fast = client.open()
    fast.on('error', () => {})
    let bytes = 0
    fast.on('data', (chunk: Buffer) => (bytes += chunk.length))
    fast.write('go')
    await until(() => bytes > 4 * 1024 * 1024)
    expect(client.unreadBytes).toBeLessThanOrEqual(9 * 256 * 1024 + 16 * 1024 * 1024)
  })
})

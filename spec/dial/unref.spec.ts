// SPDX-License-Identifier: Apache-2.0
import type { Server, Socket } from 'node:net'
import { createServer } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { MultipathConn, SubflowDialer } from '../../lib/index.js'
import { connect, tcpDialer, tlsDialer, webSocketDialer } from '../../lib/index.js'
import { listening, portOf } from '../support/tcp.js'
import { quiet, until } from '../support/turns.js'

/** Sockets that keep this process up. */
function refedSockets(): number {
  return process.getActiveResourcesInfo().filter((name) => /^(TCP|TLS|Pipe)(Socket)?Wrap$/.test(name)).length
}

/** A server that takes sockets, says nothing, and does not keep the process up. */
async function silentServer(server?: Server): Promise<{ port: number; sockets: Socket[] }> {
  const sockets: Socket[] = []
  const silent = await listening(server)
  silent.on('connection', (socket: Socket) => {
    socket.unref()
    sockets.push(socket.on('error', () => {}))
  })
  silent.unref()
  // Sockets of the spec before are gone by then.
  await quiet()
  return { port: portOf(silent), sockets }
}

function dialling(...paths: SubflowDialer[]): MultipathConn {
  const conn = connect({ paths, headStartMs: 0 }).on('error', () => {})
  onTestFinished(() => void conn.destroy())
  return conn
}

describe('unref() of a connection that is still dialling', () => {
  it.each<[string, (port: number) => SubflowDialer]>([
    ['TCP', (port) => tcpDialer({ host: '127.0.0.1', port })],
    ['TCP to a name with several addresses', (port) => tcpDialer({ host: 'localhost', port })],
    ['TLS', (port) => tlsDialer({ host: '127.0.0.1', port })],
    ['WebSocket', (port) => webSocketDialer({ url: `ws://127.0.0.1:${port}` })],
  ])('lets the process end while %s opens, or waits for the answer to its hello', async (_what, pathTo) => {
    const { port, sockets } = await silentServer()
    const before = refedSockets()
    const conn = dialling(pathTo(port))
    await until(() => sockets.length > 0)
    expect(refedSockets()).toBe(before + 1)
    conn.unref()
    expect(refedSockets()).toBe(before)
    conn.ref()
    expect(refedSockets()).toBe(before + 1)
  })

  it('holds for what is opened after it', async () => {
    const { port, sockets } = await silentServer()
    const before = refedSockets()
    const path = (label: string): SubflowDialer => tcpDialer({ label, host: '127.0.0.1', port })
    dialling(path('a'), path('b'), path('c')).unref()
    await until(() => sockets.length === 3)
    expect(refedSockets()).toBe(before)
  })

  it('holds for an upgrade that is not answered', async () => {
    const http = createServer()
    const { port, sockets } = await silentServer(http)
    const before = refedSockets()
    dialling(webSocketDialer({ url: `ws://127.0.0.1:${port}` })).unref()
    await until(() => sockets.length > 0)
    expect(refedSockets()).toBe(before)
  })
})

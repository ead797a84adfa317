// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { BlockList, createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { JoinRequest, ListenerOptions } from '../../lib/index.js'
import { MultipathListener, webSocketServer } from '../../lib/index.js'
import { CERTIFICATE } from '../support/certificate.js'
import { MemoryStream } from '../support/memory-path.js'
import { v2 } from '../support/proxy-headers.js'
import { client, listening } from '../support/tcp.js'
import { quiet, until } from '../support/turns.js'

/** A hello, and the pong that every dialer says with the answer. */
const HELLO = Buffer.concat([Buffer.alloc(17), Buffer.of(0, 1)])
const FORGED = {
  remoteAddress: '203.0.113.9',
  remotePort: 51_000,
  localAddress: '192.0.2.1',
  localPort: 7000,
}

async function scene(options: ListenerOptions = {}, plain: Server = createServer()) {
  const server = await listening(plain)
  const listener = new MultipathListener([server], [], options)
  onTestFinished(() => listener.close())
  const refused: unknown[] = []
  listener.on('refused', (error) => refused.push((error as { code?: unknown }).code))
  return { server, listener, refused }
}

/** A socket that its peer has reset before it was accepted: it knows its own address alone, and what had come. */
function resetSocket(bytes: Uint8Array): MemoryStream {
  const [near, far] = MemoryStream.pair()
  near.on('error', () => {})
  near.write(bytes)
  onTestFinished(() => void near.destroy())
  return Object.assign(far, { localAddress: '127.0.0.1', localPort: 7000 })
}

/** Loses its address once it was asked for it, as a socket does that is reset meanwhile. */
function forgetful(far: MemoryStream): MemoryStream {
  const atFirst = (value: unknown): PropertyDescriptor => {
    let asked = 0
    return { configurable: true, get: () => (asked++ === 0 ? value : undefined) }
  }
  Object.defineProperties(far, { remoteAddress: atFirst('198.51.100.7'), remotePort: atFirst(4000) })
  return Object.assign(far, { localAddress: '127.0.0.1', localPort: 7000 })
}

describe('a stream that was reset before anybody asked for its address', () => {
  it('names no other address, however it opens', async () => {
    const { server, listener } = await scene({ trustedProxies: ['192.0.2.200'] })
    const far = resetSocket(Buffer.concat([v2(FORGED), HELLO]))
    server.emit('connection', far as unknown as Socket)
    expect(far.destroyed).toBe(true)
    await quiet()
    expect([listener.connections, listener.pendingHandshakes, far.readableLength]).toEqual([0, 0, 0])
  })

  it('is no stream where there are no proxies, either: a block list could not tell', async () => {
    const { server, listener, refused } = await scene({ blockList: new BlockList() })
    const far = resetSocket(HELLO)
    server.emit('connection', far as unknown as Socket)
    await quiet()
    // Nobody is refused: the peer has gone by itself, as a balancer's check does.
    expect([far.destroyed, listener.connections, refused]).toEqual([true, 0, []])
  })

  it('is no stream of a server that has an address, though it has lost its own as well', async () => {
    const { server, listener } = await scene()
    const [, far] = MemoryStream.pair()
    server.emit('connection', far as unknown as Socket)
    expect([far.destroyed, listener.pendingHandshakes]).toEqual([true, 0])
  })

  it('does not get as far as a TLS handshake, nor past one', async () => {
    const { server, listener } = await scene({}, createTlsServer(CERTIFICATE))
    for (const event of ['connection', 'secureConnection']) {
      const far = resetSocket(HELLO)
      server.emit(event, far as never)
      await quiet()
      expect([event, far.destroyed, listener.pendingHandshakes, listener.connections]).toEqual([
        event,
        true,
        0,
        0,
      ])
    }
  })

  it('is none of a WebSocket either', async () => {
    const server = await webSocketServer({ port: 0, host: '127.0.0.1' })
    const listener = new MultipathListener([server])
    onTestFinished(() => listener.close())
    const [, far] = MemoryStream.pair()
    server.emit('connection', far)
    expect([far.destroyed, listener.pendingHandshakes]).toEqual([true, 0])
  })
})

describe('the address of a stream', () => {
  it('is asked once, at its coming, and kept for all who ask', async () => {
    const requests: JoinRequest[] = []
    const { server, listener } = await scene({
      authorizeJoin: (request) => {
        requests.push(request)
        return true
      },
    })
    const [near, far] = MemoryStream.pair()
    server.emit('connection', forgetful(far) as unknown as Socket)
    near.write(HELLO)
    const conn = await listener.accept()
    expect(conn.remoteAddress).toBe('198.51.100.7')
    expect(conn.subflows()[0]!.label).toBe('127.0.0.1:7000|198.51.100.7:4000')
    const hello = ((await once(near, 'data')) as [Buffer])[0].subarray(0, 17)
    const [second, joining] = MemoryStream.pair()
    server.emit('connection', forgetful(joining) as unknown as Socket)
    second.write(hello)
    await until(() => requests.length === 1)
    expect(requests[0]!.first.remoteAddress).toBe('198.51.100.7')
    expect(requests[0]!.peer.remoteAddress).toBe('198.51.100.7')
    conn.destroy()
  })

  it('stays with a real socket that is reset', async () => {
    const { server, listener, refused } = await scene()
    const seen: unknown[] = []
    listener.on('refused', (_error, { remoteAddress, localAddress }) =>
      seen.push(remoteAddress, localAddress),
    )
    const socket = await client(server)
    await until(() => listener.pendingHandshakes === 1)
    socket.resetAndDestroy()
    await until(() => refused.length === 1)
    expect(seen).toEqual(['127.0.0.1', '127.0.0.1'])
  })
})

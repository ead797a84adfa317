// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import type { Server, Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { IncomingStream, ListenerOptions } from '../../lib/index.js'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import { ProxyGate } from '../../lib/listen/trusted-proxies.js'
import { ManualClock } from '../../lib/testing/index.js'
import { blockList, v1, v2, v2Local } from '../support/proxy-headers.js'
import { client, heardUntilClose, listening, pathTo, portOf } from '../support/tcp.js'
import { quiet, until } from '../support/turns.js'

/** A hello, and the pong that every dialer says with the answer. */
const ZERO_HELLO = Buffer.concat([Buffer.alloc(17), Buffer.of(0, 1)])
const CLIENT = {
  remoteAddress: '203.0.113.9',
  remotePort: 51_000,
  localAddress: '192.0.2.1',
  localPort: 7000,
}
const LABEL = '192.0.2.1:7000|203.0.113.9:51000'

/** A listener behind a balancer on this machine, and what it refused. */
async function behind(
  options: ListenerOptions = { trustedProxies: ['127.0.0.1'] },
): Promise<{ server: Server; listener: MultipathListener; refused: { code: string; address: unknown }[] }> {
  const server = await listening()
  const listener = new MultipathListener([server], [], options)
  onTestFinished(() => listener.close())
  const refused: { code: string; address: unknown }[] = []
  listener.on('refused', (error, { remoteAddress }) => {
    refused.push({ code: (error as { code?: string }).code!, address: remoteAddress })
  })
  return { server, listener, refused }
}

/** Both ends of a new stream to `server`. */
async function dialled(server: Server): Promise<{ socket: Socket; stream: Socket }> {
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const socket = await client(server)
  const [stream] = await accepted
  return { socket, stream }
}

/** The CID with which a listener answers. */
async function answer(socket: Socket): Promise<Buffer> {
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  return bytes.subarray(1, 17)
}

describe('a stream of a trusted proxy', () => {
  it.each([
    ['version 1', v1('TCP4', CLIENT)],
    ['version 2', v2(CLIENT)],
  ])('is the subflow of the client that its header of %s names', async (_what, header) => {
    const { server, listener } = await behind()
    const socket = await client(server)
    socket.write(Buffer.concat([header, ZERO_HELLO]))
    const conn = await listener.accept()
    expect(conn.subflows()[0]!.label).toBe(LABEL)
    expect((await answer(socket)).equals(Buffer.alloc(16))).toBe(false)
    conn.destroy()
  })

  it('may bring its header and its hello byte by byte', async () => {
    const { server, listener } = await behind({ trustedProxies: blockList('127.0.0.1') })
    const socket = await client(server)
    socket.setNoDelay(true)
    for (const byte of Buffer.concat([v2(CLIENT), ZERO_HELLO])) {
      socket.write(Buffer.of(byte))
      await quiet()
    }
    const conn = await listener.accept()
    expect(conn.subflows()[0]!.label).toBe(LABEL)
    conn.destroy()
  })

  it('is refused without a header, and nothing is answered', async () => {
    const { server, refused } = await behind()
    const socket = await client(server)
    const heard = heardUntilClose(socket)
    socket.write(ZERO_HELLO)
    expect(await heard).toHaveLength(0)
    expect(refused).toEqual([{ code: 'ERR_MULTIPATH_HANDSHAKE', address: '127.0.0.1' }])
  })

  it('has one time limit for header and hello, and is refused as the client', async () => {
    const clock = new ManualClock()
    const { server, listener, refused } = await behind({
      trustedProxies: ['127.0.0.0/8'],
      handshakeTimeoutMs: 1000,
      clock,
    })
    const { socket, stream } = await dialled(server)
    const heard = heardUntilClose(socket)
    clock.advance(600)
    socket.write(v2(CLIENT))
    await until(() => stream.remoteAddress === CLIENT.remoteAddress)
    await quiet()
    expect(listener.pendingHandshakes).toBe(1)
    clock.advance(400)
    await heard
    expect(refused).toEqual([{ code: 'ERR_MULTIPATH_HANDSHAKE_TIMEOUT', address: CLIENT.remoteAddress }])
  })

  it('counts against the address of the client', async () => {
    const { server, listener, refused } = await behind({
      trustedProxies: ['127.0.0.1'],
      maxPendingHandshakes: 3,
    })
    const other = { ...CLIENT, remoteAddress: '198.51.100.1' }
    for (const { remoteAddress, ...rest } of [other, CLIENT, CLIENT]) {
      const { socket, stream } = await dialled(server)
      socket.write(v2({ remoteAddress, ...rest }))
      await until(() => stream.remoteAddress === remoteAddress)
    }
    expect(listener.pendingHandshakes).toBe(3)
    const last = await client(server)
    last.write(v2(CLIENT))
    await until(() => refused.length === 1)
    // Were all of them the balancer's, the oldest would go: that of the other client.
    expect(refused).toEqual([{ code: 'ERR_MULTIPATH_LIMIT', address: CLIENT.remoteAddress }])
  })
})

describe('a health check', () => {
  it.each([
    ['connects and closes', (socket: Socket) => socket.end()],
    ['connects and resets', (socket: Socket) => socket.resetAndDestroy()],
    ['says LOCAL and closes', (socket: Socket) => socket.end(v2Local())],
    [
      'says LOCAL and resets',
      (socket: Socket) => {
        socket.write(v2Local())
        socket.resetAndDestroy()
      },
    ],
  ])('that %s is no refusal', async (_what, check) => {
    const { server, listener, refused } = await behind()
    const { socket, stream } = await dialled(server)
    check(socket)
    await until(() => stream.closed)
    await until(() => listener.pendingHandshakes === 0)
    expect(refused).toEqual([])
  })

  it('that goes on to a hello is a subflow of the balancer', async () => {
    const { server, listener } = await behind()
    const socket = await client(server)
    socket.write(Buffer.concat([v2Local(), ZERO_HELLO]))
    const conn = await listener.accept()
    expect(conn.subflows()[0]!.label).toBe(`127.0.0.1:${portOf(server)}|127.0.0.1:${socket.localPort}`)
    conn.destroy()
  })
})

describe('trustedProxies', () => {
  it('expects a header of nobody but them, and none of a stream without an address', () => {
    const gate = new ProxyGate(['127.0.0.1'])
    const socket = (addresses: object): IncomingStream => Object.assign(new PassThrough(), addresses)
    expect(gate.expectsHeader(socket({ localAddress: '127.0.0.1', remoteAddress: '127.0.0.1' }))).toBe(true)
    expect(gate.expectsHeader(socket({ localAddress: '127.0.0.1', remoteAddress: '127.0.0.2' }))).toBe(false)
    // A Unix socket has none.
    expect(gate.expectsHeader(socket({}))).toBe(false)
  })

  it('reads no header of anybody else', async () => {
    const { server, listener, refused } = await behind({ trustedProxies: ['192.0.2.0/24', '::1'] })
    const socket = await client(server)
    socket.write(v2(CLIENT))
    await until(() => refused.length === 1)
    expect(refused[0]!.code).toBe('ERR_MULTIPATH_UNEXPECTED_VERSION')
    const dialer = new MultipathDialer('x', [pathTo(server)])
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    expect(far.name).toBe(near.name)
    near.destroy()
  })

  it.each([
    ['no list', 5],
    ['a name', ['balancer.example']],
    ['a prefix too long', ['10.0.0.0/33']],
    ['two prefixes', ['10.0.0.0/8/8']],
    ['a number', [7]],
  ])('refuses %s', async (_what, trustedProxies) => {
    const server = await listening()
    expect(() => new MultipathListener([server], [], { trustedProxies } as never)).toThrow(/trustedProxies/)
  })

  it('refuses a TLS server, whose header would come before its TLS', () => {
    const listen = (): unknown => new MultipathListener([createTlsServer()], [], { trustedProxies: ['::1'] })
    expect(listen).toThrow(/trustedProxies takes no TLS servers, and servers\[0\] is one/)
  })
})

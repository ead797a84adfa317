// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createServer } from 'node:net'
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { MultipathConn } from '../../lib/index.js'
import { MultipathDialer, MultipathListener, NullTracker } from '../../lib/index.js'
import { CERTIFICATE } from '../support/certificate.js'
import { MemoryStream } from '../support/memory-path.js'
import { catchUncaught } from '../support/outside.js'
import { meeting, readAll, upCount } from '../support/pair.js'
import { listening, pathTo, portOf } from '../support/tcp.js'
import { quiet, until } from '../support/turns.js'

const OPTION = expect.objectContaining({ code: 'ERR_MULTIPATH_OPTION' }) as Error
/** A hello, and the pong that every dialer says with the answer. */
const ZERO_HELLO = Buffer.concat([Buffer.alloc(17), Buffer.of(0, 1)])

describe('the constructor', () => {
  it.each([
    ['no servers', [], undefined],
    ['something else', 5, undefined],
    ['a server that is none', [{}], undefined],
    ['trackers that are no array', [createServer()], new NullTracker()],
    [
      'a number of trackers that differs from the number of servers',
      [createServer()],
      [new NullTracker(), new NullTracker()],
    ],
  ])('refuses %s', (_what, servers, trackers) => {
    expect(() => new MultipathListener(servers as never, trackers as never)).toThrow(OPTION)
  })
})

describe('accept()', () => {
  it('gives connections in the order they came, whether it is called before or after', async () => {
    const { dialer, listener } = meeting()
    const first = listener.accept()
    const [one, two, three] = [await dialer.dial(), await dialer.dial(), await dialer.dial()]
    const accepted = [await first, await listener.accept(), await listener.accept()]
    expect(accepted.map(({ name }) => name)).toEqual([one, two, three].map(({ name }) => name))
    for (const conn of [one, two, three]) conn.destroy()
  })

  it('rejects with the reason of its signal, and loses no connection to an aborted call', async () => {
    const { dialer, listener } = meeting()
    const limit = new AbortController()
    const waiting = listener.accept({ signal: limit.signal })
    limit.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    await expect(listener.accept({ signal: limit.signal })).rejects.toThrow('enough')
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    expect(far.name).toBe(near.name)
    near.destroy()
  })

  it('is also what iterating does, until the listener is closed', async () => {
    const { dialer, listener } = meeting()
    const accepted: MultipathConn[] = []
    const iterated = (async () => {
      for await (const conn of listener) accepted.push(conn)
    })()
    const conns = [await dialer.dial(), await dialer.dial()]
    await until(() => accepted.length === 2)
    await listener.close()
    await iterated
    for (const conn of conns) conn.destroy()
  })

  it('delivers a connection whose client has ended already', async () => {
    const { dialer, listener } = meeting()
    const near = await dialer.dial()
    near.end('early')
    await near.flushed()
    await quiet()
    expect(String(await readAll(await listener.accept()))).toBe('early')
  })

  it('never sees a connection that failed before, which hurts nobody', async () => {
    const caught = catchUncaught()
    const { dialer, listener, paths } = meeting()
    const waiting = listener.accept()
    const [near, far] = MemoryStream.pair()
    near.on('error', () => {})
    paths[0]!.server.emit('connection', far)
    // A hello, the codes of one of ours, and a frame too large: the connection is over as soon as it is there.
    near.write(Buffer.concat([ZERO_HELLO, Buffer.from('000200c0ffffffffffffff00', 'hex')]))
    await new Promise((resolve) => near.resume().once('close', resolve))
    await quiet()
    const good = await dialer.dial()
    expect((await waiting).name).toBe(good.name)
    expect(listener.connections).toBe(1)
    expect(caught).toEqual({ exceptions: [], rejections: [] })
    good.destroy()
  })
})

describe('close()', () => {
  it('ends calls that wait, and refuses later ones', async () => {
    const { listener } = meeting()
    const waiting = listener.accept()
    await listener.close()
    const closed = { code: 'ERR_MULTIPATH_CLOSED' }
    await expect(waiting).rejects.toMatchObject(closed)
    await expect(listener.accept()).rejects.toMatchObject(closed)
    await listener.close()
  })

  it('lets accepted connections live on, but takes no more subflows', async () => {
    const servers = [await listening(), await listening()]
    const sockets: Socket[] = []
    servers[1]!.on('connection', (socket) => sockets.push(socket))
    const listener = new MultipathListener(servers)
    const dialer = new MultipathDialer(
      'x',
      servers.map((server) => pathTo(server)),
      { redialMinMs: 1, redialMaxMs: 1 },
    )
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    await until(() => upCount(far) === 2)
    await listener.close()
    let failures = 0
    dialer.on('path-failure', () => failures++)
    sockets[0]!.resetAndDestroy()
    await until(() => failures > 3)
    expect(upCount(far)).toBe(1)
    near.end('still here')
    expect(String(await readAll(far))).toBe('still here')
  })

  it('destroys connections that nobody has accepted, and handshakes under way', async () => {
    const { dialer, listener, paths } = meeting()
    const near = await dialer.dial()
    near.resume().on('error', () => {})
    const [silent, far] = MemoryStream.pair()
    paths[0]!.server.emit('connection', far)
    expect(listener.pendingHandshakes).toBe(1)
    await listener.close()
    await until(() => near.closed && far.destroyed)
    expect([listener.connections, listener.pendingHandshakes]).toEqual([0, 0])
    silent.destroy()
  })

  it('frees the ports at once', async () => {
    const servers = [await listening(), await listening()]
    const ports = servers.map(portOf)
    const listener = new MultipathListener(servers)
    const [near, far] = await Promise.all([
      new MultipathDialer(
        'x',
        servers.map((server) => pathTo(server)),
      ).dial(),
      listener.accept(),
    ])
    await listener.close()
    for (const port of ports) {
      const again = createServer().listen(port, '127.0.0.1')
      await once(again, 'listening')
      again.close()
    }
    near.destroy()
    far.destroy()
  })

  it('is what await using does', async () => {
    const server = await listening()
    {
      await using listener = new MultipathListener([server])
      expect(listener.connections).toBe(0)
    }
    expect(server.listening).toBe(false)
  })
})

describe('servers', () => {
  it('may listen later', async () => {
    const servers = [createServer(), createServer()]
    const listener = new MultipathListener(servers)
    for (const server of servers) await listening(server)
    const dialer = new MultipathDialer(
      'x',
      servers.map((server) => pathTo(server)),
    )
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    await until(() => upCount(far) === 2)
    near.end('hello')
    expect(String(await readAll(far))).toBe('hello')
    await listener.close()
  })

  it('may speak TLS', async () => {
    const servers = [createTlsServer(CERTIFICATE), createTlsServer(CERTIFICATE)]
    for (const server of servers) await listening(server)
    const listener = new MultipathListener(servers)
    const dialers = servers.map((server, index) => ({
      label: `tls ${index}`,
      dial: async () => {
        const socket = tlsConnect({ port: portOf(server), host: '127.0.0.1', rejectUnauthorized: false })
        await once(socket, 'secureConnect')
        return socket
      },
    }))
    const [near, far] = await Promise.all([new MultipathDialer('x', dialers).dial(), listener.accept()])
    await until(() => upCount(far) === 2 && upCount(near) === 2)
    const data = Buffer.alloc(500_000, 'secret')
    near.end(data)
    expect((await readAll(far)).equals(data)).toBe(true)
    await listener.close()
  })

  it('have the tracker of their place', async () => {
    const received = [0, 0]
    const trackers = received.map((_, index) => {
      const tracker = new NullTracker()
      tracker.onRecv = (bytes) => {
        received[index]! += bytes
      }
      return tracker
    })
    const servers = [await listening(), await listening()]
    const listener = new MultipathListener(servers, trackers)
    const dialer = new MultipathDialer('x', [pathTo(servers[1]!)])
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    near.end('12345')
    await readAll(far)
    expect(received).toEqual([0, 5])
    await listener.close()
  })
})

describe('a closed connection', () => {
  it('leaves no trace', async () => {
    const { dialer, listener, paths } = meeting({ paths: 3 })
    for (let round = 0; round < 10; round++) {
      const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
      far.resume()
      near.resume().end('x')
      await until(() => near.closed && far.closed)
    }
    expect([listener.connections, listener.pendingHandshakes]).toEqual([0, 0])
    await until(() => paths.every(({ live }) => live.length === 0))
  })

  it('is closed to those who want to join it: their sockets are closed without an echo', async () => {
    const { dialer, listener, paths } = meeting()
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    const cid = Buffer.alloc(16)
    const [probe, probeFar] = MemoryStream.pair()
    onTestFinished(() => {
      probe.destroy()
    })
    // The hello's answer holds the CID.
    paths[0]!.server.emit('connection', probeFar)
    const heard: Buffer[] = []
    probe.on('data', (chunk: Buffer) => heard.push(chunk))
    probe.write(ZERO_HELLO)
    await until(() => Buffer.concat(heard).length >= 17)
    Buffer.concat(heard).copy(cid, 0, 1, 17)
    const other = await listener.accept()
    other.destroy()
    await until(() => listener.connections === 1)
    const [late, lateFar] = MemoryStream.pair()
    late.on('error', () => {})
    let lateHeard = 0
    late.on('data', (chunk: Buffer) => (lateHeard += chunk.length))
    const refused = new Promise((resolve) => listener.once('refused', resolve))
    paths[0]!.server.emit('connection', lateFar)
    late.write(Buffer.concat([Buffer.alloc(1), cid]))
    expect(await refused).toMatchObject({ code: 'ERR_MULTIPATH_CLOSED' })
    await until(() => late.destroyed || late.readableEnded)
    expect(lateHeard).toBe(0)
    near.destroy()
    far.destroy()
  })
})

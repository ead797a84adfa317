// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { BlockList, connect } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { JoinRequest, ListenerOptions } from '../../lib/index.js'
import { MultipathDialer, MultipathListener, tlsDialer } from '../../lib/index.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { CERTIFICATE, CLIENT_CERTIFICATE } from '../support/certificate.js'
import { MemoryStream } from '../support/memory-path.js'
import { closing, connectedPair, meeting, upCount } from '../support/pair.js'
import { pass } from '../support/pass.js'
import { client, heardUntilClose, listening, pathTo, portOf } from '../support/tcp.js'
import { quiet, until } from '../support/turns.js'

const code = (name: string): unknown => expect.objectContaining({ code: `ERR_MULTIPATH_${name}` })
/** A hello, and the pong that every dialer says with the answer. */
const HELLO = Buffer.concat([Buffer.alloc(17), Buffer.of(0, 1)])

function listOf(...addresses: string[]): BlockList {
  const list = new BlockList()
  for (const address of addresses) list.addAddress(address, address.includes(':') ? 'ipv6' : 'ipv4')
  return list
}

/** A listener on loopback with the errors that it told of. */
async function tcpListener(options: ListenerOptions = {}) {
  const server = await listening()
  const listener = new MultipathListener([server], [], options)
  onTestFinished(() => listener.close())
  return { server, listener, refused: refusedBy(listener) }
}

function refusedBy(listener: MultipathListener): Error[] {
  const refused: Error[] = []
  listener.on('refused', (error) => refused.push(error))
  return refused
}

/** Opens a connection by hand. @returns the hello to join it with */
async function opened(server: Parameters<typeof client>[0]): Promise<Buffer> {
  const socket = await client(server)
  socket.write(HELLO)
  const [answer] = (await once(socket, 'data')) as [Buffer]
  return answer.subarray(0, 17)
}

async function tlsListener(options: ListenerOptions = {}, requestCert = false) {
  const server = await listening(createTlsServer({ ...CERTIFICATE, requestCert, rejectUnauthorized: false }))
  const listener = new MultipathListener([server], [], options)
  onTestFinished(() => listener.close())
  return { server, listener, refused: refusedBy(listener) }
}

describe('an address', () => {
  it('on the block list gets its socket closed before anything of it is read', async () => {
    const { server, listener, refused } = await tcpListener({ blockList: listOf('127.0.0.1') })
    let bytesRead = -1
    listener.on('refused', (_error, stream) => {
      bytesRead = (stream as unknown as { bytesRead: number }).bytesRead
    })
    const socket = await client(server)
    socket.write(HELLO)
    expect(await heardUntilClose(socket)).toEqual(Buffer.alloc(0))
    expect(refused).toEqual([code('REFUSED')])
    expect([bytesRead, listener.pendingHandshakes, listener.connections]).toEqual([0, 0, 0])
  })

  it('may be put on the block list while the listener runs', async () => {
    const blockList = new BlockList()
    const { server, listener } = await tcpListener({ blockList })
    const dialer = new MultipathDialer('x', [pathTo(server)])
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    blockList.addSubnet('127.0.0.0', 8)
    await expect(dialer.dial()).rejects.toMatchObject({ multipathCode: 'ERR_MULTIPATH_FAIL_ON_ALL_DIALERS' })
    near.destroy()
    far.destroy()
  })

  it.each([
    ['192.0.2.1', '192.0.2.1', true],
    ['::ffff:192.0.2.1', '192.0.2.1', true],
    ['192.0.2.2', '192.0.2.1', false],
    ['fe80::1%eth0', 'fe80::1', true],
    [undefined, '192.0.2.1', false],
  ])('%s with %s on the allow list: comes in: %s', async (remoteAddress, allowed, comesIn) => {
    const { listener, paths } = meeting({ listener: { allowList: listOf(allowed) } })
    const refused = refusedBy(listener)
    const [near, far] = MemoryStream.pair()
    Object.assign(far, { remoteAddress })
    paths[0]!.server.emit('connection', far)
    expect([refused.length, listener.pendingHandshakes]).toEqual(comesIn ? [0, 1] : [1, 0])
    expect(far.destroyed).toBe(!comesIn)
    near.destroy()
  })

  it('on the block list does not get as far as a TLS handshake', async () => {
    const { server, listener, refused } = await tlsListener({ blockList: listOf('127.0.0.1') })
    const socket = tlsConnect({ port: portOf(server), host: '127.0.0.1', rejectUnauthorized: false })
    const [error] = (await once(socket, 'error')) as [Error]
    expect(error).toMatchObject({ code: 'ECONNRESET' })
    expect(refused).toEqual([code('REFUSED')])
    expect(listener.pendingHandshakes).toBe(0)
  })
})

describe('TLS handshakes', () => {
  it('count, give way to later ones, and leave nothing behind', async () => {
    const { server, listener, refused } = await tlsListener({ maxPendingTlsHandshakes: 12 })
    const cut = await Promise.all(Array.from({ length: 5 }, () => client(server)))
    for (const socket of cut) socket.write(Buffer.from('160301020001', 'hex'))
    await until(() => refused.length === 2)
    expect(refused).toEqual([code('LIMIT'), code('LIMIT')])
    expect(listener.pendingHandshakes).toBe(3)
    const dialer = new MultipathDialer('x', [
      tlsDialer({ host: '127.0.0.1', port: portOf(server), rejectUnauthorized: false }),
    ])
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    for (const socket of cut) socket.destroy()
    await until(() => listener.pendingHandshakes === 0)
    near.destroy()
    far.destroy()
  })

  it('have the time of a handshake', async () => {
    const clock = new ManualClock()
    const { server, listener, refused } = await tlsListener({ clock })
    const socket = await client(server)
    socket.write(Buffer.from('160301020001', 'hex'))
    const heard = heardUntilClose(socket)
    await until(() => listener.pendingHandshakes === 1)
    clock.advance(9999)
    expect(refused).toEqual([])
    clock.advance(1)
    await heard
    expect(refused).toEqual([code('HANDSHAKE_TIMEOUT')])
    expect(listener.pendingHandshakes).toBe(0)
  })
})

describe('joins in a short time', () => {
  it('are as many as there may be subflows, then as many a second as the option says', async () => {
    const clock = new ManualClock()
    const options = { clock, maxSubflows: 4, maxJoinsPerSecond: 2 }
    const { server, listener, refused } = await tcpListener(options)
    const hello = await opened(server)
    const conn = await listener.accept()
    const join = async (): Promise<void> => {
      const before = [upCount(conn), refused.length]
      const socket = await client(server)
      socket.write(hello)
      await until(() => conn.subflows().length > 1 || refused.length > before[1]!)
      socket.destroy()
      await until(() => conn.subflows().length === 1)
    }
    for (let n = 0; n < 4; n++) await join()
    expect(refused).toEqual([])
    await join()
    expect(refused).toEqual([code('LIMIT')])
    clock.advance(1000)
    for (let n = 0; n < 2; n++) await join()
    expect(refused).toHaveLength(1)
    await join()
    expect(refused).toHaveLength(2)
    conn.destroy()
  })
})

describe('a connection that its peer has left', () => {
  it('counts until its reader is done: leaving data behind and coming again does not get round the limit', async () => {
    const clock = new ManualClock()
    const { server, listener, refused } = await tcpListener({ clock, maxConnections: 1 })
    const socket = await client(server)
    // A hello, and one data frame of three bytes.
    socket.write(Buffer.concat([HELLO, Buffer.from('030a616263', 'hex')]))
    const conn = await listener.accept()
    const closed = closing(conn)
    await until(() => conn.subflows()[0]!.receivedBytes === 3)
    socket.resetAndDestroy()
    await until(() => listener.connections === 0)
    const next = await client(server)
    next.write(HELLO)
    await heardUntilClose(next)
    expect(refused).toEqual([code('LIMIT')])
    conn.resume()
    await closed
    const last = await client(server)
    last.write(HELLO)
    await until(() => listener.connections === 1)
    ;(await listener.accept()).destroy()
  })
})

describe('authorizeJoin', () => {
  it('is asked for joins alone, and told of both streams', async () => {
    const asked: JoinRequest[] = []
    const { server, listener } = await tcpListener({
      authorizeJoin: (request) => {
        asked.push(request)
        return true
      },
    })
    const dialer = new MultipathDialer('x', [pathTo(server, 'a'), pathTo(server, 'b')])
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    await until(() => upCount(far) === 2)
    expect(asked).toHaveLength(1)
    const [{ conn, stream, peer, first }] = asked as [JoinRequest]
    expect(conn).toBe(far)
    expect(peer).toEqual({
      remoteAddress: '127.0.0.1',
      remotePort: stream.remotePort,
      fingerprint: undefined,
    })
    expect(first.remotePort).toBe(far.remotePort)
    expect(peer.remotePort).not.toBe(first.remotePort)
    near.destroy()
    far.destroy()
  })

  it.each<[string, ListenerOptions['authorizeJoin'], string]>([
    ['false', () => false, 'REFUSED'],
    ['a promise of false', () => Promise.resolve(false), 'REFUSED'],
    ['something that is not true', () => 1 as unknown as boolean, 'REFUSED'],
  ])('refuses by %s, without an answer', async (_what, authorizeJoin, error) => {
    const { server, listener, refused } = await tcpListener({ authorizeJoin })
    const hello = await opened(server)
    const socket = await client(server)
    socket.write(hello)
    expect(await heardUntilClose(socket)).toEqual(Buffer.alloc(0))
    expect(refused).toEqual([code(error)])
    expect([listener.connections, listener.pendingHandshakes]).toEqual([1, 0])
  })

  it('refuses by an error, thrown or promised, which the event tells', async () => {
    const errors = [new Error('thrown'), new Error('promised')]
    let asked = 0
    const { server, refused } = await tcpListener({
      authorizeJoin: () => {
        const error = errors[asked++]!
        if (asked === 1) throw error
        return Promise.reject(error)
      },
    })
    const hello = await opened(server)
    for (let n = 0; n < 2; n++) {
      const socket = await client(server)
      socket.write(hello)
      await heardUntilClose(socket)
    }
    expect(refused).toEqual(errors)
  })

  it('has no more time than the handshake, and is not waited for by a listener that closes', async () => {
    const clock = new ManualClock()
    const { server, listener, refused } = await tcpListener({
      clock,
      handshakeTimeoutMs: 1000,
      authorizeJoin: () => new Promise(() => {}),
    })
    const hello = await opened(server)
    const [slow, late] = [await client(server), await client(server)]
    slow.write(hello)
    await until(() => listener.pendingHandshakes === 2)
    await quiet()
    clock.advance(1000)
    await heardUntilClose(slow)
    await until(() => listener.pendingHandshakes === 0)
    expect(refused).toEqual([code('HANDSHAKE_TIMEOUT'), code('HANDSHAKE_TIMEOUT')])
    late.destroy()
    const third = await client(server)
    third.write(hello)
    await until(() => listener.pendingHandshakes === 1)
    await quiet()
    await listener.close()
    await heardUntilClose(third)
  })

  it('can bind a connection to the certificate that opened it', async () => {
    const { server, listener, refused } = await tlsListener(
      {
        authorizeJoin: ({ first, peer }) =>
          peer.fingerprint !== undefined && peer.fingerprint === first.fingerprint,
      },
      true,
    )
    const secure = async (certificate: object): Promise<TLSSocket> => {
      const options = { port: portOf(server), host: '127.0.0.1', rejectUnauthorized: false, ...certificate }
      const socket = tlsConnect(options)
      await once(socket, 'secureConnect')
      return socket
    }
    const first = await secure(CERTIFICATE)
    first.write(HELLO)
    const hello = ((await once(first, 'data')) as [Buffer])[0].subarray(0, 17)
    for (const certificate of [CLIENT_CERTIFICATE, {}]) {
      const stranger = await secure(certificate)
      stranger.write(hello)
      expect(await heardUntilClose(stranger)).toEqual(Buffer.alloc(0))
    }
    expect(refused).toEqual([code('REFUSED'), code('REFUSED')])
    const friend = await secure(CERTIFICATE)
    friend.write(hello)
    expect(((await once(friend, 'data')) as [Buffer])[0].subarray(0, 17)).toEqual(hello)
    expect(listener.connections).toBe(1)
    first.destroy()
    friend.destroy()
  })

  it('does not let one more in than there may be, however long it takes', async () => {
    const answers: ((answer: boolean) => void)[] = []
    const { server, listener, refused } = await tcpListener({
      maxSubflows: 2,
      authorizeJoin: () => new Promise((resolve) => answers.push(resolve)),
    })
    const hello = await opened(server)
    const conn = await listener.accept()
    conn.on('error', () => {})
    for (let n = 0; n < 2; n++) (await client(server)).write(hello)
    await until(() => answers.length === 2)
    for (const answer of answers) answer(true)
    await until(() => refused.length === 1)
    expect(refused).toEqual([code('LIMIT')])
    expect(conn.subflows()).toHaveLength(2)
    conn.destroy()
  })
})

describe('a connection in which nothing happens', () => {
  it('lives, unless an option says otherwise', async () => {
    const clock = new ManualClock()
    const { near, far } = await connectedPair({ dialer: { clock }, listener: { clock } })
    await pass(clock, 3_600_000, 10_000)
    expect([near.destroyed, far.destroyed]).toEqual([false, false])
  })

  it('is destroyed after the time that the option says, pings or not', async () => {
    const clock = new ManualClock()
    const listener = { clock, idleTimeoutMs: 60_000 }
    const { near, far } = await connectedPair({ dialer: { clock }, listener })
    near.on('error', () => {})
    const closed = closing(far)
    await pass(clock, 59_000, 1000)
    expect(far.destroyed).toBe(false)
    await pass(clock, 17_000, 1000)
    expect(await closed).toMatchObject({ code: 'ERR_MULTIPATH_IDLE' })
  })

  it('is none as long as a byte comes now and then', async () => {
    const clock = new ManualClock()
    const listener = { clock, idleTimeoutMs: 60_000 }
    const { near, far } = await connectedPair({ dialer: { clock }, listener })
    far.resume()
    for (let n = 0; n < 5; n++) {
      near.write('x')
      await pass(clock, 50_000, 1000)
    }
    expect(far.destroyed).toBe(false)
  })
})

describe('options', () => {
  it.each([
    [{ blockList: ['127.0.0.1'] }, 'blockList must be a net.BlockList'],
    [{ allowList: {} }, 'allowList must be a net.BlockList'],
    [{ authorizeJoin: true }, 'authorizeJoin must be a function'],
  ])('refuse %j', (options, message) => {
    expect(() => new MultipathListener([connect as never], [], options as never)).toThrow(message)
  })
})

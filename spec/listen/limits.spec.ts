// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net'
import { Duplex, PassThrough } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ListenerOptions } from '../../lib/index.js'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import { Handshakes } from '../../lib/listen/handshakes.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { MemoryStream } from '../support/memory-path.js'
import { catchUncaught, takeListenersOff } from '../support/outside.js'
import { meeting, readAll, upCount } from '../support/pair.js'
import { pass } from '../support/pass.js'
import { client, heardUntilClose, listening, pathTo } from '../support/tcp.js'
import { quiet, until } from '../support/turns.js'

/** A hello, and the pong that every dialer says with the answer. */
const HELLO = Buffer.concat([Buffer.alloc(17), Buffer.of(0, 1)])
const NAMES = ['close', 'error', 'end', 'finish']
const code = (name: string): unknown => expect.objectContaining({ code: `ERR_MULTIPATH_${name}` })

/** A listener with errors that it told of. */
async function tcpListener(options: ListenerOptions = {}) {
  const server = await listening()
  const listener = new MultipathListener([server], [], options)
  const refused: Error[] = []
  listener.on('refused', (error) => refused.push(error))
  return { server, listener, refused, dialer: new MultipathDialer('x', [pathTo(server)]) }
}

describe('a handshake', () => {
  it('gets ten seconds, unless an option says otherwise', async () => {
    const clock = new ManualClock()
    const { listener, paths } = meeting({ listener: { clock } })
    const refused: Error[] = []
    listener.on('refused', (error) => refused.push(error))
    const [slow, far] = MemoryStream.pair()
    paths[0]!.server.emit('connection', far)
    slow.write(HELLO.subarray(0, 16))
    await pass(clock, 9900, 100)
    expect(far.destroyed).toBe(false)
    await pass(clock, 200, 100)
    expect(far.destroyed).toBe(true)
    expect(refused).toEqual([code('HANDSHAKE_TIMEOUT')])
    expect(listener.pendingHandshakes).toBe(0)
    slow.destroy()
  })

  it('may come a byte at a time', async () => {
    const { listener, server } = await tcpListener()
    const socket = await client(server)
    for (const byte of HELLO) {
      socket.write(Buffer.from([byte]))
      await quiet(2)
    }
    const conn = await listener.accept()
    expect(upCount(conn)).toBe(1)
    conn.destroy()
  })

  it.each([
    ['another version', Buffer.concat([Buffer.from([1]), HELLO.subarray(1)]), 'UNEXPECTED_VERSION'],
    ['another version in its first byte alone', Buffer.from([0x47]), 'UNEXPECTED_VERSION'],
    ['an unknown CID', Buffer.concat([HELLO.subarray(0, 1), Buffer.alloc(16, 7)]), 'UNEXPECTED_CID'],
  ])('with %s gets its socket closed without an echo', async (_what, hello, error) => {
    const { listener, server, refused } = await tcpListener()
    const socket = await client(server)
    const heard = heardUntilClose(socket)
    socket.write(hello)
    expect(await heard).toEqual(Buffer.alloc(0))
    expect(refused).toEqual([code(error)])
    expect([listener.connections, listener.pendingHandshakes]).toEqual([0, 0])
  })

  it('that the client gives up leaves nothing behind', async () => {
    const { listener, server, refused } = await tcpListener()
    for (const end of ['end', 'resetAndDestroy', 'destroy'] as const) {
      const socket = await client(server)
      socket.write(HELLO.subarray(0, 5))
      await until(() => listener.pendingHandshakes === 1)
      socket[end]()
      await until(() => listener.pendingHandshakes === 0)
    }
    expect(refused).toEqual([code('HANDSHAKE'), code('HANDSHAKE'), code('HANDSHAKE')])
  })

  it('that is slow does not slow those of others', async () => {
    const { listener, server, dialer } = await tcpListener()
    const slow = await Promise.all(Array.from({ length: 50 }, () => client(server)))
    for (const socket of slow) socket.write(HELLO.subarray(0, 16))
    await until(() => listener.pendingHandshakes === 50)
    const startedAt = performance.now()
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    expect(performance.now() - startedAt).toBeLessThan(5000)
    near.destroy()
    far.destroy()
  })

  it('refused to a listener of the event that throws surfaces, and nothing stops', async () => {
    const caught = catchUncaught()
    const { listener, server, dialer } = await tcpListener()
    listener.on('refused', () => {
      throw new Error('from refused')
    })
    const socket = await client(server)
    socket.write('GET / HTTP/1.1\r\n\r\n')
    await heardUntilClose(socket)
    await until(() => caught.exceptions.length === 1)
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    expect(caught.rejections).toEqual([])
    near.destroy()
    far.destroy()
  })
})

describe('too many handshakes', () => {
  it('cost the oldest of the address that has the most', () => {
    const handshakes = new Handshakes(4)
    const friend = handshakes.begin('friend')
    const hostile = Array.from({ length: 10 }, () => handshakes.begin('hostile'))
    expect(handshakes.size).toBe(4)
    expect(friend.limit.signal.aborted).toBe(false)
    expect(hostile.map(({ limit }) => limit.signal.aborted)).toEqual([
      ...Array<boolean>(7).fill(true),
      ...Array<boolean>(3).fill(false),
    ])
    expect(hostile[0]!.limit.signal.reason).toEqual(code('LIMIT'))
    for (const handshake of [friend, ...hostile]) handshake.end()
    expect(handshakes.size).toBe(0)
  })

  it('are not those of a busy client that says its hellos late', () => {
    const { listener, paths } = meeting({ listener: { maxSockets: Infinity } })
    const refused: unknown[] = []
    listener.on('refused', (error) => refused.push(error))
    for (let n = 0; n < 3000; n++) {
      const [, far] = MemoryStream.pair()
      paths[0]!.server.emit('connection', Object.assign(far, { remoteAddress: '192.0.2.1' }))
    }
    expect([listener.pendingHandshakes, refused]).toEqual([3000, []])
  })

  it('of one silent client do not keep out another', async () => {
    const { listener, paths, dialer } = meeting({ listener: { maxPendingHandshakes: 20 } })
    const silent: MemoryStream[] = []
    for (let n = 0; n < 100; n++) {
      const [near, far] = MemoryStream.pair()
      near.on('error', () => {})
      Object.assign(far, { remoteAddress: '192.0.2.1' })
      paths[0]!.server.emit('connection', far as unknown as Socket)
      silent.push(far)
    }
    expect(listener.pendingHandshakes).toBe(20)
    expect(silent.filter(({ destroyed }) => destroyed)).toHaveLength(80)
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    expect(silent.filter(({ destroyed }) => !destroyed)).toHaveLength(19)
    near.destroy()
    far.destroy()
  })
})

describe('limits', () => {
  it('on connections close the socket of one too many without an answer', async () => {
    const { listener, dialer, refused, server } = await tcpListener({ maxConnections: 2 })
    const conns = [await dialer.dial(), await dialer.dial()]
    const socket = await client(server)
    const heard = heardUntilClose(socket)
    socket.write(HELLO)
    expect(await heard).toEqual(Buffer.alloc(0))
    expect(refused).toEqual([code('LIMIT')])
    const accepted = [await listener.accept(), await listener.accept()]
    for (const conn of [...conns, ...accepted]) conn.destroy()
    await until(() => listener.connections === 0)
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    near.destroy()
    far.destroy()
  })

  it('on connections count those alone that are not closed, whatever listeners a program takes away', async () => {
    const { listener, dialer } = await tcpListener({ maxConnections: 2, maxBacklog: 1 })
    listener.on('subflow-open', (_change, conn) => takeListenersOff(conn))
    for (let n = 0; n < 4; n++) {
      const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
      takeListenersOff(far)
      near.destroy()
      await until(() => listener.connections === 0)
      far.destroy()
    }
  })

  it('leave no listener of ours on a connection: two pipelines are no leak', async () => {
    const warnings: Error[] = []
    const processOnWarning = (warning: Error): void => void warnings.push(warning)
    process.on('warning', processOnWarning)
    onTestFinished(() => void process.off('warning', processOnWarning))
    const { listener, dialer } = await tcpListener()
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    const plain = new Duplex()
    const plainCounts = NAMES.map((name) => [name, plain.listenerCount(name)])
    expect(NAMES.map((name) => [name, far.listenerCount(name)])).toEqual(plainCounts)
    const backend = new PassThrough()
    const done = [pipeline(far, backend), pipeline(backend, far)]
    near.end('there and back')
    expect(String(await readAll(near))).toBe('there and back')
    await Promise.all(done)
    await quiet()
    expect(warnings).toEqual([])
  })

  it('on the backlog count only connections that nobody has accepted', async () => {
    const { listener, dialer, refused } = await tcpListener({ maxBacklog: 2 })
    const conns = [await dialer.dial(), await dialer.dial()]
    await expect(dialer.dial()).rejects.toMatchObject({ multipathCode: 'ERR_MULTIPATH_FAIL_ON_ALL_DIALERS' })
    expect(refused).toEqual([code('LIMIT')])
    conns.push(await listener.accept())
    conns.push(await dialer.dial())
    for (const conn of conns) conn.destroy()
  })

  it('on subflows close the socket of one too many, and the connection goes on', async () => {
    const { listener, dialer, paths } = meeting({
      paths: 5,
      listener: { maxSubflows: 3 },
      dialer: { redialRetries: 0 },
    })
    const refused: Error[] = []
    listener.on('refused', (error) => refused.push(error))
    const [near, far] = await Promise.all([dialer.dial(), listener.accept()])
    await until(() => upCount(far) === 3 && refused.length === 2)
    expect(refused).toEqual([code('LIMIT'), code('LIMIT')])
    await until(() => paths.flatMap(({ live }) => live).length === 3)
    expect(upCount(near)).toBe(3)
    near.destroy()
    far.destroy()
  })
})

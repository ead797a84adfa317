// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import * as net from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { ConnectOptions, ListenerOptions, MultipathConn } from '../lib/index.js'
import {
  connect,
  createServer,
  interfacePaths,
  MultipathServer,
  MultipathSocket,
  tcpDialer,
} from '../lib/index.js'
import { memoryPaths } from './support/memory-path.js'
import { catchUncaught } from './support/outside.js'
import { readAll, upCount } from './support/pair.js'
import { listening, portOf } from './support/tcp.js'
import { quiet, until } from './support/turns.js'

const OPTION = expect.objectContaining({ multipathCode: 'ERR_MULTIPATH_OPTION' }) as Error
const PLACE = { host: '127.0.0.1', port: 0 }

async function echoServer(places = 2, options: ListenerOptions = {}): Promise<MultipathServer> {
  const server = createServer(options, (conn) => {
    conn.pipe(conn).on('error', () => {})
  })
  server.listen(Array.from({ length: places }, () => PLACE))
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return server
}

function pathsTo(server: MultipathServer): ConnectOptions['paths'] {
  return server.addresses().map(({ port }) => ({ host: '127.0.0.1', port }))
}

describe('connect()', () => {
  it('has its dialer, with the counters of its paths even after the end', async () => {
    const server = await echoServer()
    const conn = connect({ paths: pathsTo(server) })
    const { dialer } = conn
    expect(dialer.stats().map(({ label }) => label)).toEqual(conn.paths().map(({ label }) => label))
    conn.end('twelve bytes')
    expect(String(await readAll(conn))).toBe('twelve bytes')
    const sent = (all: readonly { sentBytes: number }[]): number =>
      all.reduce((sum, { sentBytes }) => sum + sentBytes, 0)
    expect(sent(dialer.stats())).toBe(12)
    expect(sent(conn.paths())).toBe(12)
    expect(new MultipathSocket().dialer).toBeUndefined()
    // An option that came too late would be missing without a word.
    const late = { paths: [{ port: 9 }], secret: 'a secret of the constructor' }
    expect(() => new MultipathSocket().connect(late)).toThrow('connect() on a socket takes no option secret')
    await new MultipathSocket({ paths: [{ port: 9 }] })[Symbol.asyncDispose]()
  })

  it('gives the connection at once and tells by connect and ready that it stands', async () => {
    const server = await echoServer()
    const told: string[] = []
    const conn = connect({ paths: pathsTo(server) }, () => told.push('listener'))
    for (const event of ['connect', 'ready', 'data', 'end', 'close']) conn.on(event, () => told.push(event))
    expect([conn.connecting, conn.pending, conn.readyState]).toEqual([true, true, 'opening'])
    expect(conn.address()).toEqual({})
    conn.end('written before')
    await once(conn, 'ready')
    expect([conn.connecting, conn.pending]).toEqual([false, false])
    expect(conn.remoteAddress).toBe('127.0.0.1')
    expect(server.addresses().map(({ port }) => port)).toContain(conn.remotePort)
    expect(conn.address()).toMatchObject({ address: '127.0.0.1', family: 'IPv4' })
    await once(conn, 'close')
    expect(told).toEqual(['listener', 'connect', 'ready', 'data', 'end', 'close'])
  })

  it('uses the paths that a source finds', async () => {
    const server = await echoServer(2)
    const targets = server.addresses().map(({ port }) => ({ host: '127.0.0.1', port }))
    const conn = connect({ paths: interfacePaths({ targets }) })
    await until(() => upCount(conn) === 2)
    conn.end('by both')
    expect(String(await readAll(conn))).toBe('by both')
  })

  it('tells why a source finds no path', async () => {
    const conn = connect({ paths: interfacePaths({ host: '::1', port: 9, family: 4 }) })
    const [error] = (await once(conn, 'error')) as [Error]
    expect(error).toMatchObject({
      multipathCode: 'ERR_MULTIPATH_FAIL_ON_ALL_DIALERS',
      message: 'no path to the peer: [::1]:9: no IPv4 address found',
      cause: { code: 'ERR_MULTIPATH_NO_PATH' },
    })
  })

  it('uses every path, of whatever kind', async () => {
    const server = await echoServer(2)
    const [first, second] = server.addresses()
    const conn = connect({
      paths: [
        { host: '127.0.0.1', port: first!.port, label: 'options' },
        tcpDialer({ host: '127.0.0.1', port: second!.port, label: 'dialer' }),
      ],
    })
    await until(() => upCount(conn) === 2)
    expect(
      conn
        .subflows()
        .map(({ label }) => label)
        .sort(),
    ).toEqual(['dialer', 'options'])
    conn.destroy()
  })

  it('is destroyed with the cause of each path where none leads there', async () => {
    const [path] = memoryPaths(1)
    path!.mode = 'refuse'
    const conn = connect({ paths: [path!] })
    conn.write('never')
    const flushed = conn.flushed()
    flushed.catch(() => {})
    const [error] = (await once(conn, 'error')) as [Error]
    expect(error).toMatchObject({
      multipathCode: 'ERR_MULTIPATH_FAIL_ON_ALL_DIALERS',
      failures: [{ label: 'path 0', error: { message: 'path 0 refused' } }],
    })
    await expect(flushed).rejects.toBe(error)
    expect(conn.destroyed).toBe(true)
  })

  it('is destroyed with the reason of its signal', async () => {
    const [path] = memoryPaths(1)
    path!.mode = 'hang'
    const limit = new AbortController()
    const conn = connect({ paths: [path!], signal: limit.signal })
    await quiet()
    limit.abort(new Error('enough'))
    expect(await once(conn, 'error')).toMatchObject([{ message: 'enough' }])
    expect(path!.aborts).toBe(1)
  })

  it('gives up when it is destroyed meanwhile, without an error', async () => {
    const caught = catchUncaught()
    const [path] = memoryPaths(1)
    path!.mode = 'hang'
    const conn = connect({ paths: [path!] })
    conn.destroy()
    await once(conn, 'close')
    await quiet()
    expect(path!.live).toEqual([])
    expect(caught).toEqual({ exceptions: [], rejections: [] })
  })

  it('goes on where a listener of connect throws, which surfaces', async () => {
    const caught = catchUncaught()
    const server = await echoServer()
    const conn = connect({ paths: pathsTo(server) }, () => {
      throw new Error('from connect')
    })
    conn.end('still works')
    expect(String(await readAll(conn))).toBe('still works')
    expect(caught.exceptions.map(String)).toEqual(['Error: from connect'])
    expect(caught.rejections).toEqual([])
  })

  it.each([
    ['no paths', { paths: [] }],
    ['paths that are none', { paths: 'host:1' }],
    ['a path that is none', { paths: [null] }],
    ['a port that is none', { paths: [{ port: 70_000 }] }],
    ['an unknown option', { paths: [{ port: 1 }], lingerMS: 5 }],
    ['a wrong value', { paths: [{ port: 1 }], lingerMs: -5 }],
  ])('refuses %s', (_what, options) => {
    expect(() => connect(options as never)).toThrow(OPTION)
  })
})

/** What comes of options and arguments of `net.connect`: the error of the call, or what arrives. */
async function outcomeOf(
  { createServer: serve, connect: dial }: typeof net,
  args: (port: number) => unknown[],
): Promise<unknown> {
  const server = serve((socket) => socket.end('here')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  try {
    const socket = Reflect.apply(
      dial,
      undefined,
      args((server.address() as net.AddressInfo).port),
    ) as net.Socket
    const { timeout } = socket
    return [timeout, String(await readAll(socket))]
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

describe('connect() as net takes it', () => {
  const host = '127.0.0.1'
  it.each<[string, (port: number) => unknown[]]>([
    ['a port in digits', (port) => [String(port), host]],
    ['a port in hexadecimal digits', (port) => [`0x${port.toString(16)}`, host]],
    ['options with a port in digits', (port) => [{ port: String(port), host }]],
    ['options with a path that is null', (port) => [{ port, host, path: null }]],
    ['options with a path that is undefined', (port) => [{ port, host, path: undefined }]],
    ['options with a path that is empty', (port) => [{ port, host, path: '' }]],
    ['options with a timeout', (port) => [{ port, host, timeout: 60_000 }]],
    [
      'options of an agent of http',
      (port) => [{ port, host, path: null, encoding: null, agent: null, noDelay: true, method: 'GET' }],
    ],
    ['no port', () => [{}]],
    ['nothing', () => []],
    ['null as a port', () => [{ port: null }]],
    ['true as a port', () => [true]],
    ['an object as a port', () => [{ port: {} }]],
    ['an empty port', () => [{ port: '' }]],
    ['an empty port alone', () => ['']],
    ['blanks as a port', () => [' ']],
    ['a port that is out of range', () => [{ port: 65_536 }]],
    ['a port below zero', () => [-1]],
  ])('takes or refuses %s', async (_what, args) => {
    const expected = await outcomeOf(net, args)
    expect(await outcomeOf({ createServer, connect } as never, args)).toEqual(expected)
  })
})

describe('createServer()', () => {
  it('takes a listener alone, options alone, or both', async () => {
    const conns: MultipathConn[] = []
    const servers = [createServer((conn) => conns.push(conn)), createServer({ maxConnections: 5 })]
    servers[1]!.on('connection', (conn) => conns.push(conn))
    for (const server of servers) {
      server.listen(PLACE)
      await once(server, 'listening')
      const conn = connect({ paths: pathsTo(server) })
      await once(server, 'connection')
      conn.destroy()
      server.close()
    }
    expect(conns).toHaveLength(2)
    expect(conns[0]!.constructor.name).toBe('MultipathConn')
    for (const conn of conns) conn.destroy()
  })

  it('listens on a port alone, and calls back', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, resolve))
    expect(server.listening).toBe(true)
    expect(server.address()).toEqual(server.addresses()[0])
    await new Promise<unknown>((resolve) => server.close(resolve))
    expect(server.listening).toBe(false)
  })

  it('tells of a place where it cannot listen', async () => {
    const taken = await listening()
    const server = createServer()
    server.listen({ host: '127.0.0.1', port: portOf(taken) })
    expect(await once(server, 'error')).toMatchObject([{ code: 'EADDRINUSE' }])
    server.close()
  })

  it('stops accepting when it is closed, and connections live on', async () => {
    const server = await echoServer()
    const conn = connect({ paths: pathsTo(server) })
    await once(conn, 'connect')
    await until(() => server.listener?.connections === 1)
    const paths = pathsTo(server)
    await quiet()
    const closed = once(server.close(), 'close')
    await expect(once(connect({ paths }), 'connect')).rejects.toMatchObject({
      multipathCode: 'ERR_MULTIPATH_FAIL_ON_ALL_DIALERS',
    })
    conn.end('alive')
    expect(String(await readAll(conn))).toBe('alive')
    await closed
  })

  it('calls back from close() also where it never listened', async () => {
    await new Promise<unknown>((resolve) => createServer().close(resolve))
  })

  it('goes on where a listener of connection throws, which surfaces', async () => {
    const caught = catchUncaught()
    let connections = 0
    const server = createServer((conn) => {
      conn.destroy()
      connections++
      throw new Error('from connection')
    })
    server.listen(PLACE)
    await once(server, 'listening')
    for (let n = 1; n <= 3; n++) {
      const conn = connect({ paths: pathsTo(server) }).on('error', () => {})
      await until(() => connections === n)
      conn.destroy()
    }
    expect(caught.exceptions.map(String)).toEqual(Array<string>(3).fill('Error: from connection'))
    expect(caught.rejections).toEqual([])
    server.close()
  })

  it('is closed by await using, and refuses to listen twice', async () => {
    await using server = new MultipathServer()
    server.listen(PLACE)
    expect(() => server.listen(PLACE)).toThrow(/called more than once/)
    await once(server, 'listening')
  })

  it('refuses wrong options when it is made', () => {
    expect(() => createServer({ maxBacklog: 0 })).toThrow(OPTION)
  })
})

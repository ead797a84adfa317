// SPDX-License-Identifier: Apache-2.0
/** The same programs over `net.Server` and over ours: what they see is compared. */
import type { EventEmitter } from 'node:events'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import * as net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import * as ours from '../../lib/index.js'
import { catchUncaught, takeListenersOff } from '../support/outside.js'
import { listening, portOf } from '../support/tcp.js'
import { quiet, until } from '../support/turns.js'

interface Kind {
  readonly name: string
  readonly createServer: (...args: unknown[]) => net.Server
  /** A client of `server`. */
  readonly connect: (server: net.Server) => net.Socket
}

const NET: Kind = {
  name: 'net',
  createServer: net.createServer as Kind['createServer'],
  connect: (server) => net.connect(portOf(server), '127.0.0.1'),
}
const OURS: Kind = {
  name: 'ours',
  createServer: ours.createServer as unknown as Kind['createServer'],
  connect: (server) =>
    ours.connect({ paths: [{ port: portOf(server), host: '127.0.0.1' }] }) as unknown as net.Socket,
}

const PLACE = { port: 0, host: '127.0.0.1' }

/** What a program notes down. */
type Program = (kind: Kind, note: (...what: unknown[]) => void) => Promise<void>

function noting(note: (...what: unknown[]) => void, emitter: EventEmitter, ...events: string[]): void {
  for (const event of events) emitter.on(event, () => note(event))
}

/** As `once`, which takes an `error` for the end. */
const event = (emitter: EventEmitter, name: string): Promise<void> =>
  new Promise((resolve) => {
    emitter.once(name, () => resolve())
  })

/** A server that is closed when the spec is over. */
function serverOf(kind: Kind, ...args: unknown[]): net.Server {
  const server = kind.createServer(...args)
  server.on('connection', (socket) => socket.on('error', () => {}))
  onTestFinished(() => void server.close())
  return server
}

/** A client that ends quietly. */
function clientOf(kind: Kind, server: net.Server): net.Socket {
  const socket = kind.connect(server)
  socket.on('error', () => {}).resume()
  onTestFinished(() => void socket.destroy())
  return socket
}

const counted = (server: net.Server): Promise<number> =>
  new Promise((resolve, reject) => {
    expect(server.getConnections((error, count) => (error ? reject(error) : resolve(count)))).toBe(server)
  })

const codeOf = (call: () => unknown): unknown => {
  try {
    call()
    return 'no error'
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

const PROGRAMS: Readonly<Record<string, Program>> = {
  'close() before listening, with a host to look up': async (kind, note) => {
    const server = serverOf(kind)
    noting(note, server, 'listening', 'close', 'error')
    server.listen({ port: 0, host: 'localhost' })
    server.close(() => note('called'))
    await once(server, 'close')
    await new Promise((resolve) => setTimeout(resolve, 50))
    note(server.listening, server.address())
  },
  'close() of a server that does not run': async (kind, note) => {
    const server = serverOf(kind)
    noting(note, server, 'close')
    await new Promise<void>((resolve) => {
      server.close((error) => {
        note((error as { code?: unknown }).code, error?.message)
        resolve()
      })
    })
    server.close()
    await once(server, 'close')
  },
  'listen() again after close()': async (kind, note) => {
    const server = serverOf(kind, (socket: net.Socket) => socket.resume().end('x'))
    for (let n = 0; n < 3; n++) {
      server.listen(PLACE)
      await once(server, 'listening')
      note(codeOf(() => server.listen(PLACE)))
      const socket = clientOf(kind, server)
      await once(socket, 'end')
      await new Promise((resolve) => server.close(resolve))
      note(server.listening, server.address())
    }
  },
  'listen() again after EADDRINUSE, as the documentation of Node has it': async (kind, note) => {
    const taken = await listening()
    const server = serverOf(kind)
    noting(note, server, 'listening', 'close', 'error')
    server.once('error', ({ code }: NodeJS.ErrnoException) => {
      note(code, server.listening)
      server.close()
      server.listen(PLACE)
    })
    server.listen({ port: portOf(taken), host: '127.0.0.1' })
    await event(server, 'listening')
    note(server.listening)
  },
  'close() while a connection stands': async (kind, note) => {
    const server = serverOf(kind, { allowHalfOpen: true })
    server.listen(PLACE)
    await once(server, 'listening')
    noting(note, server, 'close')
    const accepted = once(server, 'connection')
    const socket = clientOf(kind, server)
    const [far] = (await accepted) as [net.Socket]
    note(await counted(server))
    server.close(() => note('called'))
    await quiet()
    note('still up', server.listening)
    takeListenersOff(far)
    far
      .on('error', () => {})
      .resume()
      .end()
    socket.end()
    await once(server, 'close')
    note(await counted(server))
  },
  maxConnections: async (kind, note) => {
    const server = serverOf(kind)
    server.maxConnections = 1
    server.listen(PLACE)
    await once(server, 'listening')
    noting(note, server, 'connection', 'drop')
    const drops: (net.DropArgument | undefined)[] = []
    server.on('drop', (data) => drops.push(data))
    const accepted = once(server, 'connection')
    const first = clientOf(kind, server)
    const [far] = (await accepted) as [net.Socket]
    far.resume()
    const second = clientOf(kind, server)
    noting(note, second, 'end', 'error')
    await event(second, 'close')
    await until(() => drops.length === 1)
    const { remotePort, localPort, ...rest } = drops[0]!
    note(rest, typeof remotePort, localPort === portOf(server))
    first.destroy()
    await event(
      far.on('error', () => {}),
      'close',
    )
    clientOf(kind, server)
    await once(server, 'connection')
  },
  'close() with what is no function': async (kind, note) => {
    const server = serverOf(kind)
    server.listen(PLACE)
    await once(server, 'listening')
    server.close('later' as never)
    await once(server, 'close')
    note('closed')
  },
  'close() as soon as a client is connected': async (kind, note) => {
    const server = serverOf(kind)
    server.listen(PLACE)
    await once(server, 'listening')
    noting(note, server, 'connection')
    server.on('connection', (socket) => socket.resume())
    const client = clientOf(kind, server)
    noting(note, client, 'error', 'end')
    client.on('connect', () => {
      setImmediate(() => {
        server.close()
        setImmediate(() => client.end('x'))
      })
    })
    await Promise.all([once(server, 'close'), event(client, 'close')])
  },
  'the server of a socket': async (kind, note) => {
    const server = serverOf(kind)
    server.listen(PLACE)
    await once(server, 'listening')
    const accepted = once(server, 'connection')
    clientOf(kind, server)
    const [far] = (await accepted) as [{ server?: unknown }]
    note(far.server === server)
  },
  pauseOnConnect: async (kind, note) => {
    const server = serverOf(kind, { pauseOnConnect: true })
    server.listen(PLACE)
    await once(server, 'listening')
    const accepted = once(server, 'connection')
    clientOf(kind, server).write('x')
    const [far] = (await accepted) as [net.Socket]
    note(far.isPaused(), far.readableFlowing)
    far.on('data', (chunk) => note(String(chunk)))
    await new Promise((resolve) => setTimeout(resolve, 50))
    note('nothing yet')
    far.resume()
    await once(far, 'data')
    far.on('error', () => {}).destroy()
  },
  captureRejections: async (kind, note) => {
    const caught = catchUncaught()
    const events = await import('node:events')
    events.default.captureRejections = true
    onTestFinished(() => void (events.default.captureRejections = false))
    const server = serverOf(kind, async (socket: net.Socket) => {
      socket.on('error', ({ message }) => note('socket', message))
      await Promise.reject(new Error('from connection'))
    })
    server.on('error', ({ message }) => note('server', message))
    const rejecting: () => unknown = () => Promise.reject(new Error('from listening'))
    server.once('listening', rejecting)
    server.listen(PLACE)
    await event(server, 'listening')
    await quiet()
    const socket = clientOf(kind, server)
    await event(socket, 'close')
    note(caught)
  },
  'a Unix socket': async (kind, note) => {
    const path = join(mkdtempSync(join(tmpdir(), 'multipath-spec-')), 's')
    const server = serverOf(kind)
    server.listen(path)
    await once(server, 'listening')
    note(server.address() === path, server.listening)
    await new Promise((resolve) => server.close(resolve))
    server.listen({ path })
    await once(server, 'listening')
    note(server.address() === path)
  },
  'listen({ signal })': async (kind, note) => {
    for (const isAborted of [false, true]) {
      const limit = new AbortController()
      if (isAborted) limit.abort()
      const server = serverOf(kind)
      noting(note, server, 'close', 'listening')
      server.listen({ ...PLACE, signal: limit.signal })
      if (!isAborted) await once(server, 'listening')
      setImmediate(() => limit.abort())
      await once(server, 'close')
      note(server.listening)
    }
  },
  'ports and arguments of listen()': async (kind, note) => {
    for (const args of [
      ['0'],
      [0, '127.0.0.1'],
      ['0', '127.0.0.1', 5],
      [{ port: '0' }],
      [],
      [null],
      [undefined],
    ]) {
      const server = serverOf(kind)
      const isTold = new Promise<void>((resolve) => {
        ;(server.listen as (...args: unknown[]) => unknown)(...args, resolve)
      })
      await isTold
      note(typeof (server.address() as net.AddressInfo).port, (server.address() as net.AddressInfo).address)
    }
  },
  'arguments that are wrong': async (kind, note) => {
    for (const args of [[5], ['x'], [true]]) note(codeOf(() => kind.createServer(...args)))
    const server = serverOf(kind)
    const wrong = [{}, { port: 'abc' }, { port: -1 }, { port: 0, signal: 5 }, 70_000, true, { path: 5 }]
    for (const place of wrong)
      note(
        codeOf(() => server.listen(place as never)),
        server.listening,
      )
    server.listen(PLACE)
    await once(server, 'listening')
  },
  'await using': async (kind, note) => {
    const server = kind.createServer()
    noting(note, server, 'close')
    await server[Symbol.asyncDispose]()
    server.listen(PLACE)
    await once(server, 'listening')
    await server[Symbol.asyncDispose]()
    note(server.listening)
  },
}

describe('a server, as net.Server does', () => {
  it.each(Object.keys(PROGRAMS))('%s', async (name) => {
    const seen: unknown[][] = []
    for (const kind of [NET, OURS]) {
      const notes: unknown[] = []
      await PROGRAMS[name]!(kind, (...what) => notes.push(...what))
      seen.push(notes)
    }
    expect(seen[1]).toEqual(seen[0])
  })
})

describe('a server on several places', () => {
  it('leaves none of them bound where one is taken, and tells of it once', async () => {
    const taken = [await listening(), await listening()]
    const server = ours.createServer()
    const errors: unknown[] = []
    server.on('error', (error) => errors.push((error as { code?: unknown }).code))
    const free = await freePort()
    const places = [free, ...taken.map(portOf)].map((port) => ({ port, host: '127.0.0.1' }))
    server.listen(places)
    await once(server, 'error').catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([errors, server.listening, server.addresses()]).toEqual([['EADDRINUSE'], false, []])
    const other = net.createServer().listen(free, '127.0.0.1')
    await once(other, 'listening')
    other.close()
    server.listen([PLACE, PLACE])
    await once(server, 'listening')
    expect(server.addresses()).toHaveLength(2)
    await new Promise((resolve) => server.close(resolve))
  })

  it('leaves none bound where an argument of one is wrong', () => {
    const server = ours.createServer()
    expect(() => server.listen([PLACE, { port: -1 }])).toThrow(
      expect.objectContaining({ code: 'ERR_SOCKET_BAD_PORT' }),
    )
    expect([server.listening, server.addresses()]).toEqual([false, []])
    expect(() => server.listen([])).toThrow(/at least one place/)
  })

  it('keeps its word about ref() and unref() over a new listen()', async () => {
    const server = ours.createServer()
    expect([server.unref(), server.ref(), server.unref()]).toEqual([server, server, server])
    for (let n = 0; n < 2; n++) {
      server.listen([PLACE, PLACE])
      await once(server, 'listening')
      const before = process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length
      server.ref()
      const after = process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length
      expect(after - before).toBe(2)
      server.unref()
      await new Promise((resolve) => server.close(resolve))
    }
  })

  it('refuses wrong options when it is made', () => {
    expect(() => ours.createServer({ maxBacklog: 0 })).toThrow(/maxBacklog/)
    expect(() => ours.createServer({ pauseOnConnect: 1 } as never)).toThrow(/pauseOnConnect/)
    expect(() => ours.createServer({ trustedProxies: ['x'] })).toThrow(/trustedProxies/)
  })
})

async function freePort(): Promise<number> {
  const server = await listening()
  const port = portOf(server)
  await new Promise((resolve) => server.close(resolve))
  return port
}

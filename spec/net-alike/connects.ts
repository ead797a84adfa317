// SPDX-License-Identifier: Apache-2.0
/** Sequences of events while a connection is opened, and what is known of it meanwhile. */
import { getEventListeners, once } from 'node:events'
import type { Socket } from 'node:net'
import { quiet, until } from '../support/turns.js'
import type { Scenario, World } from './world.js'

/** What a socket says of itself. */
function stateOf({ connecting, pending, readyState, destroyed }: Socket): string {
  return [connecting && 'connecting', pending && 'pending', readyState, destroyed && 'destroyed']
    .filter(Boolean)
    .join(' ')
}

/** Which of its addresses a socket knows. */
function addressesOf(socket: Socket): unknown[] {
  const { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily } = socket
  return [localAddress, typeof localPort, localFamily, remoteAddress, typeof remotePort, remoteFamily]
}

/** The code of what `call` throws. */
function thrown(call: () => unknown): string {
  try {
    call()
    return 'nothing'
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
}

/** A client of nowhere, which tells of each of its callbacks. */
async function refused(world: World, use: (socket: Socket, told: (what: string) => void) => void) {
  const client = world.client(await world.nowhere())
  use(client, (what) => {
    world.note('client', what)
  })
  await world.closed(client)
}

export const CONNECTS: readonly Scenario[] = [
  [
    'the server speaks first',
    async (world) => {
      const [client, server] = await world.pair({}, (socket) => socket.write('220 ready'))
      await until(() => client.bytesRead > 0)
      client.end()
      await world.closed(client, server)
    },
  ],
  [
    'the server speaks first and ends',
    async (world) => {
      const [client, server] = await world.pair({}, (socket) => socket.end('go away'))
      await world.closed(client, server)
    },
  ],
  [
    'what is written before connect calls back behind it',
    async (world) => {
      const { place, accepted } = await world.serve()
      const client = world.client(place)
      client.write('early', () => world.note('client', 'written'))
      client.end('end')
      await world.closed(client, await accepted)
    },
  ],
  [
    'a write in the listener of connect follows what was written before',
    async (world) => {
      const { place, accepted } = await world.serve({ reads: [] })
      const client = world.client(place)
      client.on('connect', () => client.end('second'))
      client.write('first ')
      const server = await accepted
      let text = ''
      server.on('data', (chunk: Buffer) => (text += String(chunk)))
      await world.closed(client, server)
      return text
    },
  ],
  [
    'a write and destroy() in the listener of connect',
    async (world) => {
      const { place, accepted } = await world.serve()
      const client = world.client(place)
      client.on('connect', () => {
        client.write('x')
        client.destroy()
      })
      await world.closed(client, await accepted)
    },
  ],
  [
    'a listener given to connect() is called',
    async (world) => {
      const { place, accepted } = await world.serve()
      let calls = 0
      const client = world.watch(
        'client',
        world.api.connect(place, {}, {}, () => calls++),
      )
      const server = await accepted
      client.end()
      await world.closed(client, server)
      return calls
    },
  ],
  ['nobody listens there', (world) => refused(world, () => {})],
  [
    'nobody listens there, with an end',
    (world) =>
      refused(world, (client) => {
        client.end('x')
      }),
  ],
  [
    'nobody listens there, with a write that calls back once, with an error',
    (world) =>
      refused(world, (client, told) => {
        client.write('x', (error) => {
          told(`called back with ${error instanceof Error ? 'an error' : 'nothing'}`)
        })
      }),
  ],
  [
    'nobody listens there, and the error tells where',
    async (world) => {
      const client = world.client(await world.nowhere())
      const [error] = (await once(client, 'error').catch((thrown: unknown) => [thrown])) as [
        Record<string, unknown>,
      ]
      const { code, errno, syscall, address, port } = error
      return [code, errno, syscall, address, typeof port]
    },
  ],
  [
    'the name is not found',
    async (world) => {
      const lookup = (host: string, _options: unknown, done: (error: Error) => void): void => {
        process.nextTick(
          done,
          Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND' }),
        )
      }
      const client = world.client({ ports: [9, 9] }, {}, { host: 'nowhere.example', lookup })
      await world.closed(client)
    },
  ],
  [
    'the lookup of a name, which is told of',
    async (world) => {
      const { place, accepted } = await world.serve()
      const lookups: unknown[] = []
      const client = world.client(place, {}, { host: 'localhost', family: 4 })
      client.on('lookup', (error, address, family, host) => lookups.push([error, address, family, host]))
      const server = await accepted
      client.end()
      await world.closed(client, server)
      return lookups[0]
    },
  ],
  [
    'the lookup of a name that is not found, which is told of',
    async (world) => {
      const lookup = (_host: string, _options: unknown, done: (error: Error) => void): void => {
        process.nextTick(done, Object.assign(new Error('nowhere'), { code: 'ENOTFOUND' }))
      }
      const client = world.client({ ports: [9] }, {}, { host: 'nowhere.example', lookup })
      const codes: unknown[] = []
      client.on('lookup', (error) => codes.push((error as NodeJS.ErrnoException | null)?.code))
      await world.closed(client)
      return codes
    },
  ],
  [
    'an address from lookup() that is none',
    async (world) => {
      const lookup = (_host: string, _options: unknown, done: (...args: unknown[]) => void): void => {
        process.nextTick(done, null, 'nowhere', 4)
      }
      const client = world.client({ ports: [9] }, {}, { host: 'x.example', lookup, autoSelectFamily: false })
      await world.closed(client)
    },
  ],
  [
    'destroy() while it connects',
    async (world) => {
      const { place } = await world.serve()
      const client = world.client(place)
      client.write('never', (error) => world.note('client', (error as NodeJS.ErrnoException).code))
      client.destroy()
      await world.closed(client)
      await quiet()
      world.logs.server.length = 0
    },
  ],
  [
    'destroy(error) while it connects',
    async (world) => {
      const { place } = await world.serve()
      const client = world.client(place)
      client.destroy(new Error('mine'))
      await world.closed(client)
      world.logs.server.length = 0
    },
  ],
  [
    'a signal that is aborted while it connects',
    async (world) => {
      const { place } = await world.serve()
      const limit = new AbortController()
      const client = world.client(place, { client: { signal: limit.signal } as object })
      const failed = once(client, 'error').catch((error: unknown) => [error])
      limit.abort()
      const [error] = (await failed) as [Error]
      world.logs.client.length = 0
      world.logs.server.length = 0
      return error.name
    },
  ],
  [
    'createConnection() is connect()',
    async (world) => {
      const [client, server] = await world.pair()
      client.end('x')
      await world.closed(client, server)
      return world.api.connect.length
    },
  ],
  [
    'a socket that is told to connect later',
    async (world) => {
      const { place, accepted } = await world.serve()
      const client = world.watch('client', world.api.socket())
      const states = [stateOf(client)]
      const same = world.api.connectSocket(client, place) === client
      states.push(stateOf(client))
      client.end('x')
      await world.closed(client, await accepted)
      return [same, ...states, stateOf(client)]
    },
  ],
  [
    'a socket that is never told to connect',
    async (world) => {
      const client = world.watch('client', world.api.socket())
      client.write('x', (error) => world.note('client', 'called back', (error as NodeJS.ErrnoException).code))
      await world.closed(client)
      // Whether there was an error: that of net says no, although it has just told of one.
      world.logs.client.pop()
    },
  ],
  [
    'resetAndDestroy() of a socket that is never told to connect',
    async (world) => {
      const client = world.watch('client', world.api.socket())
      client.resetAndDestroy()
      await world.closed(client)
      // Whether there was an error: as above.
      world.logs.client.pop()
    },
  ],
  [
    'resetAndDestroy() while it connects',
    async (world) => {
      const { place } = await world.serve()
      const client = world.client(place)
      client.resetAndDestroy()
      world.note('client', stateOf(client))
      await world.closed(client)
      world.logs.server.length = 0
    },
  ],
  [
    'signals that are aborted, of sockets that are never told to connect',
    async (world) => {
      const limit = new AbortController()
      const later = world.api.socket({ signal: limit.signal })
      const listeners = [getEventListeners(limit.signal, 'abort').length]
      limit.abort()
      const [error] = (await once(later, 'error').catch((thrown: unknown) => [thrown])) as [Error]
      const before = world.api.socket({ signal: limit.signal })
      const [other] = (await once(before, 'error').catch((thrown: unknown) => [thrown])) as [Error]
      listeners.push(getEventListeners(limit.signal, 'abort').length)
      return [error.name, other.name, ...listeners, later.destroyed]
    },
  ],
  [
    'a socket that is destroyed before it is told to connect',
    async (world) => {
      const client = world.watch('client', world.api.socket())
      client.destroy()
      await world.closed(client)
      return stateOf(client)
    },
  ],
]

export const STATES: readonly Scenario[] = [
  [
    'the states of a socket',
    async (world) => {
      const { place, accepted } = await world.serve({ server: { allowHalfOpen: true } })
      const client = world.client(place, { client: { allowHalfOpen: true } })
      const states = [stateOf(client)]
      await once(client, 'connect')
      const server = await accepted
      states.push(stateOf(client), stateOf(server))
      client.end()
      await once(server, 'end')
      states.push(stateOf(client), stateOf(server))
      server.end()
      await world.closed(client, server)
      return [...states, stateOf(client), stateOf(server)]
    },
  ],
  [
    'the addresses of a socket',
    async (world) => {
      const { place, accepted } = await world.serve()
      const client = world.client(place)
      const before = [client.remoteAddress, client.remotePort, client.remoteFamily]
      await once(client, 'connect')
      const server = await accepted
      const during = [addressesOf(client), addressesOf(server)]
      client.destroy()
      await world.closed(client, server)
      return [before, during, addressesOf(client), client.address()]
    },
  ],
  [
    'the bytes of a socket',
    async (world) => {
      const [client, server] = await world.pair()
      client.write('12345')
      client.end(Buffer.alloc(1000))
      await world.closed(client, server)
      return [client.bytesWritten, client.bytesRead, server.bytesRead, server.bytesWritten]
    },
  ],
  [
    'the bytes written while it connects',
    async (world) => {
      const { place, accepted } = await world.serve()
      const client = world.client(place)
      client.write('early')
      const buffered = (): unknown => client['bufferSize' as keyof Socket]
      const early = [client.bytesWritten, buffered()]
      client.end('x')
      await world.closed(client, await accepted)
      return [...early, client.bytesWritten, buffered()]
    },
  ],
  [
    'a write of a byte with a highWaterMark of 0 or 1',
    async (world) => {
      const { place } = await world.serve()
      const results = [0, 1, 2].map((highWaterMark) => {
        const client = world.client(place, { client: { highWaterMark } as object })
        return [client.writableHighWaterMark, client.readableHighWaterMark, client.write('x')]
      })
      world.logs.client.length = 0
      return results
    },
  ],
  [
    'what is written to the property timeout',
    async (world) => {
      const client = world.watch('client', world.api.socket())
      const seen = [client.timeout]
      client.setTimeout(60_000)
      seen.push(client.timeout)
      ;(client as { timeout?: number }).timeout = 5
      seen.push(client.timeout)
      client.destroy()
      await world.closed(client)
      return seen
    },
  ],
  [
    'a timeout, which closes nothing',
    async (world) => {
      const [client, server] = await world.pair()
      client.setTimeout(20)
      await once(client, 'timeout')
      client.setTimeout(0).end()
      await world.closed(client, server)
      return client.timeout
    },
  ],
  [
    'a timeout that is called off',
    async (world) => {
      const [client, server] = await world.pair()
      const listener = (): void => world.note('client', 'timeout of mine')
      client.setTimeout(60_000, listener)
      const counts = [client.listenerCount('timeout')]
      client.setTimeout(0, listener)
      counts.push(client.listenerCount('timeout'))
      client.end()
      await world.closed(client, server)
      return counts
    },
  ],
  [
    'wrong arguments of setTimeout()',
    async (world) => {
      const [client] = await world.pair()
      const values = ['100', -1, Number.NaN, Infinity, undefined, null, {}]
      const codes = values.map((value) => thrown(() => client.setTimeout(value as never)))
      return [...codes, thrown(() => client.setTimeout(1, 'x' as never))]
    },
  ],
  [
    'wrong options, which are refused by the call itself',
    async (world) => {
      const tried = (options: object, path: object): string =>
        thrown(() => world.watch('client', world.api.connect({ ports: [9] }, options, path)))
      const codes = [
        tried({}, { host: 'localhost', lookup: 5 }),
        tried({}, { localPort: 'x' }),
        tried({}, { localAddress: 'no address' }),
        tried({}, { host: 'localhost', family: 9 }),
        tried({}, { host: 5 }),
        tried({}, { objectMode: true }),
        tried({}, { host: 'localhost', hints: 0x40_00 }),
        tried({}, { host: 'localhost', hints: 0x2_00, lookup: () => {} }),
        tried({}, { host: 'localhost', autoSelectFamily: 'yes' }),
        tried({}, { host: 'localhost', autoSelectFamily: true, autoSelectFamilyAttemptTimeout: 0 }),
        tried({}, { host: 'localhost', autoSelectFamily: true, autoSelectFamilyAttemptTimeout: '9' }),
        tried({ signal: 5 }, {}),
      ]
      return codes
    },
  ],
  [
    'setters, which return the socket',
    async (world) => {
      const [client] = await world.pair()
      const { server } = world.logs
      server.length = 0
      return [
        client.setNoDelay(),
        client.setKeepAlive(true, 1000),
        client.ref(),
        client.unref(),
        client.ref(),
      ].map((returned) => returned === client)
    },
  ],
  [
    'backpressure: write() says no, and drain comes',
    async (world) => {
      const [client, server] = await world.pair({ reads: [] })
      let writes = 0
      while (client.write(Buffer.alloc(65_536))) if (++writes > 1000) break
      world.note('client', client.writableNeedDrain)
      server.resume()
      await once(client, 'drain')
      world.note('client', client.writableNeedDrain)
      client.end()
      client.resume()
      await world.closed(client, server)
    },
  ],
]

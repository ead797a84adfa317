// SPDX-License-Identifier: Apache-2.0
/** Sequences of events from a connection that stands to its end. */
import { once } from 'node:events'
import { quiet, until } from '../support/turns.js'
import type { Scenario } from './world.js'

const HALF = { allowHalfOpen: true }
const BOTH_HALF = { client: HALF, server: HALF }
const BIG = Buffer.alloc(300_000, 'big')

export const ORDERLY: readonly Scenario[] = [
  [
    'the client ends',
    async (world) => {
      const [client, server] = await world.pair()
      client.end()
      await world.closed(client, server)
    },
  ],
  [
    'the server ends',
    async (world) => {
      const [client, server] = await world.pair()
      server.end()
      await world.closed(client, server)
    },
  ],
  [
    'the client ends with data',
    async (world) => {
      const [client, server] = await world.pair()
      client.end('bye')
      await world.closed(client, server)
    },
  ],
  [
    'the server ends, and nobody reads',
    async (world) => {
      const [client, server] = await world.pair({ reads: ['server'] })
      server.end()
      await world.closed(client, server)
    },
  ],
  [
    'the client ends, and nobody reads at either end',
    async (world) => {
      const [client, server] = await world.pair({ reads: [] })
      client.end()
      await world.closed(client, server)
    },
  ],
  [
    'an end behind data that nobody reads stays untold until the data is read',
    async (world) => {
      const [client, server] = await world.pair({ reads: ['server'] })
      server.end('unread')
      await once(server, 'finish')
      await quiet()
      world.note('client', 'reads')
      client.resume()
      await world.closed(client, server)
    },
  ],
  [
    'both end with data',
    async (world) => {
      const [client, server] = await world.pair()
      client.end('one')
      server.end('two')
      await world.closed(client, server)
      world.finishAnyTime()
    },
  ],
  [
    'the client ends, and a half-open server answers',
    async (world) => {
      const [client, server] = await world.pair(BOTH_HALF)
      client.end('question')
      await once(server, 'end')
      world.note('server', server.readyState)
      server.end(BIG)
      await world.closed(client, server)
    },
  ],
  [
    'only the client may be half open, and the server ends',
    async (world) => {
      const [client, server] = await world.pair({ client: HALF })
      server.end('first')
      await once(client, 'end')
      world.note('client', client.readyState)
      client.end('second')
      await world.closed(client, server)
    },
  ],
  [
    'only the server may be half open, and the server ends',
    async (world) => {
      const [client, server] = await world.pair({ server: HALF })
      server.end('first')
      await world.closed(client, server)
    },
  ],
  [
    'the client ends at once, and the server answers as soon as it has the connection',
    async (world) => {
      const { place, accepted } = await world.serve({}, (socket) => socket.end('answer'))
      const client = world.client(place)
      client.on('connect', () => client.end())
      await world.closed(client, await accepted)
      world.finishAnyTime()
    },
  ],
  [
    'the client ends with data at once, and the server answers as soon as it has the connection',
    async (world) => {
      const { place, accepted } = await world.serve({}, (socket) => socket.end('answer'))
      const client = world.client(place)
      client.end('question')
      await world.closed(client, await accepted)
      world.finishAnyTime()
    },
  ],
  [
    'end() is called twice',
    async (world) => {
      const [client, server] = await world.pair()
      client.end('x')
      client.end(() => world.note('client', 'called back'))
      await world.closed(client, server)
    },
  ],
  [
    'end() calls back',
    async (world) => {
      const [client, server] = await world.pair()
      client.end('636c6f7365', 'hex', () => world.note('client', 'called back'))
      await world.closed(client, server)
    },
  ],
  [
    'a paused client is resumed',
    async (world) => {
      const [client, server] = await world.pair()
      client.pause()
      server.end(BIG)
      await quiet()
      client.resume()
      await world.closed(client, server)
    },
  ],
  [
    'an echo',
    async (world) => {
      const [client, server] = await world.pair({ reads: ['client'] }, (socket) => socket.pipe(socket))
      client.end(BIG)
      await world.closed(client, server)
      world.finishAnyTime()
    },
  ],
  [
    'an echo to a client that writes again and again',
    async (world) => {
      const [client, server] = await world.pair({ reads: ['client'] }, (socket) => socket.pipe(socket))
      for (let n = 0; n < 50; n++) client.write(`${n},`)
      client.end('done')
      await world.closed(client, server)
      world.finishAnyTime()
    },
  ],
  [
    'a proxy whose backend closes first',
    async (world) => {
      const [client, server] = await world.pair({ reads: ['client'] })
      const [near, far] = await world.pair({ reads: ['server'] })
      server.pipe(near).pipe(server)
      far.end('answer')
      await world.closed(client, server, near, far)
      world.logs.client.sort()
      world.logs.server.sort()
    },
  ],
]

export const DESTROYED: readonly Scenario[] = [
  [
    'the client is destroyed',
    async (world) => {
      const [client, server] = await world.pair()
      client.destroy()
      await world.closed(client, server)
    },
  ],
  [
    'the server is destroyed as it comes',
    async (world) => {
      const [client, server] = await world.pair({}, (socket) => socket.destroy())
      await world.closed(client, server)
    },
  ],
  [
    'a write and destroy()',
    async (world) => {
      const [client, server] = await world.pair()
      client.write('bye')
      client.destroy()
      await world.closed(client, server)
    },
  ],
  [
    'end(data) and destroy()',
    async (world) => {
      const [client, server] = await world.pair()
      client.end('bye')
      client.destroy()
      await world.closed(client, server)
    },
  ],
  [
    'a large answer, and destroy() once it is written',
    async (world) => {
      const [client, server] = await world.pair({}, (socket) => {
        socket.write(BIG, () => socket.destroy())
      })
      await world.closed(client, server)
    },
  ],
  [
    'destroy() at finish',
    async (world) => {
      const [client, server] = await world.pair({}, (socket) => {
        socket.once('finish', () => socket.destroy()).end(BIG)
      })
      await world.closed(client, server)
    },
  ],
  [
    'destroySoon() behind a large write',
    async (world) => {
      const [client, server] = await world.pair()
      client.write(BIG)
      client.destroySoon()
      await world.closed(client, server)
    },
  ],
  [
    'destroySoon() without a write',
    async (world) => {
      const [client, server] = await world.pair()
      client.destroySoon()
      await world.closed(client, server)
    },
  ],
  [
    'last words, and destroy(error)',
    async (world) => {
      const [client, server] = await world.pair()
      server.write('HTTP/1.1 400 Bad Request\r\n\r\n')
      server.destroy(Object.assign(new Error('bad'), { code: 'EBAD' }))
      await world.closed(client, server)
    },
  ],
  [
    'destroy() in a listener of data',
    async (world) => {
      const [client, server] = await world.pair({}, (socket) => {
        socket.on('data', () => socket.destroy())
      })
      client.write('x')
      await world.closed(client, server)
    },
  ],
  [
    'destroy() in a listener of end',
    async (world) => {
      const [client, server] = await world.pair({}, (socket) => {
        socket.on('end', () => socket.destroy())
      })
      client.end('x')
      await world.closed(client, server)
    },
  ],
  [
    'destroy() twice',
    async (world) => {
      const [client, server] = await world.pair()
      client.destroy()
      client.destroy(new Error('too late'))
      await world.closed(client, server)
    },
  ],
  [
    'both are destroyed',
    async (world) => {
      const [client, server] = await world.pair()
      client.destroy()
      server.destroy()
      await world.closed(client, server)
    },
  ],
  [
    'resetAndDestroy()',
    async (world) => {
      const [client, server] = await world.pair()
      client.resetAndDestroy()
      await world.closed(client, server)
    },
  ],
  [
    'resetAndDestroy() of the server, once its data has been read',
    async (world) => {
      const [client, server] = await world.pair()
      server.write('read')
      await once(client, 'data')
      server.resetAndDestroy()
      await world.closed(client, server)
    },
  ],
  [
    'a write to a socket that is destroyed',
    async (world) => {
      const [client, server] = await world.pair()
      client.destroy()
      client.write('late', (error) => {
        world.note('client', 'called back', (error as NodeJS.ErrnoException).code)
      })
      await world.closed(client, server)
    },
  ],
  [
    'a write behind end()',
    async (world) => {
      const [client, server] = await world.pair(BOTH_HALF)
      client.end()
      client.write('late', (error) => {
        world.note('client', 'called back', (error as NodeJS.ErrnoException).code)
      })
      server.end()
      await until(() => client.closed)
      world.logs.server.length = 0
    },
  ],
  [
    "a write behind the peer's end",
    async (world) => {
      const [client, server] = await world.pair()
      server.end()
      await once(client, 'end')
      world.note(
        'client',
        'write',
        client.write('late', (error) => world.note('client', error?.message)),
      )
      await world.closed(client, server)
      world.logs.server.length = 0
    },
  ],
]

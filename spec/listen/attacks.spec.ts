// SPDX-License-Identifier: Apache-2.0
import type { Server } from 'node:net'
import { createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { MultipathConn, SubflowDialer } from '../../lib/index.js'
import { MultipathDialer, MultipathListener, tlsDialer } from '../../lib/index.js'
import { ATTACKS, attack, TLS_ATTACKS } from '../support/attacks.js'
import { CERTIFICATE } from '../support/certificate.js'
import { inMib, memoryInUse } from '../support/memory.js'
import { catchUncaught } from '../support/outside.js'
import { readBytes } from '../support/pair.js'
import { listening, pathTo, portOf } from '../support/tcp.js'
import { quiet, until } from '../support/turns.js'

const KIB = 1024
const SOCKETS = 4
/** What the listener may hold for one connection, bytes. */
const LIMITS = {
  maxUnackedBytes: 256 * KIB,
  sendBufferBytes: 64 * KIB,
  maxUnreadBytes: 256 * KIB,
  maxReorderBytes: 256 * KIB,
  maxOutstandingAckBytes: 16 * KIB,
} as const
/** Connections that their peers have left count until their reader is done, or for `lingerMs`. */
const CONNECTIONS = 4 * SOCKETS
/** Twice the limits, for buffers of streams and sockets, and 32 MiB for what the attackers hold, who are in this process. */
const BUDGET =
  32 * 1024 * KIB + 2 * CONNECTIONS * Object.values(LIMITS).reduce((sum, limit) => sum + limit, 0)
/** Round trips of a friend in the midst of it. */
const ECHOES = 12

function setUp(name: string): { server: Server; path: (server: Server) => SubflowDialer } {
  if (!TLS_ATTACKS.includes(name)) return { server: createServer(), path: (server) => pathTo(server) }
  return {
    server: createTlsServer(CERTIFICATE),
    path: (server) => tlsDialer({ host: '127.0.0.1', port: portOf(server), rejectUnauthorized: false }),
  }
}

/** Sends back what it gets, to everybody. */
async function echo(listener: MultipathListener): Promise<void> {
  for await (const conn of listener) {
    conn.on('error', () => {})
    conn.pipe(conn)
  }
}

async function say(friend: MultipathConn): Promise<void> {
  friend.write('still here?')
  expect(String(await readBytes(friend, 11))).toBe('still here?')
}

/** Nor is a newcomer kept out for long: what hostile peers leave behind makes room. */
async function welcomed(dialer: MultipathDialer): Promise<MultipathConn> {
  for (;;) {
    const conn = await dialer.dial().catch(() => undefined)
    if (conn !== undefined) return conn
  }
}

describe('under attack', () => {
  it.each(Object.keys(ATTACKS))(
    'by %s friends are served, and memory stays bounded',
    async (name) => {
      const caught = catchUncaught()
      const { server, path } = setUp(name)
      await listening(server)
      const limits = { maxConnections: CONNECTIONS, maxPendingHandshakes: 2, maxPendingTlsHandshakes: 2 }
      const listener = new MultipathListener([server], [], {
        ...LIMITS,
        ...limits,
        deadMs: 1000,
        lingerMs: 200,
      })
      onTestFinished(() => listener.close())
      const served = echo(listener)
      const dialer = new MultipathDialer('x', [path(server)])
      const friend = await dialer.dial()
      await say(friend)
      const memory = await memoryInUse()

      let attacked = 0
      server.on('connection', () => attacked++)
      const stop = attack(name, { port: portOf(server), sockets: SOCKETS, everyMs: 20 })
      await until(() => attacked >= SOCKETS)
      let most = 0
      for (let n = 0; n < ECHOES; n++) {
        await say(friend)
        expect(listener.pendingHandshakes).toBeLessThanOrEqual(4)
        if (n % 4 === 3) most = Math.max(most, (await memoryInUse()) - memory)
      }
      const newcomer = await welcomed(dialer)
      await say(newcomer)
      stop()
      await until(() => listener.connections === 2 && listener.pendingHandshakes === 0)
      await quiet()
      console.info(`${name}: ${attacked} sockets, memory ${inMib(most)} of ${inMib(BUDGET)}`)
      expect(most).toBeLessThan(BUDGET)
      expect(caught).toEqual({ exceptions: [], rejections: [] })
      friend.destroy()
      newcomer.destroy()
      await listener.close()
      await served
    },
    120_000,
  )
})

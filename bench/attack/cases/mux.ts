// SPDX-License-Identifier: Apache-2.0
/** Attacks on a `MuxSession` over a multipath connection, by frames that cost their sender next to nothing. */
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { MultipathDialer, MultipathListener, tcpDialer } from 'multipath-net'
import { MuxSession } from 'multipath-net/mux'
import { Flag } from '../../../lib/mux/frame.js'
import { frame } from '../../../spec/support/mux-core.js'
import type { AttackCase } from '../attack-case.js'
import { FRIEND_ADDRESS } from '../attack-case.js'

/** A session that has been ended is begun anew after so long. */
const REDIAL_MS = 100
const FRAMES_A_WRITE = 4096

/** A write of the attacker. */
type Flood = (firstId: number) => Buffer

const each = (firstId: number, frames: (id: number) => Buffer[]): Buffer =>
  Buffer.concat(Array.from({ length: FRAMES_A_WRITE }, (_, n) => frames(firstId + 2 * n)).flat())

const FLOODS: Readonly<Record<string, Flood>> = {
  'rapid-reset': (first) =>
    each(first, (id) => [frame.window(id, 0, Flag.syn), frame.window(id, 0, Flag.rst)]),
  'rapid-end': (first) => each(first, (id) => [frame.window(id, 0, Flag.syn), frame.window(id, 0, Flag.fin)]),
  'mux-pings': (first) => each(first, (id) => [frame.ping(id, Flag.syn)]),
}

async function serve(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const listener = new MultipathListener([server])
  void (async () => {
    for await (const conn of listener) {
      conn.on('error', () => {})
      new MuxSession(conn, { role: 'server' }).on('stream', (stream) => {
        stream.on('error', () => {})
        stream.pipe(stream)
      })
    }
  })()
  return (server.address() as AddressInfo).port
}

async function sink(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const listener = new MultipathListener([server])
  void (async () => {
    for await (const conn of listener) conn.on('error', () => {}).resume()
  })()
  return (server.address() as AddressInfo).port
}

/** Resolves when `conn` takes more, or is gone. */
function drained(conn: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      conn.off('drain', over).off('close', over)
      resolve()
    }
    conn.on('drain', over).on('close', over)
  })
}

async function flood(port: number, made: Flood): Promise<never> {
  for (;;) {
    try {
      const conn = await new MultipathDialer('victim', [tcpDialer({ host: '127.0.0.1', port })]).dial()
      conn.on('error', () => {}).resume()
      for (let id = 1; !conn.destroyed && conn.writable; id += 2 * FRAMES_A_WRITE)
        if (!conn.write(made(id))) await drained(conn)
      conn.destroy()
    } catch {
      // The next one may come through.
    }
    await sleep(REDIAL_MS)
  }
}

function muxCase(made: Flood): AttackCase {
  return {
    sockets: 4,
    budgetMiB: 384,
    messageBytes: 64,
    serve,
    sink,
    befriend: async (port) => {
      const path = tcpDialer({ host: '127.0.0.1', port, localAddress: FRIEND_ADDRESS })
      const conn = await new MultipathDialer('friend', [path]).dial()
      return new MuxSession(conn, { role: 'client' }).open()
    },
    attack: (port, sockets) => {
      for (let n = 0; n < sockets; n++) void flood(port, made)
    },
  }
}

export const MUX_CASES: Readonly<Record<string, AttackCase>> = Object.fromEntries(
  Object.entries(FLOODS).map(([name, made]) => [name, muxCase(made)]),
)

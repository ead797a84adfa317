// SPDX-License-Identifier: Apache-2.0
/** A call: datagrams by the clock in one direction, and how long each took. */
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { MultipathConn } from 'multipath-net'
import { sendByClock } from './echoes.js'
import { nowMs } from './output.js'
import type { WorkerOptions } from './options.js'

/** Longer than anything that is still worth something, milliseconds. */
const EXPIRES_MS = 1000
/** How long messages are waited for at the end, milliseconds. */
const LATE_MS = 3000

/** A connection of ours. */
type WithDatagrams = Pick<MultipathConn, 'datagrams'>

/** When a message left, and how long it took, milliseconds. */
export type Took = readonly [at: number, ms: number]

export async function call(options: WorkerOptions, conn: Duplex): Promise<object> {
  const datagrams = (conn as Duplex & WithDatagrams).datagrams({ expiresMs: EXPIRES_MS })
  let given = 0
  await sendByClock(options.every, nowMs() + options.seconds * 1000, (dueAt) => {
    const message = Buffer.alloc(options.size)
    message.writeDoubleBE(dueAt)
    datagrams.send(message)
    given++
  })
  await delay(LATE_MS)
  return { given, counts: datagrams.stats }
}

export function hear(conn: Duplex, took: Took[]): void {
  conn.resume()
  ;(conn as Duplex & WithDatagrams).datagrams().on('data', (message: Buffer) => {
    const at = message.readDoubleBE()
    took.push([at, nowMs() - at])
  })
}

// SPDX-License-Identifier: Apache-2.0
/** One-way data: as fast as it goes, or as fast as it is offered. */
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { nowMs } from './output.js'
import type { WorkerOptions } from './options.js'

/** How often an offered amount is written, in milliseconds. */
const OFFER_EVERY_MS = 5

/** Bytes given to the connections. */
interface Sent {
  readonly sent: number
}

/** Writes on every connection for the given time; the end does not wait for what is on its way. */
export async function bulk(options: WorkerOptions, conns: readonly Duplex[]): Promise<Sent> {
  const end = nowMs() + options.seconds * 1000
  const data = Buffer.alloc(options.size)
  let sent = 0
  for (const conn of conns) {
    const fill = (): void => {
      if (nowMs() >= end) return
      do sent += data.length
      while (conn.write(data) && nowMs() < end)
    }
    conn.on('drain', fill)
    fill()
  }
  await delay(end - nowMs())
  return { sent }
}

/** Writes by the clock what is due, as a live stream does: whatever waits already, nothing is left out. */
export async function offered(options: WorkerOptions, conn: Duplex): Promise<Sent> {
  const bytesPerMs = options.offered * 125
  const start = nowMs()
  const end = start + options.seconds * 1000
  let sent = 0
  while (nowMs() < end) {
    const due = Math.floor((nowMs() - start) * bytesPerMs) - sent
    if (due > 0) conn.write(Buffer.alloc(due))
    sent += Math.max(0, due)
    const turns = Math.floor((nowMs() - start) / OFFER_EVERY_MS) + 1
    await delay(Math.max(1, start + turns * OFFER_EVERY_MS - nowMs()))
  }
  return { sent }
}

// SPDX-License-Identifier: Apache-2.0
/** Messages that the other side sends back, and how long each took. */
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { nowMs } from './output.js'
import type { WorkerOptions } from './options.js'

/** How long answers still under way at the end are waited for, in milliseconds. */
const LATE_MS = 500

type Sample = [sentAt: number, ms: number]

/**
 * One message after another or, with `every`, by the clock, whether or not the last answer has come: a
 * stall then shows in every message that was due during it.
 */
export async function echoes(options: WorkerOptions, conn: Duplex): Promise<{ echoes: Sample[] }> {
  const message = Buffer.alloc(options.size)
  const underWay: number[] = []
  const samples: Sample[] = []
  const end = nowMs() + options.seconds * 1000
  const send = (dueAt: number): void => {
    underWay.push(dueAt)
    conn.write(message)
  }
  let read = 0
  conn.on('data', (chunk: Buffer) => {
    for (read += chunk.length; read >= message.length; read -= message.length) {
      const sentAt = underWay.shift() ?? 0
      samples.push([sentAt, nowMs() - sentAt])
      if (options.every === 0 && nowMs() < end) send(nowMs())
    }
  })
  if (options.every === 0) send(nowMs())
  else await sendByClock(options.every, end, send)
  await delay(Math.max(0, end - nowMs()) + (options.every === 0 ? 0 : LATE_MS))
  return { echoes: samples }
}

/** @param send - gets the moment at which a message was due: how late the sender is counts as well */
export async function sendByClock(every: number, end: number, send: (dueAt: number) => void): Promise<void> {
  let due = nowMs()
  while (due < end) {
    // A late timer sends what is due by now at once, so that no message is left out.
    for (; due <= nowMs() && due < end; due += every) send(due)
    await delay(Math.max(1, due - nowMs()))
  }
}

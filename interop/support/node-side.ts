// SPDX-License-Identifier: Apache-2.0
/** What the Node side of a spec does with a connection: send seeded data, receive and check it, echo. */
import { createHash } from 'node:crypto'
import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { StatsTracker } from '../../lib/index.js'
import type { ReceiveOptions, SendOptions } from './peer-protocol.js'
import { Checker, SeededStream, type Received } from './seeded-data.js'

const DEFAULT_SIZES = [32_768]

/** Resolves at the first of these events, whatever it carries. */
function firstOf(emitter: EventEmitter, ...names: string[]): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const name of names) emitter.off(name, done)
      resolve()
    }
    for (const name of names) emitter.on(name, done)
  })
}

/**
 * Writes seeded data, waiting wherever the stream asks for it.
 *
 * @param options - with `withEmpty`, each write is followed by an empty one
 * @throws the connection's error, when it is destroyed before all is written
 */
export async function send(
  conn: Duplex,
  options: SendOptions & { readonly withEmpty?: boolean },
): Promise<{ bytes: number; sha256: string }> {
  const data = new SeededStream(options.seed)
  const hash = createHash('sha256')
  const sizes = options.sizes ?? DEFAULT_SIZES
  let sent = 0
  for (let i = 0; sent < options.bytes; i++) {
    const chunk = data.next(Math.min(sizes[i % sizes.length]!, options.bytes - sent))
    if (conn.destroyed) throw conn.errored ?? new Error(`the connection was closed after ${sent} bytes`)
    hash.update(chunk)
    sent += chunk.length
    const isFull = !conn.write(chunk)
    if (options.withEmpty) conn.write(Buffer.alloc(0))
    if (isFull) await firstOf(conn, 'drain', 'close')
  }
  return { bytes: sent, sha256: hash.digest('hex') }
}

/** How a connection stood when the receiver stopped: still open, ended cleanly, or destroyed with that error. */
export interface NodeReception extends Received {
  readonly state: 'open' | 'ended' | 'destroyed'
  readonly error: (Error & { code?: string }) | undefined
}

/** Reads `options.bytes`, or to the end without a number. An error of the connection is part of the answer. */
export async function receive(conn: Duplex, options: ReceiveOptions): Promise<NodeReception> {
  const { bytes = Infinity, pauseAt = 0, pauseMs = 0 } = options
  const checker = new Checker(options.seed)
  const connOnError = (): void => undefined // `errored` keeps it
  conn.on('error', connOnError)
  if (pauseMs > 0) {
    await readInto(checker, conn, pauseAt)
    await delay(pauseMs)
  }
  await readInto(checker, conn, bytes)
  const state = conn.readableEnded ? 'ended' : conn.destroyed ? 'destroyed' : 'open'
  if (state === 'open') conn.off('error', connOnError)
  return { ...checker.result(), state, error: conn.errored ?? undefined }
}

/** Reads until the checker has got `bytes` in all, or the connection ends. */
async function readInto(checker: Checker, conn: Duplex, bytes: number): Promise<void> {
  while (checker.bytes < bytes) {
    const chunk = readUpTo(conn, bytes - checker.bytes)
    if (chunk) checker.add(chunk)
    else if (conn.readableEnded || conn.destroyed) return
    else await firstOf(conn, 'readable', 'end', 'close', 'error')
  }
}

function readUpTo(conn: Duplex, limit: number): Buffer | undefined {
  if (conn.destroyed) return undefined
  const chunk = conn.read() as Buffer | null
  if (chunk === null) return undefined
  if (chunk.length <= limit) return chunk
  conn.unshift(chunk.subarray(limit))
  return chunk.subarray(0, limit)
}

/** Writes back what it reads, until the end. */
export function echo(conn: Duplex): void {
  conn.on('error', () => undefined)
  conn.pipe(conn)
}

/** Counts what a connection reports for one path or port. */
export class CountingTracker implements StatsTracker {
  framesRecv = 0
  bytesRecv = 0
  framesSent = 0
  bytesSent = 0
  framesRetransmit = 0
  bytesRetransmit = 0

  onRecv(bytes: number): void {
    this.framesRecv++
    this.bytesRecv += bytes
  }

  onSent(bytes: number): void {
    this.framesSent++
    this.bytesSent += bytes
  }

  onRetransmit(bytes: number): void {
    this.framesRetransmit++
    this.bytesRetransmit += bytes
  }

  updateRTT(): void {
    // the specs compare frames and bytes alone
  }
}

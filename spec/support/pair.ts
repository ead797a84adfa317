// SPDX-License-Identifier: Apache-2.0
/** Connections between two of ours over paths in memory. */
import type { Duplex } from 'node:stream'
import { onTestFinished } from 'vitest'
import type { DialerOptions, ListenerOptions, MultipathConn, StatsTracker } from '../../lib/index.js'
import { MultipathDialer, MultipathListener } from '../../lib/index.js'
import type { MemoryPath } from './memory-path.js'
import { memoryPaths } from './memory-path.js'
import { until } from './turns.js'

export interface PairInit {
  readonly paths?: number
  readonly dialer?: DialerOptions
  readonly listener?: ListenerOptions
  /** Follows every path, on both sides. */
  readonly tracker?: StatsTracker
}

export interface Pair {
  /** The dialer's end and the listener's. */
  readonly near: MultipathConn
  readonly far: MultipathConn
  readonly paths: MemoryPath[]
  readonly dialer: MultipathDialer
  readonly listener: MultipathListener
}

/** A dialer and a listener that meet in memory; closed when the spec is over. */
export function meeting(init: PairInit = {}): Pick<Pair, 'paths' | 'dialer' | 'listener'> {
  const paths = memoryPaths(init.paths ?? 1, init.tracker)
  const listener = new MultipathListener([paths[0]!.server], init.tracker && [init.tracker], init.listener)
  const dialer = new MultipathDialer('memory', paths, init.dialer)
  onTestFinished(() => listener.close())
  return { paths, dialer, listener }
}

/** A connection with all its subflows up, on both sides. */
export async function connectedPair(init: PairInit = {}): Promise<Pair> {
  const met = meeting(init)
  const [near, far] = await Promise.all([met.dialer.dial(), met.listener.accept()])
  onTestFinished(() => {
    near.on('error', () => {}).destroy()
    far.on('error', () => {}).destroy()
  })
  const count = met.paths.length
  await until(() => [near, far].every((conn) => upCount(conn) === count))
  return { near, far, ...met }
}

export function upCount(conn: MultipathConn): number {
  return conn.subflows().filter(({ state }) => state === 'up').length
}

/** All that `conn` brings until its end. Iterating would destroy a connection that is half open. */
export function readAll(conn: Duplex): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    conn.on('data', (chunk: Buffer) => chunks.push(chunk))
    conn.once('end', () => {
      resolve(Buffer.concat(chunks))
    })
    conn.once('error', reject)
  })
}

/** Reads `bytes` bytes. */
export async function readBytes(conn: MultipathConn, bytes: number): Promise<Buffer> {
  const into = Buffer.alloc(bytes)
  const netConn = conn.netConn()
  for (let at = 0; at < bytes; ) {
    const count = await netConn.read(into.subarray(at))
    if (count < 0) return into.subarray(0, at)
    at += count
  }
  return into
}

/** The error that `conn` is destroyed with; `undefined` for none. */
export function closing(conn: MultipathConn): Promise<Error | undefined> {
  return new Promise((resolve) => {
    let error: Error | undefined
    conn.once('error', (emitted: Error) => {
      error = emitted
    })
    conn.once('close', () => {
      resolve(error)
    })
  })
}

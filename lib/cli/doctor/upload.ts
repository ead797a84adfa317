// SPDX-License-Identifier: Apache-2.0
/** Sends as fast as it goes for a while, and notes how that went. */
import { randomBytes } from 'node:crypto'
import type { MultipathConn, Scheduler, SchedulerName } from '../../index.js'

/** A moment of an upload. */
export interface Sample {
  /** Since its beginning, milliseconds. */
  readonly atMs: number
  /** Bytes acknowledged since its beginning. */
  readonly ackedBytes: number
  /** By label; paths without one are missing. */
  readonly rttMs: Readonly<Record<string, number>>
}

export interface UploadOptions {
  readonly scheduler: Scheduler | SchedulerName
  readonly forMs: number
  readonly maxBytes: number
}

/** Chance, so that a tunnel that compresses has nothing to gain. Never changed: the connection keeps it. */
const CHUNK = randomBytes(64 * 1024)
const SAMPLE_MS = 50

/** Sends over the path `label` alone. */
export function onlyPath(label: string): Scheduler {
  return {
    name: `only ${label}`,
    choose: ({ subflows, hasRoom }) =>
      subflows.find((subflow) => subflow.label === label && hasRoom(subflow)),
  }
}

/** Ends when `forMs` are over, all of `maxBytes` is acknowledged, or the connection is gone. */
export async function upload(conn: MultipathConn, options: UploadOptions): Promise<Sample[]> {
  const { scheduler, forMs, maxBytes } = options
  if (conn.destroyed) return []
  conn.setScheduler(scheduler)
  const startedAt = performance.now()
  const ackedBefore = ackedBytes(conn)
  let left = maxBytes
  let isOver = false
  const write = (): void => {
    let hasRoom = true
    while (hasRoom && left > 0 && !isOver && !conn.destroyed) {
      const chunk = CHUNK.subarray(0, left)
      left -= chunk.length
      hasRoom = conn.write(chunk)
    }
  }
  const samples: Sample[] = []
  conn.on('drain', write)
  write()
  while (!isOver) {
    await tick(conn)
    if (wasDestroyed(conn)) break // What was acknowledged is forgotten then.
    const atMs = performance.now() - startedAt
    samples.push({ atMs, ackedBytes: ackedBytes(conn) - ackedBefore, rttMs: rttsOf(conn) })
    isOver = atMs >= forMs || (left === 0 && conn.unflushedBytes === 0)
  }
  isOver = true
  conn.off('drain', write)
  return samples
}

/**
 * Waits until all is acknowledged, on whichever path. @returns false where nothing more was acknowledged for
 * `stallMs`, or the connection went
 */
export async function drain(conn: MultipathConn, stallMs: number): Promise<boolean> {
  if (!conn.destroyed) conn.setScheduler('lowest-rtt')
  let acked = -1
  let movedAt = performance.now()
  while (!conn.destroyed) {
    if (conn.unflushedBytes === 0) return true
    if (ackedBytes(conn) !== acked) movedAt = performance.now()
    else if (performance.now() - movedAt >= stallMs) return false
    acked = ackedBytes(conn)
    await tick(conn)
  }
  return false
}

/** Smoothed round-trip times by label; of a path with two subflows, the lower. */
function rttsOf(conn: MultipathConn): Record<string, number> {
  const rtts: Record<string, number> = {}
  for (const { label, smoothedRttMs } of conn.subflows())
    if (smoothedRttMs !== undefined) rtts[label] = Math.min(smoothedRttMs, rtts[label] ?? Infinity)
  return rtts
}

/** Asked anew after a wait. */
function wasDestroyed(conn: MultipathConn): boolean {
  return conn.destroyed
}

function ackedBytes(conn: MultipathConn): number {
  return conn.bytesWritten - conn.unflushedBytes
}

/** A sample later, or at once when the connection closes. */
function tick(conn: MultipathConn): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer)
      conn.off('close', wake)
      resolve()
    }
    const timer = setTimeout(wake, SAMPLE_MS)
    conn.once('close', wake)
  })
}

// SPDX-License-Identifier: Apache-2.0
/** Looks at a connection at intervals, while something runs on it. */
import { randomBytes } from 'node:crypto'
import type { MultipathConn, Scheduler } from '../../index.js'
import type { Direction, Sample } from './figures.js'

/** What ends a measurement: time, or bytes in one direction. */
export interface Limits {
  readonly forMs: number
  readonly maxBytes: number
}

/** Chance, so that a tunnel that compresses has nothing to gain. Never changed: connections keep it. */
const CHUNK: Buffer = randomBytes(64 * 1024)
const SAMPLE_MS = 50

/** Sends over the path `label` alone. */
export function onlyPath(label: string): Scheduler {
  return {
    name: `only ${label}`,
    choose: ({ subflows, hasRoom }) =>
      subflows.find((subflow) => subflow.label === label && hasRoom(subflow)),
  }
}

/** When the time of a measurement is over. */
export interface Duration {
  readonly direction: Direction
  readonly forMs: number
  /** A peer or a path of which nothing comes for so long does not work, milliseconds. */
  readonly stallMs: number
}

/** A direction in which nothing has come yet makes it longer, up to `stallMs`: a slow beginning is no dead path. */
export function isTimeOver(
  { atMs, downBytes, upBytes }: Sample,
  { direction, forMs, stallMs }: Duration,
): boolean {
  if (atMs < forMs) return false
  const carries = (direction === 'upload' || downBytes > 0) && (direction === 'download' || upBytes > 0)
  return carries || atMs >= stallMs
}

export interface Watched {
  readonly conn: MultipathConn
  /** Bytes received so far, by the count of the caller. */
  readonly received: () => number
  /** Told of each sample. */
  readonly onSample?: ((samples: readonly Sample[]) => void) | undefined
}

/** Until `isOver` says so, or the connection is gone. */
export async function sampleUntil(
  { conn, received, onSample }: Watched,
  isOver: (sample: Sample) => boolean,
): Promise<Sample[]> {
  const samples: Sample[] = []
  if (conn.destroyed) return samples
  const startedAt = performance.now()
  const [receivedBefore, ackedBefore] = [received(), ackedBytes(conn)]
  for (;;) {
    await tick(conn)
    if (wasDestroyed(conn)) return samples // What was acknowledged is forgotten then.
    const sample: Sample = {
      atMs: performance.now() - startedAt,
      downBytes: received() - receivedBefore,
      upBytes: ackedBytes(conn) - ackedBefore,
      rttMs: rttsOf(conn),
    }
    samples.push(sample)
    onSample?.(samples)
    if (isOver(sample)) return samples
  }
}

/** Writes as fast as `stream` takes it, up to `maxBytes`, until it is told to stop. */
export function flood(
  stream: NodeJS.WritableStream & { readonly destroyed: boolean },
  maxBytes: number,
): { readonly left: () => number; readonly stop: () => void } {
  let left = maxBytes
  const write = (): void => {
    let hasRoom = true
    while (hasRoom && left > 0 && !stream.destroyed) {
      const chunk = CHUNK.subarray(0, left)
      left -= chunk.length
      hasRoom = stream.write(chunk)
    }
  }
  stream.on('drain', write)
  write()
  return {
    left: () => left,
    stop: () => {
      left = 0
      stream.off('drain', write)
    },
  }
}

/**
 * Waits until all is acknowledged, on whichever path. @returns false where nothing more was acknowledged for
 * `stallMs`, or the connection went
 */
export async function drain(conn: MultipathConn, stallMs: number): Promise<boolean> {
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

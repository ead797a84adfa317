// SPDX-License-Identifier: Apache-2.0
/** What the paths deliver, each alone and all together, and what that does to their round-trip times. */
import type { MultipathConn } from '../../index.js'
import { medianRttMs, rateOf } from './figures.js'
import { drain, onlyPath, upload } from './upload.js'

/** Bytes acknowledged in each second, and the round-trip time meanwhile where that is known. */
export interface Delivery {
  readonly bytesPerSecond: number
  readonly rttMs: number | undefined
}

export interface LoadFigures {
  /** By label; paths that were not reached before it ended are missing. */
  readonly alone: ReadonlyMap<string, Delivery>
  /** Only of several paths. */
  readonly togetherBytesPerSecond: number | undefined
  /** What ended it before its time. */
  readonly endedBy: 'stopped-reading' | 'lost' | undefined
  /** What the connection was destroyed with. */
  readonly error: string | undefined
}

export interface LoadOptions {
  /** Of each part. */
  readonly forMs: number
  /** Of each part. */
  readonly maxBytes: number
  /** Told of each part when it begins. */
  readonly onPart: (what: string) => void
  /** A peer that acknowledges nothing for so long, on any path, does not read. */
  readonly stallMs: number
}

/** How many parts there are for `paths` paths: each alone and, of several, all together. */
export function partsOf(paths: number): number {
  return paths > 1 ? paths + 1 : paths
}

/** Of a connection that has gone, or whose peer does not read. */
export function nothingMeasured(conn: MultipathConn): LoadFigures {
  return {
    alone: new Map(),
    togetherBytesPerSecond: undefined,
    endedBy: conn.destroyed ? 'lost' : 'stopped-reading',
    error: conn.errored?.message,
  }
}

/** Never rejects: what goes wrong is a figure, too. */
export async function measureLoad(
  conn: MultipathConn,
  labels: readonly string[],
  { forMs, maxBytes, onPart, stallMs }: LoadOptions,
): Promise<LoadFigures> {
  const alone = new Map<string, Delivery>()
  // What an echo sends back is taken in.
  conn.resume()
  for (const label of labels) {
    onPart(`${label} alone`)
    const samples = await upload(conn, { scheduler: onlyPath(label), forMs, maxBytes })
    if (!(await drain(conn, stallMs))) return { ...nothingMeasured(conn), alone }
    alone.set(label, { bytesPerSecond: rateOf(samples), rttMs: medianRttMs(samples, label) })
  }
  if (labels.length < 2)
    return { alone, togetherBytesPerSecond: undefined, endedBy: undefined, error: undefined }
  onPart('all together')
  const samples = await upload(conn, { scheduler: 'lowest-rtt', forMs, maxBytes })
  if (!(await drain(conn, stallMs))) return { ...nothingMeasured(conn), alone }
  return { alone, togetherBytesPerSecond: rateOf(samples), endedBy: undefined, error: undefined }
}

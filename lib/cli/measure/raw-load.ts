// SPDX-License-Identifier: Apache-2.0
/** Loads a connection whose peer does not know how to be measured: it reads, sends, or echoes. */
import type { MultipathConn, Scheduler, SchedulerName } from '../../index.js'
import type { Sample } from './figures.js'
import type { Duration, Limits } from './sampling.js'
import { drain, flood, isTimeOver, sampleUntil } from './sampling.js'

export interface RawLoad extends Limits, Duration {
  /** Of what is sent. */
  readonly scheduler: Scheduler | SchedulerName
  readonly onSample?: ((samples: readonly Sample[]) => void) | undefined
}

/**
 * Ends when the time is over, all of `maxBytes` is acknowledged or received, or the connection is gone. What comes in
 * is taken in.
 */
export async function loadRaw(conn: MultipathConn, load: RawLoad): Promise<Sample[]> {
  const { scheduler, direction, maxBytes, onSample } = load
  if (conn.destroyed) return []
  conn.setScheduler(scheduler)
  conn.resume()
  const sends = direction !== 'download'
  const flooding = sends ? flood(conn, maxBytes) : undefined
  const isOver = (sample: Sample): boolean => {
    if (isTimeOver(sample, load)) return true
    return sends ? flooding?.left() === 0 && conn.unflushedBytes === 0 : sample.downBytes >= maxBytes
  }
  const samples = await sampleUntil({ conn, received: () => conn.bytesRead, onSample }, isOver)
  flooding?.stop()
  return samples
}

/** After a load: whether all was acknowledged, on whichever path. */
export function drainRaw(conn: MultipathConn, stallMs: number): Promise<boolean> {
  if (!conn.destroyed) conn.setScheduler('lowest-rtt')
  return drain(conn, stallMs)
}

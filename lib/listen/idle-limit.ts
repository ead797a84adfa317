// SPDX-License-Identifier: Apache-2.0
/** Ends connections in which nothing happens: a peer that only keeps itself alive costs a place. */
import type { Clock, Millis } from '../clock.js'
import type { MultipathConn } from '../conn/multipath-conn.js'
import { MultipathError } from '../errors.js'
import { ignore } from '../ignore.js'

/** Timers cannot wait for more than 24 days. */
const LONGEST_STEP_MS = 86_400_000

/**
 * Destroys `conn` once nothing was read, written or acked for `limitMs`, or up to a quarter longer: looking four times
 * in that time costs less than noting each byte.
 *
 * @returns what stops it
 */
export function watchIdle(conn: MultipathConn, clock: Clock, limitMs: Millis): () => void {
  if (limitMs === Infinity) return ignore
  const stepMs = Math.min(limitMs / 4, LONGEST_STEP_MS)
  let seen = ''
  let busyAt = clock.now()
  let cancel = (): void => {}
  const look = (): void => {
    const now = clock.now()
    const state = `${conn.bytesRead} ${conn.bytesWritten} ${conn.unflushedBytes}`
    if (state !== seen) busyAt = now
    seen = state
    if (now - busyAt < limitMs) cancel = clock.callAt(now + stepMs, look)
    else
      conn.destroy(
        new MultipathError('ERR_MULTIPATH_IDLE', `nothing read, written or acked for ${limitMs} ms`),
      )
  }
  look()
  return () => {
    cancel()
  }
}

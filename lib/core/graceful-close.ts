// SPDX-License-Identifier: Apache-2.0
/**
 * How a subflow whose path was removed goes without losing a byte:
 *
 * ```
 * asked ─► withdrawn: another is up, so this one takes no more data
 *       ─► ended:     all that it carried is acked and our acks have left: our half is closed
 *       ─► closed:    the peer has closed its half, after all that it had queued there
 * ```
 *
 * A Go peer resends nothing that waits for a subflow which breaks, but sends it before it closes one that was ended:
 * mostly, for it drops the one frame in the subflow's queue where the write before takes longer than 33 ms. Its pongs go
 * through the same queue, and its reader waits for room there, which its writers do not: after a row of pings none of
 * its data is in the queue when it learns of our end. What it brings then is acked on another subflow, which it takes
 * as well. Go: subflow.go, sendLoop, ack, gotACK.
 */
import type { Millis } from '../clock.js'
import { CODE_PING } from '../wire/limits.js'
import type { GracefulClose } from './health.js'
import type { Subflow } from './subflow.js'

/** Two would do, were its goroutines never late. */
const LAST_PINGS = 32

/** The path of `subflow` was removed, or has others that are enough. */
export function requestClose(
  subflow: Subflow,
  subflows: readonly Subflow[],
  reason: GracefulClose['reason'],
): void {
  const order = Math.max(0, ...subflows.map(({ gracefulClose }) => gracefulClose?.order ?? 0)) + 1
  subflow.gracefulClose ??= { order, reason, isWithdrawn: false, endedAt: undefined }
}

/** Its half is open: it can carry what we have to say. */
export function isOpen({ gracefulClose }: Subflow): boolean {
  return gracefulClose?.endedAt === undefined
}

/** It works, and can carry what we have to say. */
export function isUsable(subflow: Subflow): boolean {
  return subflow.state === 'up' && isOpen(subflow)
}

/** Finds out who can do without data: make before break. */
export function withdraw(subflows: readonly Subflow[]): void {
  for (const { gracefulClose } of subflows) {
    if (gracefulClose === undefined || gracefulClose.endedAt !== undefined) continue
    gracefulClose.isWithdrawn = subflows.some(
      (other) => isUsable(other) && (other.gracefulClose?.order ?? Infinity) > gracefulClose.order,
    )
  }
}

/** After a flush: it owes nothing any more. */
export function canEnd(subflow: Subflow): boolean {
  const { gracefulClose, flights, isBlocked } = subflow
  return gracefulClose?.isWithdrawn === true && isOpen(subflow) && flights.count === 0 && !isBlocked
}

/** Our half was closed. */
export function ended({ gracefulClose }: Subflow, now: Millis): void {
  if (gracefulClose !== undefined) gracefulClose.endedAt = now
}

/** The last words to a peer like Go. */
export function clearQueue({ acks }: Subflow): void {
  for (let n = 0; n < LAST_PINGS; n++) acks.add(CODE_PING)
}

/** Who acks what comes in on `subflow`. */
export function ackerFor(subflow: Subflow, subflows: readonly Subflow[]): Subflow {
  if (isOpen(subflow)) return subflow
  return subflows.find(isUsable) ?? subflow
}

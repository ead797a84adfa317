// SPDX-License-Identifier: Apache-2.0
/** The waterfall: which tiers of paths may carry the next frame. */
import type { Subflow } from './subflow.js'

/**
 * A tier is full when what waits would take it so long, milliseconds: as long as a kernel
 * hardly sends while it measures its RTT (BBR), which is no reason to use a dearer path.
 */
const FULL_MS = 200

/**
 * Subflows of the first tier that has any, and of each next one while all above are full. A tier whose rate is still
 * being found is not full.
 *
 * @param queuedBytes - bytes that wait to be sent; Infinity while the application is held back
 */
export function openTiers(
  subflows: readonly Subflow[],
  queuedBytes: number,
  hasRoom: (subflow: Subflow) => boolean,
): readonly Subflow[] {
  const first = subflows[0]?.path.rank
  if (subflows.every(({ path }) => path.rank === first)) return subflows
  const ranks = [...new Set(subflows.map(({ path }) => path.rank))].toSorted((a, b) => a - b)
  for (const rank of ranks) {
    const open = subflows.filter(({ path }) => path.rank <= rank)
    if (!isFull(open, queuedBytes, hasRoom)) return open
  }
  return subflows
}

function isFull(
  open: readonly Subflow[],
  queuedBytes: number,
  hasRoom: (subflow: Subflow) => boolean,
): boolean {
  if (open.some((subflow) => hasRoom(subflow) || isGrowing(subflow))) return false
  const bytesPerMs = open.reduce((sum, subflow) => sum + subflow.bytesPerMs, 0)
  return queuedBytes > bytesPerMs * FULL_MS
}

/** A window still being found says nothing of the path, unless a cap is what holds it. */
function isGrowing(subflow: Subflow): boolean {
  return subflow.isStartup && subflow.bytesPerMs < subflow.path.bytesPerMs
}

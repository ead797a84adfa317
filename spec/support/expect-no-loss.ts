// SPDX-License-Identifier: Apache-2.0
/** Healing hides bugs: a spec that expects a quiet run says so, and fails where anything was healed. */
import { expect } from 'vitest'
import type { CoreHost } from './core-host.js'

/** Fails where a frame was sent twice, a subflow was suspected, or one closed before the connection did. */
export function expectNoLoss(...hosts: readonly CoreHost[]): void {
  for (const host of hosts) {
    expect(host.sum('framesRetransmitted'), 'frames sent again').toBe(0)
    expect(host.core.metrics.hedgedBytes, 'bytes that were late').toBe(0)
    const troubles = host.changes
      .filter(({ state, reason }) => state === 'suspect' || (state === 'closed' && reason !== 'closed'))
      .filter(
        ({ at, reason }) => !(reason === 'ended' && host.finishedAt !== undefined && at >= host.finishedAt),
      )
      .map(({ at, subflow, state, reason }) => `${at} ms: ${subflow.label} ${state} ${reason ?? ''}`)
    expect(troubles, 'troubles of subflows').toEqual([])
    expect(host.received.wrongAt, 'offset of a wrong byte').toBeUndefined()
  }
}

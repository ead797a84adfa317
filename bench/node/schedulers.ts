// SPDX-License-Identifier: Apache-2.0
/** Another scheduler every so often, in turn. */
import type { Duplex } from 'node:stream'
import type { SchedulerName } from 'multipath-net'

/**
 * Those that send each byte once: copies cost by themselves, and hide what the switching costs. The default comes
 * last, since it is what a connection begins with.
 */
const TURNS = ['hybrid', 'weighted', 'round-robin', 'lowest-rtt'] as const satisfies SchedulerName[]

interface WithScheduler {
  setScheduler?: (name: SchedulerName) => void
}

/** For as long as the process lives. */
export function switchSchedulers(conns: readonly Duplex[], everyMs: number): void {
  if (everyMs === 0) return
  let turn = 0
  setInterval(() => {
    const name = TURNS[turn++ % TURNS.length]!
    for (const conn of conns) (conn as WithScheduler).setScheduler?.(name)
  }, everyMs)
}

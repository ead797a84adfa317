// SPDX-License-Identifier: Apache-2.0
/** When a transfer stands still. */
import { setTimeout as delay } from 'node:timers/promises'

/** Resolves when `moved` has not changed for `ms` milliseconds. Keeps no process up. */
export async function standstill(ms: number, moved: () => number): Promise<'standstill'> {
  let before = -1
  while (before !== moved()) {
    before = moved()
    await delay(ms, undefined, { ref: false })
  }
  return 'standstill'
}

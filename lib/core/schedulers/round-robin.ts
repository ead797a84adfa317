// SPDX-License-Identifier: Apache-2.0
/** One frame each in turn; who has no room is passed over. */
import type { Scheduler } from '../scheduler.js'

export const roundRobin: Scheduler = {
  name: 'round-robin',
  choose({ subflows, lastId = 0, hasRoom }) {
    const ready = subflows.filter(hasRoom)
    return ready.find(({ id }) => id > lastId) ?? ready[0]
  },
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Every frame on every path, and the first copy wins. A path without room catches up later with what is not acked
 * by then, so that it delays no other path; the fastest sets the rate.
 */
import type { Scheduler } from '../scheduler.js'
import { soonest } from './soonest.js'

export const redundant: Scheduler = {
  name: 'redundant',
  choose: ({ subflows, lastId, hasRoom }) => soonest(subflows.filter(hasRoom), lastId),
  isShared: () => true,
}

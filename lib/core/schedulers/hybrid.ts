// SPDX-License-Identifier: Apache-2.0
/** Small messages on an otherwise empty connection go on every path, bulk is striped. */
import type { Scheduler } from '../scheduler.js'
import { lowestRtt } from './lowest-rtt.js'

/** More than this on its way, bytes, is bulk: about what a kernel sends in its first flight. */
const SMALL_BYTES = 16_384

export const hybrid: Scheduler = {
  name: 'hybrid',
  isHedging: true,
  choose: (snapshot) => lowestRtt.choose(snapshot),
  isShared: ({ queuedBytes, unackedBytes }) => queuedBytes + unackedBytes <= SMALL_BYTES,
}

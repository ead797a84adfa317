// SPDX-License-Identifier: Apache-2.0
/** `multipath-net/testing`: a network in virtual time for tests of what runs over multipath connections. */
export type { LinkEndHandler } from './link-end.js'
export { LinkEnd } from './link-end.js'
export type { Kernel } from './kernels.js'
export type { LinkOptions, Way } from './link.js'
export { Link } from './link.js'
export { ManualClock } from './manual-clock.js'
export type { SchedulerRule } from './scheduler-rules.js'
export { schedulerRules } from './scheduler-rules.js'
export { SeededRandom } from './seeded-random.js'
export type { SimulatedNetworkOptions } from './simulated-network.js'
export { SimulatedNetwork } from './simulated-network.js'
export { SimulatedSocket } from './simulated-socket.js'

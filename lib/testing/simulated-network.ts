// SPDX-License-Identifier: Apache-2.0
/** Links that share one clock and one source of chance. */
import type { LinkOptions } from './link.js'
import { Link } from './link.js'
import { ManualClock } from './manual-clock.js'
import { SeededRandom } from './seeded-random.js'

/** Options of a simulated network. */
export interface SimulatedNetworkOptions {
  /** Seed of jitter and loss: the same seed gives the same run. Default: 1. */
  readonly seed?: number | undefined
}

/**
 * A network inside the process, in virtual time: nothing waits, and the same seed gives the same run.
 *
 * Hand {@link clock} to MultipathDialer and MultipathListener as their option `clock`, `link.dialer(label)` to the
 * one and `link.server` to the other, and move time with `clock.run(ms)` or `clock.until(promise)`.
 */
export class SimulatedNetwork {
  /** The virtual time of all links. */
  readonly clock: ManualClock = new ManualClock()
  /** The source of randomness of all links. */
  readonly random: SeededRandom

  constructor({ seed = 1 }: SimulatedNetworkOptions = {}) {
    this.random = new SeededRandom(seed)
  }

  /**
   * Adds a link.
   *
   * @throws {OptionError} ERR_MULTIPATH_OPTION
   */
  link(options: LinkOptions = {}): Link {
    return new Link(this.clock, this.random.random, options)
  }
}

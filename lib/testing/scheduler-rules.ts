// SPDX-License-Identifier: Apache-2.0
/** Rules that every scheduler has to keep, for the test runner of whoever writes one. */
import type { Scheduler } from '../core/scheduler.js'
import type { SchedulerName } from '../core/schedulers/by-name.js'
import { schedulerOf } from '../core/schedulers/by-name.js'
import { CHOICE_RULES } from './choice-rules.js'
import { LINK_RULES } from './link-rules.js'

/** One test. */
export interface SchedulerRule {
  /** The requirement, as the name of a test. */
  readonly name: string
  /** Rejects with an AssertionError of node:assert that shows the choice and the snapshot. */
  readonly check: () => Promise<void>
}

/**
 * Rules that every scheduler has to follow. Some are checked for single choices, on hundreds of random snapshots. The
 * others run whole connections over simulated links in virtual time, for a second or two.
 *
 * ```ts for (const rule of schedulerRules(() => mine)) it(rule.name, rule.check) ```
 *
 * @param make - called once for each rule
 */
export function schedulerRules(make: () => Scheduler | SchedulerName): readonly SchedulerRule[] {
  return Object.entries({ ...CHOICE_RULES, ...LINK_RULES }).map(([name, check]) => ({
    name,
    check: async () => {
      const made: unknown = make()
      // A forgotten return must not test the default.
      await check(schedulerOf(made ?? null))
    },
  }))
}

// SPDX-License-Identifier: Apache-2.0
/** The schedulers that come with the package. */
import { OptionError } from '../../errors.js'
import type { Scheduler } from '../scheduler.js'
import { hybrid } from './hybrid.js'
import { lowestRtt } from './lowest-rtt.js'
import { redundant } from './redundant.js'
import { roundRobin } from './round-robin.js'
import { weighted } from './weighted.js'

/** Names of the schedulers of this package. */
export type SchedulerName = 'lowest-rtt' | 'redundant' | 'hybrid' | 'weighted' | 'round-robin'

/** By name, the default first. */
export const schedulers: Readonly<Record<SchedulerName, Scheduler>> = Object.freeze({
  'lowest-rtt': lowestRtt,
  redundant,
  hybrid,
  weighted,
  'round-robin': roundRobin,
})

/** @throws {OptionError} for what is no name of a scheduler */
export function checkSchedulerName(value: unknown): SchedulerName {
  if (typeof value === 'string' && Object.hasOwn(schedulers, value)) return value as SchedulerName
  const known = Object.keys(schedulers).join(', ')
  throw new OptionError(`peerScheduler must be one of ${known}, got ${JSON.stringify(value)}`)
}

/** @throws {OptionError} for what is neither a name nor a scheduler */
export function schedulerOf(value: unknown = 'lowest-rtt'): Scheduler {
  if (typeof value === 'string' && Object.hasOwn(schedulers, value)) return schedulers[value as SchedulerName]
  const { name, choose, isShared } = (value ?? {}) as Partial<Scheduler>
  const isOne = typeof name === 'string' && typeof choose === 'function'
  if (isOne && (isShared === undefined || typeof isShared === 'function')) return value as Scheduler
  const known = Object.keys(schedulers).join(', ')
  const got = typeof value === 'string' ? JSON.stringify(value) : typeof value
  throw new OptionError(`scheduler must be one of ${known}, or have a name and choose(), got ${got}`)
}

// SPDX-License-Identifier: Apache-2.0
/** When a path is tried again: p-retry's attempts, with full jitter between them on our own clock. */
import pRetry from 'p-retry'
import type { Clock } from '../clock.js'
import { toError } from '../errors.js'
import { sleep } from './timing.js'

export interface RedialPolicy {
  readonly clock: Clock
  /** 0…1 */
  readonly random: () => number
  readonly redialMinMs: number
  readonly redialMaxMs: number
  readonly redialRetries: number
}

/** Full jitter: anything up to a bound that doubles. `failures`: how many in a row, at least 1. */
export function backoffMs({ random, redialMinMs, redialMaxMs }: RedialPolicy, failures: number): number {
  return random() * Math.min(redialMaxMs, redialMinMs * 2 ** (failures - 1))
}

/**
 * Runs `attempt` until it succeeds.
 *
 * @param onFailure - told of each failure, with the wait before the next attempt
 * @throws the last failure once the retries are used up, or the reason of `signal`
 */
export function redial<Result>(
  policy: RedialPolicy,
  signal: AbortSignal,
  attempt: () => Promise<Result>,
  onFailure: (error: Error, waitMs: number) => void,
): Promise<Result> {
  const once = async (): Promise<Result> => {
    try {
      return await attempt()
    } catch (error) {
      // p-retry takes a TypeError for a bug of the caller and gives up; a user's dialer may throw anything.
      throw error instanceof TypeError ? new Error(error.message, { cause: error }) : toError(error)
    }
  }
  return pRetry(once, {
    retries: policy.redialRetries,
    minTimeout: 0,
    maxTimeout: 0,
    signal,
    onFailedAttempt: async ({ error, attemptNumber, retriesLeft }) => {
      if (signal.aborted || retriesLeft <= 0) return
      const waitMs = backoffMs(policy, attemptNumber)
      onFailure(error, waitMs)
      await sleep(policy.clock, waitMs, signal)
    },
  })
}

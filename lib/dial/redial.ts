// SPDX-License-Identifier: Apache-2.0
/** When a path is tried again: p-retry's attempts, with full jitter between them on our own clock. */
import pRetry from 'p-retry'
import type { Clock } from '../clock.js'
import { toError } from '../errors.js'
import type { LastHope } from './last-hope.js'

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

export interface RedialInit {
  readonly signal: AbortSignal
  /** Ends a long wait. */
  readonly hope: LastHope
  /** Told of each failure, with the wait before the next attempt. */
  readonly onFailure: (error: Error, waitMs: number) => void
}

/**
 * Runs `attempt` until it succeeds.
 *
 * @throws the last failure once the retries are used up, or the reason of `signal`
 */
export function redial<Result>(
  policy: RedialPolicy,
  { signal, hope, onFailure }: RedialInit,
  attempt: () => Promise<Result>,
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
      const waitMs = hope.hold.waitMs(backoffMs(policy, attemptNumber))
      onFailure(error, waitMs)
      await hope.wait(waitMs, backoffMs(policy, 1), signal)
    },
  })
}

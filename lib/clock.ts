// SPDX-License-Identifier: Apache-2.0
/** The only source of time of the shell. The core gets plain numbers. */

import { toError } from './errors.js'

/** Milliseconds of a monotonic clock; only differences mean anything. */
export type Millis = number

/** A source of time and timers. Default: that of the process; simulations give one of their own. */
export interface Clock {
  /** Monotonic milliseconds, with fractions. */
  now(): Millis
  /** Wall clock, milliseconds since 1970: a jump against {@link now} means that the machine slept. */
  wall(): Millis
  /** Calls `run` at or after `at`; the returned function cancels. The process is not kept up for it. */
  callAt(at: Millis, run: () => void): () => void
}

/** Node takes a longer wait for none. */
const MAX_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  callAt(at, run) {
    const waitMs = Math.max(0, Math.ceil(at - performance.now()))
    let cancel: (() => void) | undefined
    const step = (): void => {
      cancel = systemClock.callAt(at, run)
    }
    const handle = setTimeout(waitMs > MAX_TIMER_MS ? step : run, Math.min(waitMs, MAX_TIMER_MS))
    handle.unref()
    return () => {
      clearTimeout(handle)
      cancel?.()
    }
  },
}

/** Resolves after `ms`; rejects with the reason of `signal` when that comes first. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const signalOnAbort = (): void => {
      cancel()
      reject(toError(signal.reason))
    }
    const cancel = clock.callAt(clock.now() + ms, () => {
      signal.removeEventListener('abort', signalOnAbort)
      resolve()
    })
    signal.addEventListener('abort', signalOnAbort, { once: true })
  })
}

// SPDX-License-Identifier: Apache-2.0
/** Waiting on a clock. */
import type { Clock } from '../clock.js'
import { MultipathError, toError } from '../errors.js'

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

/** Runs `work` with a signal that aborts with `signal`, or after `ms` with ERR_MULTIPATH_HANDSHAKE_TIMEOUT. */
export async function within<Result>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted()
  const limit = new AbortController()
  const signalOnAbort = (): void => {
    limit.abort(signal.reason)
  }
  const cancel = clock.callAt(clock.now() + ms, () => {
    limit.abort(
      new MultipathError('ERR_MULTIPATH_HANDSHAKE_TIMEOUT', `no connection within ${Math.round(ms)} ms`),
    )
  })
  signal.addEventListener('abort', signalOnAbort, { once: true })
  try {
    return await work(limit.signal)
  } finally {
    cancel()
    signal.removeEventListener('abort', signalOnAbort)
  }
}

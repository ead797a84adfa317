// SPDX-License-Identifier: Apache-2.0
/** Waits that a signal ends. */

/** The outcome of `work`, which goes on if `signal` comes first. Rejects with the reason of `signal`. */
export function orAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const signalOnAbort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', signalOnAbort)
    if (signal.aborted) signalOnAbort()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', signalOnAbort))
  })
}

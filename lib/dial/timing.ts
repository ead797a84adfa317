// SPDX-License-Identifier: Apache-2.0
/** Waiting on a clock. */
import { setMaxListeners } from 'node:events'
import type { Clock } from '../clock.js'
import { MultipathError } from '../errors.js'

/** A timer this late, milliseconds, shows that our own process stood still. */
const LATE_MS = 40
/** A process that is always late has to go on, too. */
const MAX_EXTENSIONS = 8

/**
 * Calls `run` after `ms`, for something that did not come. A timer that fires late runs before the sockets are read,
 * and what it misses may lie there: then it waits on for as long as it was late. The returned function cancels.
 */
export function callUnlessLate(clock: Clock, ms: number, run: () => void): () => void {
  let cancel = (): void => {}
  const arm = (waitMs: number, extensions: number): void => {
    const at = clock.now() + waitMs
    cancel = clock.callAt(at, () => {
      const lateMs = clock.now() - at
      if (lateMs <= LATE_MS || extensions === MAX_EXTENSIONS) run()
      else arm(lateMs, extensions + 1)
    })
  }
  arm(ms, 0)
  return () => {
    cancel()
  }
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
  const cancel = callUnlessLate(clock, ms, () => {
    limit.abort(
      new MultipathError('ERR_MULTIPATH_HANDSHAKE_TIMEOUT', `not connected within ${Math.round(ms)} ms`),
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

/**
 * Runs `work` with a signal that aborts with the first of `signals`. Their listeners are gone once it settles: in Node 20, each call of
 * `AbortSignal.any` leaves something behind for as long as its signals live, and paths are dialled again for weeks.
 */
export async function withAny<Result>(
  signals: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const any = new AbortController()
  // Those of a connection have a listener for each path that is dialled.
  setMaxListeners(0, any.signal, ...signals)
  const listeners = signals.map((signal) => (): void => any.abort(signal.reason))
  for (const [at, signal] of signals.entries()) {
    if (signal.aborted) listeners[at]!()
    signal.addEventListener('abort', listeners[at]!, { once: true })
  }
  try {
    return await work(any.signal)
  } finally {
    for (const [at, signal] of signals.entries()) signal.removeEventListener('abort', listeners[at]!)
  }
}

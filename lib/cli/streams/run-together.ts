// SPDX-License-Identifier: Apache-2.0

export interface Together {
  readonly signal: AbortSignal
  /** All are ready. If it rejects, all end. */
  readonly whenReady: () => void | Promise<void>
  /** The reason for which the others are stopped when one has failed. */
  readonly otherFailed: Error
}

/**
 * Runs all of `runs` until a signal, or until one rejects; that ends the others.
 *
 * @returns the errors, in the order in which they came
 */
export async function runTogether(
  runs: readonly ((signal: AbortSignal, onReady: () => void) => Promise<void>)[],
  { signal, whenReady, otherFailed }: Together,
): Promise<Error[]> {
  const life = new AbortController()
  const stop = (): void => life.abort(signal.reason)
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  const errors: Error[] = []
  const fail = (error: unknown): void => {
    errors.push(error as Error)
    life.abort(otherFailed)
  }
  let starting = runs.length
  let ready: Promise<void> | undefined
  const onReady = (): void => {
    if (--starting === 0) ready = (async () => whenReady())().catch(fail)
  }
  await Promise.all(runs.map((run) => run(life.signal, onReady).catch(fail)))
  await ready
  signal.removeEventListener('abort', stop)
  return errors
}

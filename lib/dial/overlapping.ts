// SPDX-License-Identifier: Apache-2.0
/**
 * Attempts that overlap, on a path that may return at any moment: a kernel repeats a lost SYN only after one second, then two,
 * then four (RFC 6298, 2.1), and a link that returns in between would wait for as long.
 */
import type { Duplex } from 'node:stream'
import type { Clock, Millis } from '../clock.js'
import { toError } from '../errors.js'
import { discard } from '../ignore.js'

/** So long after an attempt, the next one begins. */
const EVERY_MS: Millis = 500
/** With the kernel's own repeats, a SYN leaves each half second until the first attempt has used up its time. */
const MAX_ATTEMPTS = 8

/**
 * @param attempt - has its own time limit
 * @returns the first stream that opens
 * @throws what the first attempt to fail says, or the reason of `signal`
 */
export function openOverlapping(
  clock: Clock,
  signal: AbortSignal,
  attempt: (signal: AbortSignal) => Promise<Duplex>,
): Promise<Duplex> {
  const others = new AbortController()
  const either = AbortSignal.any([signal, others.signal])
  return new Promise((resolve, reject) => {
    let cancel = (): void => {}
    const finish = (settle: () => void): void => {
      cancel()
      settle()
      others.abort(new Error('another attempt came first'))
    }
    const begin = (left: number): void => {
      attempt(either).then(
        (stream) => {
          if (others.signal.aborted) discard(stream)
          else finish(() => resolve(stream))
        },
        (error: unknown) => {
          if (!others.signal.aborted) finish(() => reject(toError(error)))
        },
      )
      if (left > 1) cancel = clock.callAt(clock.now() + EVERY_MS, () => begin(left - 1))
    }
    begin(MAX_ATTEMPTS)
  })
}

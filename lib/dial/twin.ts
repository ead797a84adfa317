// SPDX-License-Identifier: Apache-2.0
/** Opens a stream on a path whose subflow is suspect: the kernel's own retries back off for seconds. */
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.js'
import type { DialPath } from './dial-path.js'
import { discard } from './dial-path.js'
import { sleep } from './timing.js'

/** An attempt gets so long, milliseconds, or two round trips. */
const ATTEMPT_MS = 250

/** Tries until a stream is open; rejects with the reason of `signal`, and then leaves none behind. */
export async function openBeside(
  path: DialPath,
  clock: Clock,
  rttMs: number,
  signal: AbortSignal,
): Promise<Duplex> {
  const limitMs = Math.max(ATTEMPT_MS, 2 * rttMs)
  await sleep(clock, limitMs / 2, signal)
  for (;;) {
    const startedAt = clock.now()
    const stream = await path.tryOpen(signal, limitMs)
    if (stream !== undefined && !signal.aborted) return stream
    if (stream !== undefined) discard(stream)
    await sleep(clock, Math.max(0, startedAt + limitMs - clock.now()), signal)
  }
}

// SPDX-License-Identifier: Apache-2.0
/** A second stream on a path whose subflow is suspect: the kernel's own retries back off for seconds. */
import type { Duplex } from 'node:stream'
import type { Clock, Millis } from '../clock.js'
import { sleep } from '../clock.js'
import { NullTracker } from '../core/tracker.js'
import type { Refs } from '../stream/refs.js'
import type { DialPath } from './dial-path.js'
import { discard } from '../ignore.js'

/** An attempt gets so long, milliseconds, or two round trips. */
const ATTEMPT_MS = 250
/** Attempts begin no further apart than this many times the first gap: a path that returns is found within half a second. */
const MAX_GAPS = 2
/** A path that needed no standby subflow for so long, milliseconds, begins with the first gap again. */
const CALM_MS = 10_000

/** When a path may be dialled for a standby subflow; over all searches, so that a suspect that comes and goes does not add up. */
export class StandbyPace {
  #attempts = 0
  #lastAt: Millis = -Infinity

  /** When the next attempt may begin. */
  nextAt(now: Millis, limitMs: number): Millis {
    if (now - this.#lastAt > CALM_MS) this.#attempts = 0
    if (this.#attempts === 0) return now + limitMs / 2
    return Math.max(now, this.#lastAt + limitMs * Math.min(MAX_GAPS, 2 ** (this.#attempts - 1)))
  }

  began(now: Millis): void {
    this.#attempts++
    this.#lastAt = now
  }

  /** A standby has carried something: the path takes streams. */
  proved(): void {
    this.#attempts = Math.min(this.#attempts, 1)
  }
}

/** Tries until a stream is open; rejects with the reason of `signal`, and then leaves none behind. */
export async function openStandby(
  path: DialPath,
  clock: Clock,
  rttMs: number,
  pace: StandbyPace,
  refs: Refs,
  signal: AbortSignal,
): Promise<Duplex> {
  const limitMs = Math.max(ATTEMPT_MS, 2 * rttMs)
  for (;;) {
    await sleep(clock, pace.nextAt(clock.now(), limitMs) - clock.now(), signal)
    pace.began(clock.now())
    const stream = await path.tryOpen(signal, refs, limitMs)
    if (stream !== undefined && !signal.aborted) return stream
    if (stream !== undefined) discard(stream)
  }
}

/** Tells, once, of the first round trip behind a subflow's hello: an ack or a pong. */
export class FirstAnswer extends NullTracker {
  #run: (() => void) | undefined

  /** The hello's own round trip has been measured by now. Never called from inside the connection's work. */
  then(run: () => void): void {
    this.#run = run
  }

  override updateRTT(): void {
    const run = this.#run
    this.#run = undefined
    if (run !== undefined) process.nextTick(run)
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * How often a path is dialled while the connection is suspended, which nothing else can bring back: a path that returns is
 * to be found within a second. Attempts on a path that swallows everything are cut short, as the kernel tries again only
 * after one second, then two, then four; some get longer, for paths that have become slower.
 */
import type { Clock, Millis } from '../clock.js'

/** An attempt gets so long, milliseconds, or six round trips; every third more than the kernel's first retry, and every tenth all the time there is. */
const ATTEMPT_MS = 500
const LONGER_MS = 1500
const ROUNDS = 6
/** A hello on a stream that is open gets so many times as long: it is not lost, and late at most. */
const HELLO_TIMES = 6
/** The longest wait between two attempts, milliseconds: at first, and once the suspension has lasted for two minutes. */
const WAIT_MS = 250
const LATER_WAIT_MS = 5000
const LATER_MS = 120_000

export class HoldPace {
  readonly #clock: Clock
  readonly #random: () => number
  #since: Millis | undefined
  /** Aborts attempts that were begun before the suspension. */
  #begin = new AbortController()
  #attempts = 0

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock
    this.#random = random
  }

  get isOn(): boolean {
    return this.#since !== undefined
  }

  /** Aborted when a suspension begins: what was begun before is begun anew. */
  get begins(): AbortSignal {
    return this.#begin.signal
  }

  changed(isSuspended: boolean): void {
    this.#since = isSuspended ? this.#clock.now() : undefined
    this.#attempts = 0
    if (!isSuspended) return
    const begun = this.#begin
    this.#begin = new AbortController()
    begun.abort(new Error('the connection was suspended'))
  }

  /** @param waitMs - as it would be otherwise */
  waitMs(waitMs: Millis): Millis {
    if (this.#since === undefined) return waitMs
    const isLater = this.#clock.now() - this.#since >= LATER_MS
    return Math.min(waitMs, this.#random() * (isLater ? LATER_WAIT_MS : WAIT_MS))
  }

  /** Time for the next stream to open; Infinity for as long as it may. @param rttMs - of the path, where it is known */
  nextAttemptMs(rttMs: number | undefined): Millis {
    if (this.#since === undefined) return Infinity
    const attempt = ++this.#attempts
    if (attempt % 10 === 0) return Infinity
    const leastMs = Math.max(ATTEMPT_MS, ROUNDS * (rttMs ?? 0))
    return attempt % 3 === 0 ? Math.max(LONGER_MS, leastMs) : leastMs
  }

  /** Time for the answer to a hello. */
  helloMs(rttMs: number | undefined, mostMs: Millis): Millis {
    if (this.#since === undefined) return mostMs
    return Math.min(mostMs, HELLO_TIMES * Math.max(ATTEMPT_MS, ROUNDS * (rttMs ?? 0)))
  }
}

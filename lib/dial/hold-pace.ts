// SPDX-License-Identifier: Apache-2.0
/**
 * How a path is dialled while the connection is suspended, which nothing else can bring back: a path that returns is to be
 * found within a second.
 */
import type { Duplex } from 'node:stream'
import type { Clock, Millis } from '../clock.js'
import { openOverlapping } from './overlapping.js'
import type { SuspendedConns } from './suspended-conns.js'
import { withAny } from './timing.js'

/** The answer to a hello gets so long, milliseconds, or so many round trips: on a stream that is open, it is late at most. */
const ANSWER_MS = 3000
const ANSWER_ROUNDS = 36
/**
 * The longest wait between two attempts, milliseconds: at first, where few connections are suspended, and once the suspension has
 * lasted for two minutes.
 */
const WAIT_MS = 250
const LATER_WAIT_MS = 5000
const LATER_MS = 120_000

export class HoldPace {
  readonly #clock: Clock
  readonly #random: () => number
  readonly #others: SuspendedConns
  readonly #isSilent: () => boolean
  #since: Millis | undefined
  /** Aborts attempts that were begun before the suspension. */
  #begin = new AbortController()

  /**
   * @param others - of the same dialer, this one included
   * @param isSilent - whether no subflow answers any more, though there are some
   */
  constructor(clock: Clock, random: () => number, others: SuspendedConns, isSilent: () => boolean) {
    this.#clock = clock
    this.#random = random
    this.#others = others
    this.#isSilent = isSilent
  }

  get isOn(): boolean {
    return this.#since !== undefined
  }

  changed(isSuspended: boolean): void {
    this.#since = isSuspended ? this.#clock.now() : undefined
    if (!isSuspended) return
    const begun = this.#begin
    this.#begin = new AbortController()
    begun.abort(new Error('the connection was suspended'))
  }

  /** @param waitMs - as it would be otherwise */
  waitMs(waitMs: Millis): Millis {
    if (this.#since === undefined) return waitMs
    const isLater = this.#clock.now() - this.#since >= LATER_MS
    const mostMs = isLater ? LATER_WAIT_MS : Math.min(LATER_WAIT_MS, WAIT_MS * this.#others.patience)
    return Math.min(waitMs, this.#random() * mostMs)
  }

  /** Opens a stream. An attempt that was begun before a suspension may wait for its kernel for long: it is begun anew. */
  open(signal: AbortSignal, attempt: (signal: AbortSignal) => Promise<Duplex>): Promise<Duplex> {
    const isHurried = this.isOn || this.#isSilent()
    return withAny([signal, this.#begin.signal], (either) =>
      isHurried ? openOverlapping(this.#clock, either, attempt) : attempt(either),
    )
  }

  /** Time for the answer to a hello. */
  helloMs(rttMs: number | undefined, mostMs: Millis): Millis {
    if (this.#since === undefined) return mostMs
    return Math.min(mostMs, Math.max(ANSWER_MS, ANSWER_ROUNDS * (rttMs ?? 0)))
  }
}

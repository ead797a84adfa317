// SPDX-License-Identifier: Apache-2.0
/**
 * Tells a short exchange that is about to end: the application has ended, and what it wrote fits into what is under
 * way. Another path would arrive too late to carry anything, and its hello would name a connection that the peer has
 * closed. An exchange that goes on, as a download does, gets its other paths a little later.
 */
import type { Clock, Millis } from '../clock.js'
import { sleep } from '../clock.js'
import type { MultipathConn } from '../conn/multipath-conn.js'

/** So few bytes go out at once on a single path: ten packets, the first window of TCP (RFC 6928). */
const FEW_BYTES = 14_600
/** An answer that ends, too, is there within so many round trips, or so many milliseconds. */
const ROUNDS = 3
const ANSWER_MS = 100

export class LastWords {
  readonly #conn: MultipathConn
  readonly #clock: Clock
  /** When the last words were first noticed. */
  #since: Millis | undefined

  constructor(conn: MultipathConn, clock: Clock) {
    this.#conn = conn
    this.#clock = clock
  }

  /** No subflow should join yet. */
  get isOn(): boolean {
    return this.#clock.now() < this.#endsAt()
  }

  /** Resolves once the exchange has lasted longer than a short one; rejects with the reason of `signal`. */
  async over(signal: AbortSignal): Promise<void> {
    while (this.isOn) await sleep(this.#clock, this.#endsAt() - this.#clock.now(), signal)
  }

  #endsAt(): Millis {
    const { writableEnded, unflushedBytes } = this.#conn
    if (!writableEnded || unflushedBytes > FEW_BYTES) return -Infinity
    this.#since ??= this.#clock.now()
    const rttMs = Math.min(...this.#conn.subflows().map(({ smoothedRttMs = Infinity }) => smoothedRttMs))
    return this.#since + Math.max(ANSWER_MS, rttMs === Infinity ? 0 : ROUNDS * rttMs)
  }
}

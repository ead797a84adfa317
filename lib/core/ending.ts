// SPDX-License-Identifier: Apache-2.0
/** How a connection ends: what was said, what was heard, and whether anything is missing. */
import type { Millis } from '../clock.js'
import { MultipathError } from '../errors.js'
import { unwelcomeError } from './failures.js'
import type { Peer } from './peer-profile.js'

/**
 * ```
 * end() ─► flush: all acked ─┬─ peer knows our codes ─► FIN, then wait for the peer's FIN ─► close
 *                            └─ a Go peer ────────────────────────────────────────────────► close
 * ```
 */
export class Ending {
  readonly #peer: Peer
  #endedAt: Millis | undefined
  #hasSentFin = false
  #hasPeerFin = false
  #failure: { readonly error: Error; readonly at: Millis } | undefined

  constructor(peer: Peer) {
    this.#peer = peer
  }

  /** The application will write no more. */
  get isEnding(): boolean {
    return this.#endedAt !== undefined
  }

  get hasSentFin(): boolean {
    return this.#hasSentFin
  }

  /** The peer will write no more, or the connection is over. */
  get hasPeerFin(): boolean {
    return this.#hasPeerFin
  }

  /** The application has ended. */
  asked(now: Millis): void {
    this.#endedAt ??= now
  }

  finSent(): void {
    this.#hasSentFin = true
  }

  finHeard(): void {
    this.#hasPeerFin = true
  }

  /** What to do about an end that was asked for, with everything acked. `hasHole`: in what was received. */
  next(hasHole: boolean): 'wait' | 'fin' | 'close' {
    const { endsBy } = this.#peer.profile
    if (!this.isEnding || endsBy === 'unknown') return 'wait'
    // Towards Go, data behind a gap would be lost without a word: the gap gets until the linger limit.
    if (endsBy === 'close') return hasHole ? 'wait' : 'close'
    if (!this.#hasSentFin) return 'fin'
    return this.#hasPeerFin ? 'close' : 'wait'
  }

  /** When unacked data becomes an error, should no ack come until then. */
  lingerAt(lastAckAt: Millis, lingerMs: number): Millis {
    return this.#endedAt === undefined || this.#hasSentFin
      ? Infinity
      : Math.max(this.#endedAt, lastAckAt) + lingerMs
  }

  /** A subflow broke. What it carried is sent again, if the peer lives. */
  failed(error: Error, now: Millis): void {
    this.#failure = { error, at: now }
  }

  /**
   * The last subflow is gone: what is missing, if anything. A break shortly before counts: a peer that
   * closes does not send again what was lost with it.
   */
  verdict(isFlushed: boolean, hasHole: boolean, now: Millis): MultipathError | undefined {
    const failure =
      this.#failure !== undefined && now - this.#failure.at <= RESEND_MS ? this.#failure : undefined
    const options = failure === undefined ? undefined : { cause: failure.error }
    if (this.#peer.isUnwelcome) return unwelcomeError(options)
    if (!isFlushed)
      return new MultipathError('ERR_MULTIPATH_UNACKED', 'the last subflow closed with data unacked', options)
    const { kind, mayEndUnsaid } = this.#peer.profile
    if (this.#hasPeerFin || (mayEndUnsaid && !hasHole && failure === undefined)) return undefined
    const what = kind === 'unknown' ? 'the peer had said what it is' : 'the end of the data'
    const message = `the last subflow closed before ${what}`
    return new MultipathError('ERR_MULTIPATH_INCOMPLETE', message, options)
  }
}

/** A Go peer sends again within 612 ms, or 1,612 ms on the same subflow. Go: conn.go, retransmit; subflow.go. */
const RESEND_MS = 1700

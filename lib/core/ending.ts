// SPDX-License-Identifier: Apache-2.0
/** How a connection ends: what was said, what was heard, and whether anything is missing. */
import type { Millis } from '../clock.js'
import { HoldError, MultipathError } from '../errors.js'
import { unwelcomeError } from './failures.js'
import type { Peer } from './peer-profile.js'

/**
 * ```
 * end() ─► flush: all acked ─┬─ a Go peer ───────────────────────────────────────────────────────► close
 *                            ├─ ours, an earlier version ─► FIN, then wait for the peer's FIN ───► close
 *                            └─ ours ─► FIN with a number, then wait for its ack and the peer's ─► close
 * ```
 */
export class Ending {
  readonly #peer: Peer
  #endedAt: Millis | undefined
  /** Number of the frame that we shall never send, once the peer was told. */
  #end: number | undefined
  #isEndAcked = false
  /** Number of the frame that the peer will never send. */
  #peerEnd = Infinity
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
    return this.#end !== undefined
  }

  /** Our FIN carries a number, and is acked. */
  get isNumbered(): boolean {
    return this.#peer.profile.endsBy === 'numbered-fin'
  }

  /** The peer knows that we have finished, as far as its kind lets us know that. */
  get isFinDelivered(): boolean {
    return this.hasSentFin && (this.#isEndAcked || !this.isNumbered)
  }

  /** The peer will write no more, and nothing of what it wrote is missing; or the connection is over. */
  get hasPeerFin(): boolean {
    return this.#hasPeerFin
  }

  /** Number from which on the peer sends no frame; Infinity until it has said so. */
  get peerEnd(): number {
    return this.#peerEnd
  }

  /** The application has ended. */
  asked(now: Millis): void {
    this.#endedAt ??= now
  }

  /** @param end - number of the frame that we shall never send */
  finSent(end: number): void {
    this.#end = end
  }

  /** An ack came that does not belong to a data frame. @returns whether it is that of our FIN */
  acked(number: number): boolean {
    if (number !== this.#end || !this.isNumbered) return false
    this.#isEndAcked = true
    return true
  }

  /** @param end - number of the frame that the peer will never send */
  finHeard(end: number): void {
    this.#peerEnd = end
  }

  /** @param nextFrame - all frames of the peer before it have come */
  reached(nextFrame: number): void {
    if (nextFrame >= this.#peerEnd) this.#hasPeerFin = true
  }

  /** The connection is over: nothing more comes. */
  over(): void {
    this.#hasPeerFin = true
  }

  /** What to do about an end that was asked for, with everything acked. `hasHole`: in what was received. */
  next(hasHole: boolean): 'wait' | 'fin' | 'close' {
    const { endsBy } = this.#peer.profile
    if (!this.isEnding || endsBy === 'unknown') return 'wait'
    // Towards Go, data behind a gap would be lost without a word: the gap gets until the linger limit.
    if (endsBy === 'close') return hasHole ? 'wait' : 'close'
    if (!this.hasSentFin) return 'fin'
    return this.#hasPeerFin && this.isFinDelivered ? 'close' : 'wait'
  }

  /** When unacked data becomes an error, should no ack come until then. */
  lingerAt(lastAckAt: Millis, lingerMs: number): Millis {
    return this.#endedAt === undefined || this.isFinDelivered
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
   *
   * @param isTold - the peer has said that it is gone, and so waits for nothing of ours
   */
  verdict(isFlushed: boolean, hasHole: boolean, now: Millis, isTold = false): MultipathError | undefined {
    const failure =
      this.#failure !== undefined && now - this.#failure.at <= RESEND_MS ? this.#failure : undefined
    const options = failure === undefined ? undefined : { cause: failure.error }
    if (this.#peer.isUnwelcome) return unwelcomeError(options)
    const unacked = this.#unacked(isFlushed, isTold)
    if (unacked !== undefined)
      return new MultipathError(
        'ERR_MULTIPATH_UNACKED',
        `the last subflow closed with ${unacked} unacked`,
        options,
      )
    const { kind, mayEndUnsaid } = this.#peer.profile
    if (this.#hasPeerFin || (mayEndUnsaid && !hasHole && failure === undefined)) return undefined
    const what = kind === 'unknown' ? 'the peer had said what it is' : 'the end of the data'
    const message = `the last subflow closed before ${what}`
    return new MultipathError('ERR_MULTIPATH_INCOMPLETE', message, options)
  }

  /** A connection that was held ends with something missing, on either side. */
  holdError(why: string, unackedBytes: number): HoldError {
    const options = this.#failure === undefined ? undefined : { cause: this.#failure.error }
    return new HoldError(why, unackedBytes, options)
  }

  #unacked(isFlushed: boolean, isTold: boolean): string | undefined {
    if (!isFlushed) return 'data'
    return this.hasSentFin && !this.isFinDelivered && !isTold ? 'the end of our data' : undefined
  }
}

/** A Go peer sends again within 612 ms, or 1,612 ms on the same subflow. Go: conn.go, retransmit; subflow.go. */
const RESEND_MS = 1700

// SPDX-License-Identifier: Apache-2.0
/**
 * One stream of a session, without input or output: what it has to send, what it has received, and how far it has
 * come to its end. Its session alone calls what changes it.
 */
import type { Millis } from '../clock.js'
import type { MultipathError } from '../errors.js'
import { ByteQueue } from '../wire/byte-queue.js'
import { Flag, INITIAL_WINDOW_BYTES, MAX_UINT32, protocolError } from './frame.js'
import { Outgoing } from './outgoing.js'
import type { Growth } from './receive-window.js'
import { ReceiveWindow } from './receive-window.js'

/**
 * How far a stream has come: waiting for a place among those that open; SYN sent; SYN received and not accepted
 * yet; acked; over.
 */
type Phase = 'waiting' | 'opening' | 'incoming' | 'open' | 'over'

/** Our direction: bytes may be written; the end follows what was written; the end is sent. */
type Ending = 'open' | 'ending' | 'ended'

/** Credit below this, bytes, is hardly worth its frame: Go gives half of a window, as we do. */
const LEAST_CREDIT_BYTES = 1024

/** A frame without payload: its flags, and the bytes of credit in it. */
export interface Notice {
  readonly flags: number
  readonly credit: number
}

export class StreamCore {
  readonly id: number
  readonly outgoing: Outgoing = new Outgoing()
  readonly unread: ByteQueue = new ByteQueue()
  readonly window: ReceiveWindow
  phase: Phase
  /** When its SYN left. */
  openingAt: Millis = 0
  /** Why it is over before its end; `undefined` after an orderly one. */
  error: MultipathError | undefined
  /** The application is done with it, but not the peer. */
  isAbandoned = false
  /** It is in the list of what changed. */
  isListed = false
  #ending: Ending = 'open'
  #isRemoteEnded = false
  #sendCredit = INITIAL_WINDOW_BYTES
  #hasSent = false
  /** Bytes were sent since the peer gave credit. */
  #hasSpent = false
  #flagsDue = 0

  constructor(id: number, phase: 'waiting' | 'incoming', now: Millis) {
    this.id = id
    this.phase = phase
    this.window = new ReceiveWindow(now)
  }

  /** The peer has accepted it, or we have. */
  get isOpen(): boolean {
    return this.phase === 'open'
  }

  get isOver(): boolean {
    return this.phase === 'over'
  }

  /** The peer will send no more; what it sent may still be unread. */
  get isRemoteEnded(): boolean {
    return this.#isRemoteEnded
  }

  /** The reader has got everything. */
  get isReadEnd(): boolean {
    return this.#isRemoteEnded && this.unread.bytes === 0
  }

  /** Our end has been sent, behind all that was written. */
  get isWriteEnd(): boolean {
    return this.#ending === 'ended'
  }

  get isBothEnded(): boolean {
    return this.#isRemoteEnded && this.#ending === 'ended'
  }

  /** The peer knows of it. */
  get isKnown(): boolean {
    return this.phase !== 'waiting' && this.phase !== 'over'
  }

  /** Something has happened to it that its reader is to hear of. */
  get hasNews(): boolean {
    return this.unread.bytes > 0 || this.#isRemoteEnded || this.error !== undefined
  }

  /** The peer has been told of it, or has told us. */
  get isPeerAware(): boolean {
    return this.isKnown && (this.#flagsDue & Flag.syn) === 0
  }

  /** Something that was written to it has left. */
  get hasSent(): boolean {
    return this.#hasSent
  }

  /** Whether credit for `bytes` is of use: none gives less than a reader that reads lumps. */
  needsCredit(bytes: number): boolean {
    return this.#hasSpent && bytes >= LEAST_CREDIT_BYTES
  }

  /** Bytes that may be sent now. */
  get sendableBytes(): number {
    return this.isKnown ? Math.min(this.outgoing.bytes, this.#sendCredit) : 0
  }

  /** A place among those that open is free: SYN. */
  sendSyn(now: Millis): void {
    this.phase = 'opening'
    this.openingAt = now
    this.#flagsDue |= Flag.syn
  }

  /** The application took it: ACK. */
  sendAck(): void {
    this.phase = 'open'
    this.#flagsDue |= Flag.ack
  }

  /** The peer accepted it. */
  acked(): void {
    if (this.phase === 'opening') this.phase = 'open'
  }

  end(): void {
    if (this.#ending === 'open') this.#ending = 'ending'
  }

  /** @returns up to `bytes` of what was written, in pieces */
  takeOutgoing(bytes: number): Uint8Array[] {
    this.#sendCredit -= bytes
    this.#hasSent = true
    this.#hasSpent = true
    return this.outgoing.take(bytes)
  }

  /** @throws ERR_MULTIPATH_MUX_PROTOCOL for credit that no number of 32 bits holds */
  addCredit(bytes: number): void {
    if (this.#sendCredit + bytes > MAX_UINT32)
      throw protocolError(
        `the peer gave too much credit on stream ${this.id}: ${this.#sendCredit + bytes} bytes`,
      )
    this.#sendCredit += bytes
    this.#hasSpent = false
  }

  /** @throws ERR_MULTIPATH_MUX_PROTOCOL for bytes that the peer must not send */
  checkPayload(bytes: number): void {
    if (this.#isRemoteEnded && bytes > 0)
      throw protocolError(`the peer sent data after the end of stream ${this.id}`)
    this.window.spend(bytes)
  }

  /** @throws ERR_MULTIPATH_MUX_PROTOCOL for a second end */
  remoteEnded(): void {
    if (this.#isRemoteEnded) throw protocolError(`the peer ended stream ${this.id} twice`)
    this.#isRemoteEnded = true
  }

  /** It is over with a loss: its reader must not take what it has for everything. */
  cut(error: MultipathError): void {
    this.error = error
    this.#isRemoteEnded = false
  }

  /** Whether {@link takeNotice} has anything to say. */
  get hasNotice(): boolean {
    return this.isKnown && (this.#flagsDue !== 0 || this.#isEndDue || this.#isCreditDue)
  }

  get #isEndDue(): boolean {
    return this.#ending === 'ending' && this.outgoing.bytes === 0
  }

  get #isCreditDue(): boolean {
    return !this.#isRemoteEnded && this.window.isDue(this.unread.bytes)
  }

  /**
   * What the peer is to know at once. The end has a frame of its own, never one with data: Go wakes its reader by
   * the flags before it has taken the payload, and the reader may see the end without it (stream.go, readData).
   */
  takeNotice(now: Millis, growth: Growth): Notice {
    const credit = this.#isCreditDue ? this.window.grant(this.unread.bytes, now, growth) : 0
    let flags = this.#flagsDue
    this.#flagsDue = 0
    if (this.#isEndDue) {
      flags |= Flag.fin
      this.#ending = 'ended'
    }
    return { flags, credit }
  }
}

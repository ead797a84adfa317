// SPDX-License-Identifier: Apache-2.0
/** One connection without IO: bytes and time in, actions out. Joins the parts, and holds no state of its own but the time. */
import type { Millis } from '../clock.js'
import type { Action } from './action.js'
import { Closing } from './closing.js'
import type { Eligibility } from './eligibility.js'
import { Ending } from './ending.js'
import { Extensions } from './extensions.js'
import { ackLimitError, lingerError, silentError } from './failures.js'
import type { CloseReason } from './health.js'
import { Dispatcher } from './dispatcher.js'
import type { CoreInit, SubflowInit } from './init.js'
import { InFlight } from './in-flight.js'
import { requestClose, withdraw } from './graceful-close.js'
import { FailureDetector } from './failure-detector.js'
import type { ResolvedConnOptions } from './options.js'
import type { PeerProfile } from './peer-profile.js'
import { Peer } from './peer-profile.js'
import { Receiver } from './receiver.js'
import { SubflowSet } from './subflow-set.js'
import type { Scheduler } from './scheduler.js'
import { Sender } from './sender.js'
import type { Subflow } from './subflow.js'
import { AbuseLimiter } from './abuse-limiter.js'
import type { Metrics } from './metrics.js'
import { metricsOf } from './metrics.js'
import type { PeerSettings } from '../wire/settings.js'

export class ConnectionCore {
  readonly #options: ResolvedConnOptions
  readonly #set: SubflowSet
  readonly #subflows: readonly Subflow[]
  readonly #dispatcher: Dispatcher
  readonly #inFlight: InFlight
  readonly #sender: Sender
  readonly #receiver: Receiver
  readonly #detector: FailureDetector
  readonly #peer: Peer
  readonly #extensions: Extensions
  readonly #ending: Ending
  readonly #closing: Closing
  #now: Millis = 0

  constructor(init: CoreInit) {
    const { options, scheduler, random, accepts, allowance = new AbuseLimiter(options) } = init
    this.#options = options
    this.#peer = new Peer(accepts)
    this.#extensions = new Extensions(this.#peer, init.facts)
    this.#ending = new Ending(this.#peer)
    const inFlight = (this.#inFlight = new InFlight(options))
    this.#set = new SubflowSet(inFlight, allowance)
    this.#subflows = this.#set.live
    this.#sender = new Sender({ subflows: this.#subflows, inFlight, scheduler, options })
    this.#receiver = new Receiver(this.#peer, this.#subflows, options)
    const parts = {
      inFlight,
      receiver: this.#receiver,
      ending: this.#ending,
      peer: this.#peer,
      extensions: this.#extensions,
    }
    this.#dispatcher = new Dispatcher(parts, options)
    this.#closing = new Closing({
      ...parts,
      subflows: this.#set,
      sender: this.#sender,
      dispatcher: this.#dispatcher,
    })
    this.#detector = new FailureDetector(options, this.#peer, random)
  }

  /** What the connection holds, and has counted so far. */
  get metrics(): Metrics {
    return metricsOf(this.#sender, this.#inFlight, this.#receiver)
  }

  /** Whether a new frame may leave on `subflow` at `now`, and if not, why not. */
  eligibility(subflow: Subflow, now: Millis): Eligibility {
    return this.#sender.eligibility(subflow, now)
  }

  /** Subflows that live; read only. */
  get subflows(): readonly Subflow[] {
    return this.#subflows
  }

  /** Bytes in order that nobody has taken. */
  get unreadBytes(): number {
    return this.#receiver.window.unreadBytes
  }

  /** Bytes written and not yet acked. */
  get unflushedBytes(): number {
    return this.#sender.bufferedBytes + this.#inFlight.bytes
  }

  /** More may be written without waiting for room. */
  get hasRoom(): boolean {
    return this.#sender.hasRoom
  }

  /** Everything written is acked and, where the peer can hear it, it knows that no more will come. */
  get isWriteEnd(): boolean {
    return this.#sender.isFlushed && (this.#ending.hasSentFin || this.isOver)
  }

  /** The peer was told that no more will come, and may not have heard it yet. */
  get isFinUnderWay(): boolean {
    return this.#ending.hasSentFin && !this.#ending.isFinDelivered && !this.isOver
  }

  /** Everything the peer will ever write has been taken. */
  get isReadEnd(): boolean {
    return this.#ending.hasPeerFin && this.unreadBytes === 0
  }

  get isOver(): boolean {
    return this.#closing.isOver
  }

  /** What is known of the peer, and what follows from it. */
  get peer(): PeerProfile {
    return this.#peer.profile
  }

  /** What the peer says of itself; `undefined` until it has, and of a Go peer. */
  get peerSettings(): PeerSettings | undefined {
    return this.#extensions.peerSettings
  }

  /** Something waits that should not wait for the end of the turn. */
  get isUrgent(): boolean {
    const hasFrames = this.#sender.bufferedBytes > 0 || this.#ending.isEnding || this.#receiver.hasNews
    return hasFrames || this.#receiver.isAckDue || this.#set.hasActions
  }

  /** Nobody reads what the peer sends, and TCP alone can slow it down. */
  get shouldStopReading(): boolean {
    if (!this.peer.isSlowedByTcp || this.#ending.isEnding) return false
    return this.#receiver.isFull && this.#sender.isFlushed
  }

  /** Adds a subflow whose hello is done. The first carries data at once, others when the peer shows life. */
  addSubflow(init: SubflowInit, now: Millis): Subflow {
    this.#now = now
    const subflow = this.#set.join(init, now)
    this.#dispatcher.add(subflow)
    if (subflow.id === 1) this.#set.goUp(subflow)
    return subflow
  }

  /** Takes bytes of the application. They must not change until they are acked. */
  write(bytes: Uint8Array): void {
    this.#sender.write(bytes)
  }

  /** The application waits for room, so that more is sure to come. */
  setWriterWaiting(isWaiting: boolean): void {
    this.#sender.setWriterWaiting(isWaiting, this.#now)
  }

  /** The next bytes in order for the reader. */
  take(): Uint8Array | undefined {
    const piece = this.#receiver.window.take()
    if (piece !== undefined) this.#receiver.announce(undefined, this.#now)
    return piece
  }

  /** From the next frame on. */
  setScheduler(scheduler: Scheduler): void {
    this.#sender.scheduler = scheduler
  }

  /** No more will be written: flush, tell the peer, close. */
  end(now: Millis): void {
    if (this.#ending.isEnding) return
    this.#ending.asked(now)
    this.#sender.setWriterWaiting(false, -Infinity)
  }

  /** Takes bytes that a subflow's socket brought, at most `maxFrames` of them. @returns how many bytes were taken */
  receive(subflow: Subflow, bytes: Uint8Array, now: Millis, maxFrames: number = Infinity): number {
    if (subflow.state === 'closed' || this.isOver) return bytes.length
    this.#now = now
    subflow.heard(now, this.#options.suspectMs)
    if (subflow.state !== 'up') this.#set.goUp(subflow)
    const before = this.#receiver.bytesSinceFlush
    const taken = this.#dispatcher.push(subflow, bytes, now, maxFrames)
    const { failure, reset } = this.#dispatcher
    if (failure !== undefined) this.#closing.fail(failure)
    else if (reset !== undefined) this.#closing.resetHeard(reset, now)
    else if (typeof taken !== 'number') this.#closing.subflow(subflow, now, 'protocol', taken)
    else if (subflow.acks.length > this.#options.maxOutstandingAckBytes)
      this.#closing.subflow(subflow, now, 'limit', ackLimitError())
    else this.#receiver.announce(this.#receiver.bytesSinceFlush > before ? subflow : undefined, now)
    return typeof taken === 'number' ? taken : bytes.length
  }

  /** The socket of `subflow` is full; so many bytes of what it was given have not left it. */
  socketBlocked(subflow: Subflow, bufferedBytes: number): void {
    subflow.blocked(bufferedBytes)
  }

  /** It takes more again. */
  socketDrained(subflow: Subflow): void {
    subflow.drained()
  }

  /** A subflow's stream ended in order (no error) or failed. */
  subflowClosed(subflow: Subflow, error: Error | undefined, now: Millis): void {
    this.#now = now
    this.#closing.subflow(subflow, now, error === undefined ? 'ended' : 'failed', error)
  }

  /** Closes one subflow in order, once another is up. */
  retireSubflow(subflow: Subflow, now: Millis): void {
    this.#now = now
    requestClose(subflow, this.#subflows)
  }

  /** Closes one subflow from our side. */
  closeSubflow(subflow: Subflow, reason: CloseReason, now: Millis): void {
    this.#now = now
    this.#closing.subflow(subflow, now, reason)
  }

  /** Time has come to what `nextTickAt` said. */
  tick(now: Millis): void {
    this.#now = now
    for (const subflow of [...this.#subflows]) this.#inspect(subflow)
    if (now < this.#lingerAt()) return
    this.#closing.fail(lingerError(this.#sender.isFlushed && !this.#ending.hasSentFin))
  }

  /** Our process or machine stood still until now: silence and round trips of that time mean nothing. */
  forgiveSilence(now: Millis, howOften?: 'once'): void {
    for (const subflow of this.#subflows) subflow.forgiveSilence(now, howOften)
  }

  /** Asks every subflow for a sign of life. */
  pingAll(now: Millis): void {
    for (const subflow of this.#subflows) subflow.ping(now)
  }

  /** Everything to be done now. */
  drain(now: Millis): Action[] {
    this.#now = now
    if (!this.isOver) {
      withdraw(this.#subflows)
      this.#extensions.speak(this.#subflows)
      const failure = this.#sender.pump(now)
      if (failure === undefined) this.#closing.advance()
      else this.#closing.fail(failure)
      for (const subflow of this.#subflows) this.#set.flush(subflow)
      for (const subflow of [...this.#subflows]) this.#closing.seeOff(subflow, now)
    }
    this.#receiver.flushed()
    return this.#set.takeActions()
  }

  /** When `tick` is wanted, should nothing happen until then. */
  nextTickAt(): Millis {
    if (this.isOver) return Infinity
    let at = Math.min(this.#inFlight.peerWindow.probeAt, this.#sender.readyAt, this.#lingerAt())
    for (const subflow of this.#subflows) at = Math.min(at, this.#detector.next(subflow).at)
    return at
  }

  /**
   * Gives up at once. With everything acked the peer still learns that nothing is missing.
   *
   * @param reason - of an abort: one of ours is told the beginning of it
   */
  destroy(isAbort: boolean, reason?: string): void {
    if (this.isOver) return
    this.#closing.giveUp(isAbort, reason)
    this.#receiver.window.clear()
  }

  #inspect(subflow: Subflow): void {
    while (subflow.state !== 'closed') {
      const { at, finding } = this.#detector.next(subflow)
      if (at > this.#now) return
      if (finding === 'dead')
        this.#closing.subflow(subflow, this.#now, 'silent', silentError(this.#now - subflow.lastHeardAt))
      else if (finding === 'suspect') {
        this.#set.suspect(subflow, this.#now)
        this.#receiver.lost(subflow)
      } else if (finding === 'peer-full')
        this.#inFlight.droppedBefore(subflow, subflow.answeredPingAt, this.#now)
      else if (finding === 'unthrottle') subflow.unthrottle(this.#now)
      else subflow.ping(this.#now)
    }
  }

  /** When data written before end() has been unacked for too long; while all paths are paused, it waits. */
  #lingerAt(): Millis {
    const since = Math.max(this.#inFlight.lastAckAt, this.#sender.pausedUntil)
    return this.#ending.lingerAt(since, this.#options.lingerMs)
  }
}

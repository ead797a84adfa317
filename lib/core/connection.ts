// SPDX-License-Identifier: Apache-2.0
/** One connection without IO: bytes and time in, actions out. Joins the parts, and holds no state of its own but the time. */
import type { Millis } from '../clock.js'
import type { Action } from './action.js'
import { Closing, type ClosingInit } from './closing.js'
import { Datagrams } from './datagrams/datagrams.js'
import type { Eligibility } from './eligibility.js'
import { Ending } from './ending.js'
import { Extensions, type PeerSelf } from './extensions.js'
import { PeerPolicy } from './peer-policy.js'
import { JoinAuthenticator } from './join-auth.js'
import type { CloseReason, GracefulClose } from './health.js'
import { Dispatcher, type DispatcherParts } from './dispatcher.js'
import type { CoreInit, SubflowInit } from './init.js'
import { InFlight } from './in-flight.js'
import { requestClose, withdraw } from './graceful-close.js'
import { FailureDetector } from './failure-detector.js'
import { Parallel } from './parallel.js'
import { Peer, type PeerProfile } from './peer-profile.js'
import { Receiver } from './receiver.js'
import { SubflowSet } from './subflow-set.js'
import { Suspension } from './suspension.js'
import { Timing } from './timing.js'
import type { Scheduler } from './scheduler.js'
import { Sender } from './sender.js'
import { Starvation } from './starvation.js'
import type { Subflow } from './subflow.js'
import { AbuseLimiter } from './abuse-limiter.js'
import { type Metrics, metricsOf } from './metrics.js'

export class ConnectionCore {
  readonly #parts: DispatcherParts & ClosingInit
  readonly #set: SubflowSet
  readonly #subflows: readonly Subflow[]
  readonly #dispatcher: Dispatcher
  readonly #sender: Sender
  readonly #receiver: Receiver
  /** What is said to one of ours. */
  readonly extensions: Extensions
  /** What may be lost, and waits for nothing. */
  readonly datagrams: Datagrams
  readonly #auth: JoinAuthenticator
  readonly #ending: Ending
  readonly #closing: Closing
  readonly #suspension = new Suspension()
  readonly #timing: Timing
  #now: Millis = 0

  constructor(init: CoreInit) {
    const { options, scheduler, random, facts, allowance = new AbuseLimiter(options) } = init
    const peer = new Peer(init.accepts)
    const ending = (this.#ending = new Ending(peer))
    const inFlight = new InFlight(options)
    const subflows = (this.#set = new SubflowSet(inFlight, allowance))
    const live = (this.#subflows = subflows.live)
    const sender = (this.#sender = new Sender({ subflows: live, inFlight, scheduler, options }))
    const receiver = (this.#receiver = new Receiver(peer, live, options))
    const auth = (this.#auth = new JoinAuthenticator(peer, live, init.auth))
    const policy = new PeerPolicy(init.acceptsPeerPolicy ?? true, (wanted) => this.setScheduler(wanted))
    const extensions = (this.extensions = new Extensions({ peer, receiver, options, facts, auth, policy }))
    // One for all who need several of them, and a literal: what is spread from others, V8 gives a shape of its own each time.
    const parts = (this.#parts = {
      peer,
      options,
      subflows,
      sender,
      inFlight,
      receiver,
      ending,
      auth,
      policy,
      extensions,
      suspension: this.#suspension,
      datagrams: (this.datagrams = new Datagrams({ peer, options, subflows: live, inFlight, extensions })),
      parallel: new Parallel(live, sender, subflows.wanted),
      starvation: new Starvation(live, inFlight),
    })
    const dispatcher = (this.#dispatcher = new Dispatcher(parts))
    const closing = (this.#closing = new Closing(parts, dispatcher))
    this.#timing = new Timing(parts, closing, new FailureDetector(options, peer, random))
  }

  /** What the connection holds, and has counted so far. */
  get metrics(): Metrics {
    return metricsOf(this.#sender, this.#parts.inFlight, this.#receiver)
  }

  /** Whether a new frame may leave on `subflow` at `now`, and if not, why not. */
  eligibility(subflow: Subflow, now: Millis): Eligibility {
    return this.#sender.eligibility(subflow, now)
  }

  /** Subflows that live; read only. */
  get subflows(): readonly Subflow[] {
    return this.#subflows
  }

  /** Bytes in order that have not been taken. */
  get unreadBytes(): number {
    return this.#receiver.window.unreadBytes
  }

  /** Bytes written and not yet acked. */
  get unflushedBytes(): number {
    return this.#sender.bufferedBytes + this.#parts.inFlight.bytes
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
    return this.#parts.peer.profile
  }

  /** What the peer says of itself; `undefined` until it has, and of a Go peer. */
  get peerSettings(): PeerSelf | undefined {
    return this.extensions.peerSettings
  }

  /** No subflow is there that has shown life, and the connection is held for one. */
  get isSuspended(): boolean {
    return this.#suspension.isOn
  }

  /** Something waits that should not wait for the end of the turn. */
  get isUrgent(): boolean {
    const hasFrames = this.#sender.bufferedBytes > 0 || this.#ending.isEnding || this.#receiver.hasNews
    return hasFrames || this.#receiver.isAckDue || this.#set.hasActions
  }

  /** What the peer sends is not read, and only TCP can slow it down. */
  get shouldStopReading(): boolean {
    const { isFull } = this.#receiver
    return isFull && this.peer.slowedBy === 'tcp' && !this.#ending.isEnding && this.#sender.isFlushed
  }

  /** Adds a subflow whose hello is done. The first carries data at once, others when the peer has shown life or proved itself. */
  addSubflow(init: SubflowInit, now: Millis): Subflow {
    this.#now = now
    const subflow = this.#set.join(init, now)
    this.#dispatcher.add(subflow)
    this.#auth.added(subflow)
    if (init.introduction !== undefined) this.extensions.introduced(subflow, init.introduction)
    if (subflow.id === 1 && !subflow.isUnproven) this.#set.goUp(subflow, now)
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

  /** The next bytes in order for the reader; `undefined` if there are none, or if the next piece has `shorterThan` bytes or more. */
  take(shorterThan: number = Infinity): Uint8Array | undefined {
    const piece = this.#receiver.window.take(shorterThan)
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
    subflow.heard(now, this.#parts.options.suspectMs)
    if (!this.#isHeard(subflow)) return 0
    const before = this.#receiver.bytesSinceFlush
    const taken = this.#dispatcher.push(subflow, bytes, now, maxFrames)
    if (this.#closing.heard(subflow, typeof taken === 'number' ? undefined : taken, now)) {
      this.#isHeard(subflow)
      this.#receiver.announce(this.#receiver.bytesSinceFlush > before ? subflow : undefined, now)
    }
    return typeof taken === 'number' ? taken : bytes.length
  }

  /** Whether what comes on `subflow` is read now. Once it need not prove itself, or has, it is up; a suspect one has to answer. */
  #isHeard(subflow: Subflow): boolean {
    if (subflow.isUnproven) return !this.#auth.holdsBack(subflow)
    if (subflow.state === 'up' || (subflow.state === 'suspect' && subflow.answeredAt < this.#now)) return true
    this.#set.goUp(subflow, this.#now)
    if (this.isSuspended) this.#set.resumed(this.#suspension.end(this.#now))
    return true
  }

  /** No subflow can come any more: the connection is not held from now on. */
  forbidHold(): void {
    this.extensions.forbidHold()
    if (this.isSuspended) this.endHold('no subflow can join the connection any more')
  }

  /** Gives a connection up that is suspended. @param why - as the beginning of a sentence */
  endHold(why: string): void {
    if (this.isSuspended) this.#closing.release(why)
  }

  /** A subflow's stream ended in order (no error) or failed. */
  subflowClosed(subflow: Subflow, error: Error | undefined, now: Millis): void {
    this.#now = now
    this.#closing.subflow(subflow, now, error === undefined ? 'ended' : 'failed', error)
  }

  /** Closes one subflow in order, once another is up. */
  retireSubflow(subflow: Subflow, reason: GracefulClose['reason'], now: Millis): void {
    this.#now = now
    requestClose(subflow, this.#subflows, reason)
  }

  /** Closes one subflow from our side. */
  closeSubflow(subflow: Subflow, reason: CloseReason, now: Millis): void {
    this.#now = now
    this.#closing.subflow(subflow, now, reason)
  }

  /** Time has come to what `nextTickAt` said. */
  tick(now: Millis): void {
    this.#now = now
    this.#timing.tick(now)
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
      this.#auth.review()
      if (this.#auth.failure !== undefined) this.#closing.fail(this.#auth.failure)
      this.extensions.speak(this.#subflows)
      this.#parts.parallel.review(now)
      this.datagrams.pump(now)
      const failure = this.#suspension.awaitsHave ? undefined : this.#sender.pump(now)
      if (failure === undefined) this.#closing.advance()
      else this.#closing.fail(failure)
      for (const subflow of this.#subflows) this.#set.flush(subflow)
      for (const subflow of [...this.#subflows]) this.#closing.seeOff(subflow, now)
    }
    this.#receiver.flushed()
    return this.#set.takeActions()
  }

  /** When `tick` is wanted, should nothing happen until then. @param knownAt - not sooner than that, it need not be exact */
  nextTickAt(knownAt: Millis = Infinity): Millis {
    return this.isOver ? Infinity : this.#timing.nextAt(knownAt)
  }

  /** Gives up at once. With everything acked the peer still learns that nothing is missing. @param reason - of an abort, told to one of ours */
  destroy(isAbort: boolean, reason?: string): void {
    if (this.isOver) return
    this.#closing.giveUp(isAbort, reason)
    this.#receiver.window.clear()
  }
}

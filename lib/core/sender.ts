// SPDX-License-Identifier: Apache-2.0
/** Decides what leaves next, and on which subflow: cuts frames out of what the application wrote, and sends again what must be. */
import type { Millis } from '../clock.js'
import { MultipathError } from '../errors.js'
import { ByteQueue } from '../wire/byte-queue.js'
import { encodeWindow } from '../wire/window-frame.js'
import { asked, schedulerError } from './failures.js'
import type { Eligibility } from './eligibility.js'
import { Choice, fastest, heldUntil, isCandidate } from './eligibility.js'
import type { SentFrame } from './flight.js'
import type { InFlight } from './in-flight.js'
import type { ResolvedConnOptions } from './options.js'
import type { Scheduler, Snapshot } from './scheduler.js'
import type { Subflow } from './subflow.js'
import type { Sending } from './tracker.js'

/** An application that waited for room writes on within this time, milliseconds, if it has more. */
const REFILL_MS = 10
/** Payload of a frame that only asks whether the receiver takes frames again. */
const PROBE_FRAME_BYTES = 1400

export interface SenderInit {
  /** Those that live. */
  readonly subflows: readonly Subflow[]
  readonly inFlight: InFlight
  readonly scheduler: Scheduler
  readonly options: ResolvedConnOptions
}

export class Sender {
  readonly #options: ResolvedConnOptions
  readonly #subflows: readonly Subflow[]
  readonly #buffer = new ByteQueue()
  readonly #inFlight: InFlight
  readonly #choice: Choice
  #scheduler: Scheduler
  #waits = 0
  #now: Millis = 0
  #lastId: number | undefined
  /** Until when more is sure to come: the application was told to wait, or has just been let go. */
  #bulkUntil: Millis = -Infinity

  constructor({ subflows, inFlight, scheduler, options }: SenderInit) {
    this.#subflows = subflows
    this.#scheduler = scheduler
    this.#options = options
    this.#inFlight = inFlight
    this.#choice = new Choice(subflows, inFlight)
  }

  /** Bytes that wait for a frame. */
  get bufferedBytes(): number {
    return this.#buffer.bytes
  }

  /** Nothing that was written is on its way any more. */
  get isFlushed(): boolean {
    return this.#buffer.bytes === 0 && this.#inFlight.count === 0
  }

  get hasRoom(): boolean {
    return this.#buffer.bytes < this.#options.sendBufferBytes
  }

  write(bytes: Uint8Array): void {
    this.#buffer.append(bytes)
  }

  /** Whether the application waits for room. Let go at `now`, it gets a moment to write on. */
  setWriterWaiting(isWaiting: boolean, now: Millis): void {
    this.#bulkUntil = isWaiting ? Infinity : Math.min(this.#bulkUntil, now + REFILL_MS)
  }

  /** Forgets everything: the connection is over. */
  clear(): void {
    this.#buffer.clear()
    this.#inFlight.clear()
  }

  /** How often the scheduler left a subflow with room alone, to wait for another. */
  get waits(): number {
    return this.#waits
  }

  /** Nothing new is to be sent, nor will be at once. */
  get isIdle(): boolean {
    return this.#buffer.bytes === 0 && this.#now > this.#bulkUntil
  }

  get scheduler(): Scheduler {
    return this.#scheduler
  }

  /** From the next frame on; what subflows were served before counts no more. */
  set scheduler(scheduler: Scheduler) {
    this.#scheduler = scheduler
    for (const subflow of this.#subflows) subflow.served = 0
  }

  /** Until when data waited for paused paths alone; Infinity while it does. */
  get pausedUntil(): Millis {
    return this.#choice.pausedUntil
  }

  /** Whether a new frame may leave on `subflow` at `now`, and if not, why not. */
  eligibility(subflow: Subflow, now: Millis): Eligibility {
    return this.#choice.of(subflow, this.#queuedBytes(now), now)
  }

  /** When a rate cap or the pace of a subflow lets go of what waits; Infinity where neither holds anything. */
  get readyAt(): Millis {
    if (this.#buffer.bytes === 0 && this.#inFlight.retransmits === 0 && !this.#inFlight.hasShared)
      return Infinity
    let at = Infinity
    for (const subflow of this.#subflows)
      if (isCandidate(subflow)) at = Math.min(at, heldUntil(subflow, this.#now))
    return at
  }

  /**
   * Hands frames to subflows until nothing is left or no subflow has room.
   *
   * @returns what a user's scheduler threw, or did wrong: the end of the connection
   */
  pump(now: Millis): MultipathError | undefined {
    this.#now = now
    try {
      this.#sendAll()
      return undefined
    } catch (error) {
      if (error instanceof MultipathError) return error
      throw error
    }
  }

  #sendAll(): void {
    const choice = this.#choice
    // A path that reaches its cap on the way is out of the choice: what waits for it is the others'.
    do {
      choice.review(this.#now)
      for (const newcomer of choice.newcomers) this.#level(newcomer)
      if (this.#inFlight.peerWindow.probeAt <= this.#now) this.#sendProbe()
      if (choice.candidates.length === 0) return
      while (this.#retransmitOne() || this.#shareOne() || this.#sendOne());
      if (this.#buffer.bytes > 0 && this.#isBlockedByHead()) this.#advanceHead()
      if (this.#buffer.bytes > 0 && this.#inFlight.peerRoomBytes === 0)
        this.#inFlight.peerWindow.awaited(this.#now)
      this.#markAppLimited()
    } while (!choice.candidates.every(isCandidate))
  }

  /** One that becomes a candidate owes nothing for the time before, and is owed nothing. */
  #level(newcomer: Subflow): void {
    const { candidates, newcomers } = this.#choice
    const others = candidates.filter((other) => !newcomers.includes(other))
    const peers = others.length > 0 ? others : newcomers
    newcomer.served = Math.min(...peers.map((other) => other.served))
  }

  /** Bytes that wait; without an end while the application waits for room. */
  #queuedBytes(now: Millis): number {
    return now <= this.#bulkUntil ? Infinity : this.#buffer.bytes
  }

  #snapshot(candidates: readonly Subflow[], queuedBytes: number): Snapshot<Subflow> {
    return {
      subflows: this.#choice.inUse(candidates, queuedBytes),
      queuedBytes,
      unackedBytes: this.#inFlight.bytes,
      lastId: this.#lastId,
      hasRoom: this.#choice.hasRoom,
      arrivalMs: this.#choice.arrivalMs,
    }
  }

  /** The scheduler may be a user's. */
  #choose(snapshot: Snapshot<Subflow>): Subflow | undefined {
    const chosen = asked(() => this.#scheduler.choose(snapshot))
    if (chosen === undefined || (snapshot.subflows.includes(chosen) && snapshot.hasRoom(chosen)))
      return chosen
    throw schedulerError(`${this.#scheduler.name} chose a subflow that is not there or has no room`)
  }

  #retransmitOne(): boolean {
    const { retransmits, count, peerWindow } = this.#inFlight
    if (retransmits === 0 || !peerWindow.allowsResend(count - retransmits)) return false
    const frame = this.#inFlight.nextRetransmit()!
    const able = this.#choice.ableToResend(frame)
    if (able.length === 0 && this.#choice.isUnderWay(frame)) return this.#inFlight.forgo(frame)
    // What must leave again is urgent: everything behind it waits. No waiting for a faster subflow either.
    const subflow = able.length === 0 ? undefined : this.#choose(this.#snapshot(able, Infinity))
    if (subflow === undefined) return false
    this.#send(frame, subflow, frame.sends === 0 ? 'first' : 'again')
    return true
  }

  /** Sends the next copy that is due on whichever subflow has room, the lowest number first. */
  #shareOne(): boolean {
    if (!this.#inFlight.hasShared || this.#inFlight.peerWindow.isStopped) return false
    for (const subflow of this.#choice.inUse(this.#choice.candidates, 0)) {
      const frame = this.#choice.hasRoom(subflow) ? this.#nextShared(subflow) : undefined
      if (frame === undefined) continue
      this.#send(frame, subflow, 'copy')
      return true
    }
    return false
  }

  #nextShared(subflow: Subflow): SentFrame | undefined {
    for (;;) {
      const frame = this.#inFlight.sharedFrom(subflow.nextShared)
      subflow.nextShared = frame === undefined ? this.#inFlight.nextFn : frame.fn + 1
      if (frame === undefined) return undefined
      if (!frame.carriers.has(subflow) && frame.size <= subflow.path.leftBytes) return frame
    }
  }

  #sendOne(): boolean {
    if (this.#buffer.bytes === 0 || this.#choice.closedBy !== undefined) return false
    const snapshot = this.#snapshot(this.#choice.candidates, this.#queuedBytes(this.#now))
    const subflow = this.#choose(snapshot)
    if (subflow === undefined) {
      if (snapshot.subflows.some(snapshot.hasRoom)) this.#waits++
      return false
    }
    const isShared = asked(() => this.#scheduler.isShared?.(snapshot)) === true
    const bytes = subflow.window.frameBytes(this.#options.maxFrameBytes)
    const frame = this.#cut(Math.min(bytes, subflow.path.leftBytes))
    if (isShared) this.#inFlight.share(frame)
    subflow.served += frame.size / subflow.weight
    this.#lastId = subflow.id
    this.#send(frame, subflow, 'first')
    return true
  }

  #cut(bytes: number): SentFrame {
    return this.#inFlight.cut(this.#buffer.take(Math.min(bytes, this.#inFlight.peerRoomBytes)))
  }

  #isBlockedByHead(): boolean {
    return this.#inFlight.isFull && this.#inFlight.retransmits === 0
  }

  /** Everything waits for the lowest frame: send it again on a faster subflow that has room, once. */
  #advanceHead(): void {
    const head = this.#inFlight.lowest()
    if (head === undefined) return
    const { candidates, hasRoom } = this.#choice
    const carrierRtt = Math.min(...[...head.carriers].map((carrier) => carrier.smoothedRttMs))
    const faster = this.#choice.inUse(candidates, Infinity).filter((subflow) => {
      const isFaster = subflow.smoothedRttMs < carrierRtt / 2
      return isFaster && hasRoom(subflow) && head.size <= subflow.path.leftBytes
    })
    if (faster.length > 0) this.#send(head, fastest(faster)!, 'again')
  }

  #send(frame: SentFrame, subflow: Subflow, sending: Sending): void {
    this.#inFlight.depart(frame, subflow, sending, this.#now)
  }

  /** Asks the receiver for its limit, which alone holds us, on every path: each of them may be silent unnoticed. */
  #ask(able: readonly Subflow[]): void {
    for (const { acks } of able) acks.addBytes(encodeWindow({ isAsking: true }))
    this.#inFlight.peerWindow.probed(this.#now)
  }

  /** While the receiver is full or holds us, the lowest frame asks from time to time whether it still is. */
  #sendProbe(): void {
    const { peerWindow } = this.#inFlight
    const able = this.#choice.candidates.filter((subflow) => !subflow.isBlocked)
    if (able.length > 0 && !peerWindow.isStopped) {
      this.#ask(able)
      return
    }
    const best = this.#choice.fastestFor(this.#inFlight.lowest()?.size ?? 1)
    if (best === undefined) peerWindow.postponed(this.#now)
    else this.#probeOn(best)
  }

  #probeOn(best: Subflow): void {
    const { leftBytes } = best.path
    const frame = this.#inFlight.lowest() ?? this.#cutProbe(leftBytes)
    this.#inFlight.peerWindow.probed(this.#now)
    if (frame === undefined || best.flights.has(frame.fn)) return
    this.#inFlight.probeWith(frame)
    this.#send(frame, best, frame.sends === 0 ? 'first' : 'again')
  }

  #cutProbe(leftBytes: number): SentFrame | undefined {
    if (this.#buffer.bytes === 0 || this.#inFlight.peerRoomBytes === 0) return undefined
    return this.#cut(Math.min(PROBE_FRAME_BYTES, leftBytes))
  }

  /** A path does not show its rate while there is too little to send, or while the scheduler waits for another path. */
  #markAppLimited(): void {
    const isWaiting = this.#buffer.bytes > 0 && this.#choice.closedBy === undefined
    if (isWaiting || this.isIdle || this.#choice.closedBy === 'peer-full')
      for (const one of this.#choice.unused(isWaiting)) one.window.markAppLimited(one.inFlightBytes)
  }
}

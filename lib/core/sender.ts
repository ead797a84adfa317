// SPDX-License-Identifier: Apache-2.0
/** Cuts frames out of what the application wrote, binds them to subflows, and keeps them until acked. */
import type { Millis } from '../clock.js'
import { MultipathError } from '../errors.js'
import { ByteQueue } from '../wire/byte-queue.js'
import { asked, schedulerError } from './failures.js'
import { Fitness, isFit } from './fitness.js'
import type { ResendQueue, SentFrame } from './frames.js'
import type { Journeys } from './journeys.js'
import type { ResolvedConnOptions } from './options.js'
import type { PeerWindow } from './peer-window.js'
import type { Scheduler, Snapshot } from './scheduler.js'
import type { Sending, Subflow } from './subflow.js'
import { openTiers } from './tiers.js'
import type { Unacked } from './unacked.js'

/** An application that was held back writes on within this time, milliseconds, if it has more. */
const REFILL_MS = 10
/** Payload of a frame that only asks whether the receiver takes frames again. */
const PROBE_FRAME_BYTES = 1400

export interface SenderInit {
  /** Those that live. */
  readonly subflows: readonly Subflow[]
  readonly journeys: Journeys
  readonly scheduler: Scheduler
  readonly options: ResolvedConnOptions
}

export class Sender {
  readonly #options: ResolvedConnOptions
  readonly #subflows: readonly Subflow[]
  readonly #buffer = new ByteQueue()
  readonly #journeys: Journeys
  readonly #unacked: Unacked
  readonly #resends: ResendQueue
  readonly #peerWindow: PeerWindow
  readonly #fitness = new Fitness()
  #scheduler: Scheduler
  /** How often the scheduler left a subflow with room alone, to wait for another. */
  waits = 0
  #now: Millis = 0
  #lastId: number | undefined
  /** Until when more is sure to come: the application was told to wait, or has just been let go. */
  #bulkUntil: Millis = -Infinity

  constructor({ subflows, journeys, scheduler, options }: SenderInit) {
    this.#subflows = subflows
    this.#scheduler = scheduler
    this.#options = options
    this.#journeys = journeys
    this.#unacked = journeys.unacked
    this.#resends = journeys.resends
    this.#peerWindow = journeys.peerWindow
  }

  /** Bytes that wait for a frame. */
  get bufferedBytes(): number {
    return this.#buffer.bytes
  }

  get unackedBytes(): number {
    return this.#unacked.bytes
  }

  get unackedFrames(): number {
    return this.#unacked.count
  }

  /** Nothing that was written is on its way any more. */
  get isFlushed(): boolean {
    return this.#buffer.bytes === 0 && this.#unacked.count === 0
  }

  get hasRoom(): boolean {
    return this.#buffer.bytes < this.#options.sendBufferBytes
  }

  write(bytes: Uint8Array): void {
    this.#buffer.append(bytes)
  }

  /** Whether the application waits for room. Let go at `now`, it gets a moment to write on. */
  setHeldBack(isHeldBack: boolean, now: Millis): void {
    this.#bulkUntil = isHeldBack ? Infinity : Math.min(this.#bulkUntil, now + REFILL_MS)
  }

  /** Forgets everything: the connection is over. */
  clear(): void {
    this.#buffer.clear()
    this.#journeys.clear()
  }

  get scheduler(): Scheduler {
    return this.#scheduler
  }

  /** From the next frame on. What the subflows were served before counts no more. */
  set scheduler(scheduler: Scheduler) {
    this.#scheduler = scheduler
    for (const subflow of this.#subflows) subflow.served = 0
  }

  /** Until when data waited for paused paths alone; Infinity while it does. */
  get heldUntil(): Millis {
    return this.#fitness.heldUntil
  }

  /** When a path's rate cap lets go of what waits; Infinity where none holds anything. */
  get readyAt(): Millis {
    if (this.#buffer.bytes === 0 && this.#resends.length === 0 && !this.#unacked.hasShared) return Infinity
    let at = Infinity
    for (const subflow of this.#subflows) {
      if (!isFit(subflow) || !subflow.hasRoom) continue
      const ready = subflow.path.readyAt(this.#now)
      if (ready > this.#now) at = Math.min(at, ready)
    }
    return at
  }

  /**
   * Hands frames to subflows until nothing is left or nobody has room.
   *
   * @returns what a user's scheduler threw, or did wrong: the end of the connection
   */
  pump(now: Millis): MultipathError | undefined {
    this.#now = now
    try {
      this.#pump()
      return undefined
    } catch (error) {
      if (error instanceof MultipathError) return error
      throw error
    }
  }

  #pump(): void {
    const now = this.#now
    const fit = this.#fitness.review(this.#subflows, now)
    if (this.#peerWindow.probeAt <= now) this.#sendProbe(fit)
    if (fit.length === 0) return
    while (this.#resendOne(fit) || this.#shareOne(fit) || this.#sendOne(fit));
    if (this.#buffer.bytes > 0 && this.#isBlockedByHead()) this.#advanceHead(fit)
    if ((this.#buffer.bytes === 0 && now > this.#bulkUntil) || !this.#peerWindow.allows(this.unackedFrames))
      this.#markAppLimited(fit)
    // A path that has just reached its cap is out of the choice: what waits for it is the others'.
    if (!fit.every(isFit)) this.#pump()
  }

  #hasRoom = (subflow: Subflow): boolean =>
    subflow.hasRoom && subflow.path.leftBytes > 0 && subflow.path.readyAt(this.#now) <= this.#now

  /** Bytes that wait; without an end while the application is held back. */
  get #queuedBytes(): number {
    return this.#now <= this.#bulkUntil ? Infinity : this.#buffer.bytes
  }

  #snapshot(fit: readonly Subflow[], queuedBytes: number): Snapshot<Subflow> {
    return {
      subflows: openTiers(fit, queuedBytes, this.#hasRoom),
      queuedBytes,
      unackedBytes: this.#unacked.bytes,
      lastId: this.#lastId,
      hasRoom: this.#hasRoom,
    }
  }

  /** The scheduler may be a user's. */
  #choose(snapshot: Snapshot<Subflow>): Subflow | undefined {
    const chosen = asked(() => this.#scheduler.choose(snapshot))
    if (chosen === undefined || (snapshot.subflows.includes(chosen) && this.#hasRoom(chosen))) return chosen
    throw schedulerError(`${this.#scheduler.name} chose a subflow that is not there or has no room`)
  }

  #resendOne(fit: readonly Subflow[]): boolean {
    const inFlight = this.#unacked.count - this.#resends.length
    if (this.#resends.length === 0 || !this.#peerWindow.allowsResend(inFlight)) return false
    const frame = this.#resends.first()
    if (frame === undefined) return false
    const able = fit.filter(({ path }) => path.leftBytes >= frame.size)
    // Queued resends are urgent: everything behind them waits. No waiting for a faster subflow either.
    const subflow = able.length === 0 ? undefined : this.#choose(this.#snapshot(able, Infinity))
    if (subflow === undefined) return false
    this.#resends.take((candidate) => candidate === frame)
    this.#send(frame, subflow, frame.sends === 0 ? 'first' : 'again')
    return true
  }

  /** Sends the next copy that is due on whichever subflow has room, the lowest number first. */
  #shareOne(fit: readonly Subflow[]): boolean {
    if (!this.#unacked.hasShared || this.#peerWindow.isStopped) return false
    for (const subflow of openTiers(fit, 0, this.#hasRoom)) {
      const frame = this.#hasRoom(subflow) ? this.#nextShared(subflow) : undefined
      if (frame === undefined) continue
      this.#resends.take((candidate) => candidate === frame)
      this.#send(frame, subflow, 'copy')
      return true
    }
    return false
  }

  #nextShared(subflow: Subflow): SentFrame | undefined {
    for (;;) {
      const frame = this.#unacked.sharedFrom(subflow.nextShared)
      if (frame === undefined) return undefined
      subflow.nextShared = frame.fn + 1
      if (!frame.carriers.has(subflow) && frame.size <= subflow.path.leftBytes) return frame
    }
  }

  #sendOne(fit: readonly Subflow[]): boolean {
    if (this.#buffer.bytes === 0 || this.#unacked.isFull || !this.#peerWindow.allows(this.unackedFrames))
      return false
    const snapshot = this.#snapshot(fit, this.#queuedBytes)
    const subflow = this.#choose(snapshot)
    if (subflow === undefined) {
      if (snapshot.subflows.some(this.#hasRoom)) this.waits++
      return false
    }
    const isShared = asked(() => this.#scheduler.isShared?.(snapshot)) === true
    const bytes = subflow.window.frameBytes(this.#options.maxFrameBytes)
    const frame = this.#unacked.add(this.#buffer.take(Math.min(bytes, subflow.path.leftBytes)))
    if (isShared) this.#unacked.share(frame)
    subflow.served += frame.size / subflow.weight
    this.#lastId = subflow.id
    this.#send(frame, subflow, 'first')
    return true
  }

  #isBlockedByHead(): boolean {
    return this.#unacked.isFull && this.#resends.length === 0
  }

  /** Everybody waits for the lowest frame: send it again on a faster subflow that has room, once. */
  #advanceHead(fit: readonly Subflow[]): void {
    const head = this.#unacked.lowest()
    if (head === undefined) return
    const carrierRtt = Math.min(...[...head.carriers].map((carrier) => carrier.smoothedRttMs))
    const faster = openTiers(fit, Infinity, this.#hasRoom).filter(
      (subflow) =>
        this.#hasRoom(subflow) &&
        subflow.smoothedRttMs < carrierRtt / 2 &&
        head.size <= subflow.path.leftBytes,
    )
    const best = faster.sort((a, b) => a.smoothedRttMs - b.smoothedRttMs)[0]
    if (best !== undefined) this.#send(head, best, 'again')
  }

  #send(frame: SentFrame, subflow: Subflow, sending: Sending): void {
    const now = this.#now
    const stamp = subflow.window.stamp(now, subflow.inFlightBytes)
    subflow.flights.set(frame.fn, {
      frame,
      sentAt: now,
      wasIdle: subflow.inFlightBytes === 0,
      ...stamp,
    })
    subflow.inFlightBytes += frame.size
    subflow.path.spend(frame.size, now)
    frame.carriers.add(subflow)
    frame.sends++
    for (const piece of frame.wire) subflow.outbox.push(piece)
    subflow.count(frame.size, sending)
  }

  /** While the receiver is full or holds us, the lowest frame asks from time to time whether it still is. */
  #sendProbe(fit: readonly Subflow[]): void {
    const open = fit.filter((subflow) => !subflow.isBlocked)
    const best = open.sort((a, b) => a.smoothedRttMs - b.smoothedRttMs)[0]
    if (best === undefined) {
      this.#peerWindow.postponed(this.#now)
      return
    }
    const frame = this.#unacked.lowest() ?? this.#cutProbe(best.path.leftBytes)
    this.#peerWindow.probed(this.#now)
    if (frame === undefined || (frame.carriers.has(best) && best.flights.has(frame.fn))) return
    if (frame.size > best.path.leftBytes) return
    this.#resends.take((candidate) => candidate === frame)
    this.#journeys.probe = frame
    this.#send(frame, best, frame.sends === 0 ? 'first' : 'again')
  }

  #cutProbe(leftBytes: number): SentFrame | undefined {
    if (this.#buffer.bytes === 0) return undefined
    return this.#unacked.add(this.#buffer.take(Math.min(PROBE_FRAME_BYTES, leftBytes)))
  }

  #markAppLimited(fit: readonly Subflow[]): void {
    for (const subflow of fit)
      if (this.#hasRoom(subflow)) subflow.window.markAppLimited(subflow.inFlightBytes)
  }
}

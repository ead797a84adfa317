/** Cuts frames out of what the application wrote, binds them to subflows, and keeps them until acked. */
import type { Millis } from '../clock.js'
import { encodeDataHeader } from '../wire/frame.js'
import { FIRST_FRAME } from '../wire/limits.js'
import { ByteQueue } from './byte-queue.js'
import type { Flight, SentFrame } from './frames.js'
import { ResendQueue } from './frames.js'
import type { ResolvedConnOptions } from './options.js'
import { PeerWindow } from './peer-window.js'
import type { Scheduler, Snapshot } from './scheduler.js'
import type { Subflow } from './subflow.js'

/** An application that was held back writes on within this time, milliseconds, if it has more. */
const REFILL_MS = 10
/** Numbers between the lowest unacked frame and the next new one: a Go receiver drops what is 4,096 ahead. */
const MAX_SPAN = 3072
/** Payload of a frame that only asks whether the receiver takes frames again. */
const PROBE_FRAME_BYTES = 1400

export class Sender {
  readonly peerWindow: PeerWindow = new PeerWindow()
  readonly #options: ResolvedConnOptions
  readonly #subflows: readonly Subflow[]
  readonly #scheduler: Scheduler
  readonly #buffer = new ByteQueue()
  readonly #frames = new Map<number, SentFrame>()
  readonly #resends = new ResendQueue()
  #nextFn = FIRST_FRAME
  #lastId: number | undefined
  #unackedBytes = 0
  #probe: SentFrame | undefined
  /** Until when more is sure to come: the application was told to wait, or has just been let go. */
  #bulkUntil: Millis = -Infinity
  lastAckAt: Millis = 0

  constructor(subflows: readonly Subflow[], scheduler: Scheduler, options: ResolvedConnOptions) {
    this.#subflows = subflows
    this.#scheduler = scheduler
    this.#options = options
  }

  /** Bytes that wait for a frame. */
  get bufferedBytes(): number {
    return this.#buffer.bytes
  }

  get unackedBytes(): number {
    return this.#unackedBytes
  }

  get unackedFrames(): number {
    return this.#frames.size
  }

  /** Nothing that was written is on its way any more. */
  get isFlushed(): boolean {
    return this.#buffer.bytes === 0 && this.#frames.size === 0
  }

  get hasRoom(): boolean {
    return this.#buffer.bytes < this.#options.sendBufferBytes
  }

  write(bytes: Uint8Array): void {
    this.#buffer.append(bytes)
  }

  /** Whether the application waits for room. Let go at `now`, it gets a moment to write on. */
  setHeldBack(isHeldBack: boolean, now: Millis): void {
    this.#bulkUntil = isHeldBack ? Infinity : now + REFILL_MS
  }

  /** Forgets everything: the connection is over. */
  clear(): void {
    this.#buffer.clear()
    this.#frames.clear()
    this.#resends.drop(() => true)
    this.#unackedBytes = 0
  }

  /** An ack counts on whichever subflow it comes; of numbers never sent it is ignored, as by Go. */
  acked(subflow: Subflow, fn: number, now: Millis): void {
    const flight = subflow.flights.get(fn)
    if (flight === undefined) {
      const frame = this.#frames.get(fn)
      if (frame !== undefined) this.#finish(frame, now)
      return
    }
    const wasFull = subflow.inFlightBytes >= subflow.window.bytes
    this.#passOver(subflow, fn, now)
    this.#land(subflow, flight)
    const isTrusted = flight.sentAt >= subflow.trustSamplesFrom
    if (isTrusted) subflow.sampleRtt(now - flight.sentAt, now, flight.wasIdle)
    subflow.window.acked(flight, { now, wasFull, isTrusted })
    if (!flight.frame.isAcked) this.#finish(flight.frame, now)
  }

  /** Acks come in the order of arrival: what left earlier and is not acked now was dropped by the receiver. */
  #passOver(subflow: Subflow, fn: number, now: Millis): void {
    for (const [earlier, flight] of subflow.flights) {
      if (earlier === fn) return
      this.#refused(subflow, flight, now)
    }
  }

  /** Frames that left before `sentAt` met an open ear and got no ack: the receiver's window is full. */
  refuseBefore(subflow: Subflow, sentAt: Millis, now: Millis): void {
    for (const flight of subflow.flights.values()) {
      if (flight.sentAt >= sentAt) return
      this.#refused(subflow, flight, now)
    }
  }

  #refused(subflow: Subflow, flight: Flight, now: Millis): void {
    this.#land(subflow, flight)
    flight.frame.carriers.delete(subflow)
    if (flight.frame.isAcked) return
    this.peerWindow.refused(now)
    if (!this.#isCarriedElsewhere(flight.frame, subflow)) this.#resends.add(flight.frame)
  }

  #land(subflow: Subflow, flight: Flight): void {
    subflow.flights.delete(flight.frame.fn)
    subflow.inFlightBytes -= flight.frame.size
  }

  #finish(frame: SentFrame, now: Millis): void {
    frame.isAcked = true
    this.#frames.delete(frame.fn)
    this.#unackedBytes -= frame.size
    this.lastAckAt = now
    this.peerWindow.acked(frame === this.#probe)
    if (frame === this.#probe) this.#probe = undefined
  }

  /** The subflow is gone: what it carried goes out again. */
  lost(subflow: Subflow): void {
    this.suspect(subflow)
    for (const flight of subflow.flights.values()) flight.frame.carriers.delete(subflow)
    subflow.flights.clear()
    subflow.inFlightBytes = 0
  }

  /** The subflow is silent: what only it carries goes out again elsewhere. */
  suspect(subflow: Subflow): void {
    for (const { frame } of subflow.flights.values())
      if (!this.#isCarriedElsewhere(frame, subflow)) this.#resends.add(frame)
  }

  #isCarriedElsewhere(frame: SentFrame, than: Subflow): boolean {
    for (const carrier of frame.carriers) if (carrier !== than && carrier.state === 'up') return true
    return false
  }

  /** The subflow showed life: what it carries and has not gone out again yet need not. */
  recovered(subflow: Subflow): void {
    this.#resends.drop((frame) => frame.carriers.has(subflow))
  }

  /** Hands frames to subflows until nothing is left or nobody has room. */
  pump(now: Millis): void {
    const fit = this.#subflows.filter((subflow) => subflow.state === 'up')
    if (this.peerWindow.probeAt <= now) this.#sendProbe(fit, now)
    if (fit.length === 0) return
    while (this.#resendOne(fit, now) || this.#sendOne(fit, now));
    if (this.#buffer.bytes > 0 && this.#isBlockedByHead()) this.#advanceHead(fit, now)
    if ((this.#buffer.bytes === 0 && now > this.#bulkUntil) || !this.peerWindow.allows(this.unackedFrames))
      this.#markAppLimited(fit)
  }

  #hasRoom = (subflow: Subflow): boolean => !subflow.isBlocked && subflow.inFlightBytes < subflow.window.bytes

  #snapshot(subflows: readonly Subflow[], queuedBytes: number): Snapshot<Subflow> {
    return { subflows, queuedBytes, lastId: this.#lastId, hasRoom: this.#hasRoom }
  }

  #resendOne(fit: readonly Subflow[], now: Millis): boolean {
    const inFlight = this.#frames.size - this.#resends.length
    if (this.#resends.length === 0 || !this.peerWindow.allowsResend(inFlight)) return false
    const frame = this.#resends.first()
    if (frame === undefined) return false
    // Queued resends are urgent: everything behind them waits. No waiting for a faster subflow either.
    const subflow = this.#scheduler.choose(this.#snapshot(fit, Infinity))
    if (subflow === undefined) return false
    this.#resends.take((candidate) => candidate === frame)
    this.#send(frame, subflow, now)
    return true
  }

  #sendOne(fit: readonly Subflow[], now: Millis): boolean {
    if (this.#buffer.bytes === 0 || this.#isFull() || !this.peerWindow.allows(this.unackedFrames))
      return false
    const queued = now <= this.#bulkUntil ? Infinity : this.#buffer.bytes
    const subflow = this.#scheduler.choose(this.#snapshot(fit, queued))
    if (subflow === undefined) return false
    this.#send(this.#cut(subflow.window.frameBytes(this.#options.maxFrameBytes)), subflow, now)
    return true
  }

  #isFull(): boolean {
    return (
      this.#unackedBytes >= this.#options.maxUnackedBytes ||
      this.#frames.size >= this.#options.maxUnackedFrames ||
      this.#isSpanFull()
    )
  }

  /** Distance from the lowest unacked frame, which a Go receiver bounds. */
  #isSpanFull(): boolean {
    const lowest = this.#lowest()
    return lowest !== undefined && this.#nextFn - lowest.fn >= MAX_SPAN
  }

  #lowest(): SentFrame | undefined {
    return this.#frames.values().next().value
  }

  #isBlockedByHead(): boolean {
    return this.#isFull() && this.#resends.length === 0
  }

  /** Everybody waits for the lowest frame: send it again on a faster subflow that has room, once. */
  #advanceHead(fit: readonly Subflow[], now: Millis): void {
    const head = this.#lowest()
    if (head === undefined) return
    const carrierRtt = Math.min(...[...head.carriers].map((carrier) => carrier.smoothedRttMs))
    const faster = fit.filter((subflow) => this.#hasRoom(subflow) && subflow.smoothedRttMs < carrierRtt / 2)
    const best = faster.sort((a, b) => a.smoothedRttMs - b.smoothedRttMs)[0]
    if (best !== undefined) this.#send(head, best, now)
  }

  #cut(bytes: number): SentFrame {
    const pieces = this.#buffer.take(bytes)
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const fn = this.#nextFn++
    const frame: SentFrame = {
      fn,
      size,
      wire: [encodeDataHeader(size, fn), ...pieces],
      carriers: new Set(),
      sends: 0,
      isAcked: false,
      isQueued: false,
    }
    this.#frames.set(fn, frame)
    this.#unackedBytes += size
    return frame
  }

  #send(frame: SentFrame, subflow: Subflow, now: Millis): void {
    this.#lastId = subflow.id
    const stamp = subflow.window.stamp(now, subflow.inFlightBytes)
    subflow.flights.set(frame.fn, {
      frame,
      sentAt: now,
      wasIdle: subflow.inFlightBytes === 0,
      ...stamp,
    })
    subflow.inFlightBytes += frame.size
    frame.carriers.add(subflow)
    for (const piece of frame.wire) subflow.outbox.push(piece)
    subflow.count(frame.size, frame.sends++ === 0)
  }

  /** While the receiver is full or holds us, the lowest frame asks from time to time whether it still is. */
  #sendProbe(fit: readonly Subflow[], now: Millis): void {
    const open = fit.filter((subflow) => !subflow.isBlocked)
    const best = open.sort((a, b) => a.smoothedRttMs - b.smoothedRttMs)[0]
    if (best === undefined) {
      this.peerWindow.postponed(now)
      return
    }
    const frame = this.#lowest() ?? (this.#buffer.bytes > 0 ? this.#cut(PROBE_FRAME_BYTES) : undefined)
    this.peerWindow.probed(now)
    if (frame === undefined || (frame.carriers.has(best) && best.flights.has(frame.fn))) return
    this.#resends.take((candidate) => candidate === frame)
    this.#probe = frame
    this.#send(frame, best, now)
  }

  #markAppLimited(fit: readonly Subflow[]): void {
    for (const subflow of fit)
      if (this.#hasRoom(subflow)) subflow.window.markAppLimited(subflow.inFlightBytes)
  }
}

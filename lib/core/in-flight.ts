// SPDX-License-Identifier: Apache-2.0
/** The ledger of what is in flight: frames from their cutting until their ack, where each flies, and which must leave again. */
import type { Millis } from '../clock.js'
import type { Have } from '../wire/have.js'
import type { Flight, SentFrame } from './flight.js'
import type { ResolvedConnOptions } from './options.js'
import { PeerWindow } from './peer-window.js'
import { RetransmitQueue } from './retransmit-queue.js'
import type { WindowFrame } from './send-window.js'
import { SendWindow } from './send-window.js'
import type { Subflow } from './subflow.js'
import type { Sending } from './tracker.js'
import { ACK_WORTH_BYTES } from './abuse-limiter.js'

/** This many bytes may be hedged beside the share of the acked bytes: for small messages, and before much was acked. */
const HEDGE_FREE_BYTES = 262_144

export class InFlight {
  readonly peerWindow: PeerWindow = new PeerWindow()
  readonly #window: SendWindow
  readonly #hedgePercent: number
  readonly #retransmits = new RetransmitQueue()
  /** The frame that asks whether the receiver takes frames again. */
  #probe: SentFrame | undefined
  /** Subflows that are late, and whose frames are to go out again elsewhere. */
  #hedged: Set<Subflow> | undefined
  #hedgedBytes = 0
  #lastAckAt: Millis = 0
  #ackedBytes = 0
  #ackedFrames = 0

  constructor(options: ResolvedConnOptions) {
    this.#window = new SendWindow(options)
    this.#hedgePercent = options.hedgePercent
  }

  /** Payload bytes that are not acked, each once. */
  get bytes(): number {
    return this.#window.bytes
  }

  /** Frames that are not acked. */
  get count(): number {
    return this.#window.count
  }

  /** Number of the next frame that will be cut. */
  get nextFn(): number {
    return this.#window.nextFn
  }

  /** No frame may be cut until some are acked. */
  get isFull(): boolean {
    return this.#window.isFull
  }

  /** Whether a frame may be cut, counting `stuckBytes`: acked, but still held by our sockets. */
  hasRoomBeside(stuckBytes: number): boolean {
    return !this.isFull && this.#window.hasRoomBeside(stuckBytes)
  }

  /** Payload bytes that the peer takes beyond what was cut. */
  get peerRoomBytes(): number {
    return this.peerWindow.roomAfter(this.#window.cutBytes)
  }

  /** Some frames are to go out on every path. */
  get hasShared(): boolean {
    return this.#window.hasShared
  }

  /** Frames that must leave again. */
  get retransmits(): number {
    return this.#retransmits.length
  }

  get lastAckAt(): Millis {
    return this.#lastAckAt
  }

  /** Payload that left again although the path that carries it was not suspect. */
  get hedgedBytes(): number {
    return this.#hedgedBytes
  }

  /** Payload acked so far, each byte once. */
  get ackedBytes(): number {
    return this.#ackedBytes
  }

  /** Grows with all that the peer takes. */
  get progress(): number {
    return this.#ackedBytes + this.#ackedFrames * ACK_WORTH_BYTES
  }

  /** Makes a frame of `pieces`. */
  cut(pieces: readonly Uint8Array[]): SentFrame {
    return this.#window.add(pieces)
  }

  /** Every path is to carry the frame. */
  share(frame: SentFrame): void {
    this.#window.share(this.#window.get(frame.fn)!)
  }

  /** The frame for which everything behind it waits. */
  lowest(): SentFrame | undefined {
    return this.#window.lowest()
  }

  /** The lowest frame that must leave again. */
  nextRetransmit(): SentFrame | undefined {
    return this.#retransmits.first()
  }

  /** The lowest shared frame from number `fn` on. */
  sharedFrom(fn: number): SentFrame | undefined {
    return this.#window.sharedFrom(fn)
  }

  /** The frame leaves on `subflow`; one that was waiting to leave again waits no longer. */
  depart(sent: SentFrame, subflow: Subflow, sending: Sending, now: Millis): void {
    const frame = this.#window.get(sent.fn)!
    this.#retransmits.remove(frame)
    const isHedge = sending === 'again' && isCarriedElsewhere(frame, subflow)
    if (isHedge) this.#hedgedBytes += frame.size
    frame.carriers.add(subflow)
    frame.sends++
    fly(frame, subflow, isHedge ? 'copy' : sending, now)
  }

  /** The frame, which is about to leave, asks whether the receiver takes frames again. */
  probeWith(frame: SentFrame): void {
    this.#probe = frame
  }

  /**
   * An ack counts on whichever subflow it comes; of numbers never sent it is ignored, as by Go.
   *
   * @returns whether it told anything
   */
  acked(subflow: Subflow, fn: number, now: Millis): boolean {
    const frame = this.#window.get(fn)
    const flight = subflow.flights.get(fn)
    if (flight !== undefined) this.#arrived(subflow, flight, now)
    if (frame !== undefined) this.#finish(frame, now)
    return flight !== undefined || frame !== undefined
  }

  /** All frames before number `nextFrame` have arrived, whatever has become of their acks. */
  ackedBefore(nextFrame: number, now: Millis): void {
    const window = this.#window
    for (let frame = window.lowest(); frame !== undefined && frame.fn < nextFrame; frame = window.lowest())
      this.#finish(frame, now)
  }

  /** What the peer has received, whatever has become of its acks. */
  have({ nextFrame, ranges }: Have, now: Millis): void {
    this.ackedBefore(nextFrame, now)
    const first = this.lowest()?.fn ?? Infinity
    for (const [from, to] of ranges) {
      // Whatever the peer says: no other frames are looked for.
      const behind = Math.min(to, this.nextFn)
      for (let fn = Math.max(from, first); fn < behind; fn++) {
        const frame = this.#window.get(fn)
        if (frame !== undefined) this.#finish(frame, now)
      }
    }
  }

  #arrived(subflow: Subflow, flight: Flight, now: Millis): void {
    this.#passOver(subflow, flight, now)
    subflow.flights.acked(flight, now)
    if (this.#hedged?.delete(subflow) === true) this.recovered(subflow)
    subflow.traffic.acked(flight.frame.size)
    const isTrusted = flight.sentAt >= subflow.trustSamplesFrom
    if (isTrusted) {
      subflow.sampleRtt(now - flight.sentAt, now, flight.wasIdle)
      subflow.forecast.landed(flight, now)
      subflow.repairs.acked(flight.sentAt, now, subflow.rtt.min)
    }
    subflow.window.acked(flight, { now, isTrusted })
  }

  /** Acks come in the order of arrival: what left earlier and is not acked now was dropped by the receiver. */
  #passOver(subflow: Subflow, acked: Flight, now: Millis): void {
    for (const flight of subflow.flights.values()) {
      if (flight === acked) return
      this.#dropped(subflow, flight, now)
    }
  }

  /** Frames that left before `sentAt` met an open ear and got no ack: the receiver's window is full. */
  droppedBefore(subflow: Subflow, sentAt: Millis, now: Millis): void {
    for (const flight of subflow.flights.values()) {
      if (flight.sentAt >= sentAt) return
      this.#dropped(subflow, flight, now)
    }
  }

  #dropped(subflow: Subflow, flight: Flight, now: Millis): void {
    subflow.flights.remove(flight)
    const frame = this.#unacked(flight)
    if (frame === undefined) return
    frame.carriers.delete(subflow)
    this.peerWindow.dropped(now)
    if (!isCarriedElsewhere(frame, subflow)) this.#retransmits.add(frame)
  }

  /** The frame of a flight, unless an ack has come for it on another subflow. */
  #unacked({ frame }: Flight): WindowFrame | undefined {
    return this.#window.get(frame.fn)
  }

  #finish(frame: WindowFrame, now: Millis): void {
    for (const carrier of frame.carriers) carrier.carriedAcked(frame.size)
    this.#window.acked(frame)
    this.#retransmits.remove(frame)
    this.#lastAckAt = now
    this.#ackedBytes += frame.size
    this.#ackedFrames++
    this.peerWindow.acked(frame === this.#probe)
    if (frame === this.#probe) this.#probe = undefined
  }

  /** The subflow is silent: what only it carries goes out again elsewhere. */
  suspect(subflow: Subflow): void {
    for (const flight of subflow.flights.values()) {
      const frame = this.#unacked(flight)
      if (frame !== undefined && !isCarriedElsewhere(frame, subflow)) this.#retransmits.add(frame)
    }
  }

  /** The subflow is late: `flights` of it, which only it carries, go out again elsewhere, once, unless it delivers first. */
  hedge(subflow: Subflow, flights: Iterable<Flight>): void {
    let leftBytes = this.#hedgeLimitBytes - this.#hedgedBytes
    for (const flight of flights) {
      const frame = this.#unacked(flight)
      if (frame?.sends !== 1 || isCarriedElsewhere(frame, subflow)) continue
      leftBytes -= frame.size
      if (leftBytes < 0) break
      this.#retransmits.add(frame)
    }
    this.#hedged ??= new Set()
    this.#hedged.add(subflow)
  }

  /** The limit of the bytes that are hedged in all. */
  get #hedgeLimitBytes(): number {
    return this.#hedgePercent === 0 ? 0 : HEDGE_FREE_BYTES + (this.#hedgePercent / 100) * this.#ackedBytes
  }

  /** The frame is under way where it is, and can leave nowhere else: it need not leave again. */
  forgo(frame: SentFrame): true {
    this.#retransmits.remove(frame)
    return true
  }

  /** The subflow showed life: what it carries and has not left again yet need not. */
  recovered(subflow: Subflow): void {
    this.#retransmits.removeWhere((frame) => frame.carriers.has(subflow))
  }

  /** The subflow is gone: what only it carried goes out again. */
  lost(subflow: Subflow): void {
    this.suspect(subflow)
    for (const flight of subflow.flights.values()) this.#unacked(flight)?.carriers.delete(subflow)
    subflow.flights.clear()
    this.#hedged?.delete(subflow)
  }

  /** Forgets everything: the connection is over. */
  clear(): void {
    this.#window.clear()
    this.#retransmits.removeWhere(() => true)
  }
}

/** A frame leaves on `subflow`, and its flight begins: one of the ledger's, or one of another kind, which has a number of its own. */
export function fly(frame: SentFrame, subflow: Subflow, sending: Sending, now: Millis): void {
  const { flights, window, path } = subflow
  const wasIdle = flights.bytes === 0
  const expectedMs = subflow.forecast.ackMs(now)
  flights.add({ frame, sentAt: now, wasIdle, expectedMs, ...window.stamp(now, flights.bytes, frame.size) })
  path.spend(frame.size, now)
  subflow.send(frame, sending)
}

function isCarriedElsewhere(frame: SentFrame, than: Subflow): boolean {
  for (const carrier of frame.carriers) if (carrier !== than && carrier.state === 'up') return true
  return false
}

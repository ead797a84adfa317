// SPDX-License-Identifier: Apache-2.0
/** What is on its way: frames from their first departure until their ack, and those that must leave again. */
import type { Millis } from '../clock.js'
import type { Flight, SentFrame } from './frames.js'
import { ResendQueue } from './frames.js'
import type { ResolvedConnOptions } from './options.js'
import { PeerWindow } from './peer-window.js'
import type { Subflow } from './subflow.js'
import { Unacked } from './unacked.js'
import { ACK_WORTH_BYTES } from './waste.js'

export class Journeys {
  readonly peerWindow: PeerWindow = new PeerWindow()
  readonly unacked: Unacked
  readonly resends: ResendQueue = new ResendQueue()
  /** The frame that asks whether the receiver takes frames again. */
  probe: SentFrame | undefined
  lastAckAt: Millis = 0
  /** Payload acked so far, each byte once. */
  ackedBytes = 0
  ackedFrames = 0

  constructor(options: ResolvedConnOptions) {
    this.unacked = new Unacked(options)
  }

  /** Forgets everything: the connection is over. */
  clear(): void {
    this.unacked.clear()
    this.resends.drop(() => true)
  }

  /** Grows with all that the peer takes. */
  get progress(): number {
    return this.ackedBytes + this.ackedFrames * ACK_WORTH_BYTES
  }

  /**
   * An ack counts on whichever subflow it comes; of numbers never sent it is ignored, as by Go.
   *
   * @returns whether it told anything
   */
  acked(subflow: Subflow, fn: number, now: Millis): boolean {
    const flight = subflow.flights.get(fn)
    if (flight === undefined) {
      const frame = this.unacked.get(fn)
      if (frame !== undefined) this.#finish(frame, now)
      return frame !== undefined
    }
    const wasFull = subflow.inFlightBytes >= subflow.window.bytes
    this.#passOver(subflow, fn, now)
    this.#land(subflow, flight)
    subflow.counters.bytesAcked += flight.frame.size
    const isTrusted = flight.sentAt >= subflow.trustSamplesFrom
    if (isTrusted) subflow.sampleRtt(now - flight.sentAt, now, flight.wasIdle)
    subflow.window.acked(flight, { now, wasFull, isTrusted })
    if (!flight.frame.isAcked) this.#finish(flight.frame, now)
    return true
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
    if (!this.#isCarriedElsewhere(flight.frame, subflow)) this.resends.add(flight.frame)
  }

  #land(subflow: Subflow, flight: Flight): void {
    subflow.flights.delete(flight.frame.fn)
    subflow.inFlightBytes -= flight.frame.size
  }

  #finish(frame: SentFrame, now: Millis): void {
    this.unacked.acked(frame)
    this.lastAckAt = now
    this.ackedBytes += frame.size
    this.ackedFrames++
    this.peerWindow.acked(frame === this.probe)
    if (frame === this.probe) this.probe = undefined
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
      if (!this.#isCarriedElsewhere(frame, subflow)) this.resends.add(frame)
  }

  #isCarriedElsewhere(frame: SentFrame, than: Subflow): boolean {
    for (const carrier of frame.carriers) if (carrier !== than && carrier.state === 'up') return true
    return false
  }

  /** The subflow showed life: what it carries and has not gone out again yet need not. */
  recovered(subflow: Subflow): void {
    this.resends.drop((frame) => frame.carriers.has(subflow))
  }
}

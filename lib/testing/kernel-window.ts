// SPDX-License-Identifier: Apache-2.0
/** How much a sender's kernel puts on its path: what its congestion control has to know, and what all of them share. */
import type { Millis } from '../clock.js'

/** Payload of a full TCP segment on Ethernet, bytes. */
export const SEGMENT_BYTES = 1448
export const INITIAL_BYTES: number = 10 * SEGMENT_BYTES

/** What is remembered of a segment under way. */
export interface Departure {
  readonly bytes: number
  readonly sentAt: Millis
  readonly delivered: number
  readonly deliveredAt: Millis
  /** When what was acked last before it had left. */
  readonly firstSentAt: Millis
  /** There was too little to send: it may have gone faster. */
  readonly isStarved: boolean
}

export abstract class KernelWindow {
  /** Sent, and neither acked nor known to be lost. */
  protected inFlight = 0
  protected minRtt: Millis = Infinity
  #starvedUntil = -1
  #delivered = 0
  #deliveredAt: Millis = 0
  #firstSentAt: Millis = 0

  /** Bytes that may leave now; 0 where none may. */
  protected abstract room(now: Millis): number
  /** When pacing lets the next segment go. */
  abstract get paceAt(): Millis
  /** What it sends is decided by a model of the path, not by losses. */
  get isModelBased(): boolean {
    return false
  }
  /** Losses are being repaired: nothing waits for more. */
  protected get isRecovering(): boolean {
    return false
  }

  /**
   * Whole packets that may leave at once now, of `bytes` that wait; 0 where none may. While acks are still to come, few
   * wait for more, as with TSO.
   */
  burst(bytes: number, now: Millis): number {
    const room = this.room(now)
    const least = this.isRecovering ? 0 : Math.min(bytes, (room + this.inFlight) / 3)
    if (room < Math.max(SEGMENT_BYTES, least)) return 0
    return Math.min(bytes, room - (room % SEGMENT_BYTES))
  }

  sent(bytes: number, now: Millis): Departure {
    if (this.inFlight === 0) this.#deliveredAt = this.#firstSentAt = now
    this.inFlight += bytes
    return {
      bytes,
      sentAt: now,
      delivered: this.#delivered,
      deliveredAt: this.#deliveredAt,
      firstSentAt: this.#firstSentAt,
      isStarved: this.#delivered < this.#starvedUntil,
    }
  }

  acked(departure: Departure, now: Millis): void {
    const { bytes, sentAt, delivered, deliveredAt, firstSentAt } = departure
    this.inFlight = Math.max(0, this.inFlight - bytes)
    this.#delivered += bytes
    this.#deliveredAt = now
    this.#firstSentAt = sentAt
    // Neither faster than it left nor than it was acked, as Linux has it.
    const rate = (this.#delivered - delivered) / Math.max(now - deliveredAt, sentAt - firstSentAt, 0.01)
    this.onAck(departure, now - sentAt, rate, now)
  }

  lost(departure: Departure, now: Millis): void {
    this.inFlight = Math.max(0, this.inFlight - departure.bytes)
    this.onLoss(departure, now)
  }

  /** There was room, and nothing to send. */
  starved(): void {
    this.#starvedUntil = this.#delivered + this.inFlight + 1
  }

  /** The retransmission timer has expired, or the link has swallowed everything: all is sent anew. */
  collapsed(): void {
    this.inFlight = 0
  }

  protected abstract onAck(departure: Departure, rtt: Millis, rate: number, now: Millis): void
  protected abstract onLoss(departure: Departure, now: Millis): void
}

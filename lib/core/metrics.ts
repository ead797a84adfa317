// SPDX-License-Identifier: Apache-2.0
/** What a connection holds, and has counted so far, for whoever watches it. */
import type { Millis } from '../clock.js'
import type { Eligibility } from './eligibility.js'
import type { InFlight } from './in-flight.js'
import type { Receiver } from './receiver.js'
import type { Sender } from './sender.js'
import type { Subflow } from './subflow.js'

export class Metrics {
  readonly #sender: Sender
  readonly #inFlight: InFlight
  readonly #receiver: Receiver

  constructor(sender: Sender, inFlight: InFlight, receiver: Receiver) {
    this.#sender = sender
    this.#inFlight = inFlight
    this.#receiver = receiver
  }

  /** Name of the scheduler in use. */
  get scheduler(): string {
    return this.#sender.scheduler.name
  }

  /** Whether a new frame may leave on `subflow` at `now`, and if not, why not. */
  eligibility(subflow: Subflow, now: Millis): Eligibility {
    return this.#sender.eligibility(subflow, now)
  }

  /** Bytes written that no frame has been made of. */
  get queuedBytes(): number {
    return this.#sender.bufferedBytes
  }

  /** Bytes sent and not acked, without copies. */
  get unackedBytes(): number {
    return this.#inFlight.bytes
  }

  /** Bytes acked so far, each once. */
  get ackedBytes(): number {
    return this.#inFlight.ackedBytes
  }

  /** How often the scheduler left a subflow with room alone, to wait for another. */
  get waits(): number {
    return this.#sender.waits
  }

  /** Bytes in order that the reader has not taken. */
  get unreadBytes(): number {
    return this.#receiver.window.unreadBytes
  }

  /** Bytes that wait for a missing frame. */
  get heldBytes(): number {
    return this.#receiver.window.heldBytes
  }

  /** Bytes that the reader has taken so far. */
  get readBytes(): number {
    return this.#receiver.window.takenBytes
  }
}

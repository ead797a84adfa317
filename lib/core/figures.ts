// SPDX-License-Identifier: Apache-2.0
/** What a connection holds, and has counted so far, for whoever watches it. */
import type { Journeys } from './journeys.js'
import type { Receiver } from './receiver.js'
import type { Sender } from './sender.js'

export class Figures {
  readonly #sender: Sender
  readonly #journeys: Journeys
  readonly #receiver: Receiver

  constructor(sender: Sender, journeys: Journeys, receiver: Receiver) {
    this.#sender = sender
    this.#journeys = journeys
    this.#receiver = receiver
  }

  /** Name of the scheduler in use. */
  get scheduler(): string {
    return this.#sender.scheduler.name
  }

  /** Bytes written that no frame has been made of. */
  get queuedBytes(): number {
    return this.#sender.bufferedBytes
  }

  /** Bytes sent and not acked, without copies. */
  get unackedBytes(): number {
    return this.#sender.unackedBytes
  }

  /** Bytes acked so far, each once. */
  get ackedBytes(): number {
    return this.#journeys.ackedBytes
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

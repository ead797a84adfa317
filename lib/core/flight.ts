// SPDX-License-Identifier: Apache-2.0
/** Data frames that were sent and are not acked yet, and their flights. `InFlight` alone writes them. */
import type { Millis } from '../clock.js'
import type { Subflow } from './subflow.js'

/** One data frame from its cutting until its ack. */
export interface SentFrame {
  readonly fn: number
  /** Payload, bytes. */
  readonly size: number
  /** Header and payload, ready to send again. */
  readonly wire: readonly Uint8Array[]
  /** Live subflows that the frame has been sent on. */
  readonly carriers: ReadonlySet<Subflow>
  /** How often it has been sent. */
  readonly sends: number
}

/** One flight of a frame over one subflow, with what BBR's rate samples need (delivery-rate draft, 3.2). */
export interface Flight {
  readonly frame: SentFrame
  readonly sentAt: Millis
  /** Bytes that the subflow had delivered when this left, and when the last of them was acked. */
  readonly delivered: number
  readonly deliveredAt: Millis
  /** When the first frame of this sampling period left. */
  readonly firstSentAt: Millis
  /** There was too little to send, so that the rate says nothing of the path. */
  readonly isAppLimited: boolean
  /** Nothing else was in flight on the subflow when this left. */
  readonly wasIdle: boolean
}

/** The flights under way on one subflow, in the order they left. */
export class Flights {
  readonly #byFn = new Map<number, Flight>()
  #bytes = 0

  /** Payload bytes under way. */
  get bytes(): number {
    return this.#bytes
  }

  /** Frames under way. */
  get count(): number {
    return this.#byFn.size
  }

  /** The flight that left first. */
  get oldest(): Flight | undefined {
    return this.#byFn.values().next().value
  }

  get(fn: number): Flight | undefined {
    return this.#byFn.get(fn)
  }

  has(fn: number): boolean {
    return this.#byFn.has(fn)
  }

  values(): IterableIterator<Flight> {
    return this.#byFn.values()
  }

  add(flight: Flight): void {
    this.#byFn.set(flight.frame.fn, flight)
    this.#bytes += flight.frame.size
  }

  remove({ frame }: Flight): void {
    if (this.#byFn.delete(frame.fn)) this.#bytes -= frame.size
  }

  clear(): void {
    this.#byFn.clear()
    this.#bytes = 0
  }
}

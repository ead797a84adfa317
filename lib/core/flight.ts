// SPDX-License-Identifier: Apache-2.0
/** Data frames that were sent and are not acked yet, and their flights. `InFlight` alone writes them. */
import type { Millis } from '../clock.js'
import type { DeliveryStamp } from './congestion/delivery-rate.js'
import type { SubflowState } from './health.js'
import { PassingMap } from './passing-map.js'

/** A subflow, as a frame knows it. */
export interface Carrier {
  readonly state: SubflowState
  readonly smoothedRttMs: number
  /** A frame of `bytes` that it carries was acked, on whichever subflow. */
  carriedAcked(bytes: number): void
}

/** One data frame from its cutting until its ack. */
export interface SentFrame {
  readonly fn: number
  /** Payload, bytes. */
  readonly size: number
  /** Header and payload, ready to send again. */
  readonly wire: readonly Uint8Array[]
  /** Live subflows that the frame has been sent on. */
  readonly carriers: ReadonlySet<Carrier>
  /** How often it has been sent. */
  readonly sends: number
}

/** One flight of a frame over one subflow. */
export interface Flight extends DeliveryStamp {
  readonly frame: SentFrame
  readonly sentAt: Millis
  /** Nothing else was in flight on the subflow when this left. */
  readonly wasIdle: boolean
  /** What its round trip was expected to be, milliseconds: forecast.ts learns from it. */
  readonly expectedMs: Millis
}

const NONE: ReadonlyMap<number, Flight> = new Map()

/** The flights under way on one subflow, in the order they left. */
export class Flights {
  #byFn: PassingMap<number, Flight> | undefined
  #bytes = 0
  #ackedAt: Millis = -Infinity

  /** When one of them was acked on its subflow at last. */
  get ackedAt(): Millis {
    return this.#ackedAt
  }

  /** Payload bytes under way. */
  get bytes(): number {
    return this.#bytes
  }

  /** Frames under way. */
  get count(): number {
    return this.#byFn?.size ?? 0
  }

  /** The flight that left first. */
  get oldest(): Flight | undefined {
    return this.#byFn?.values().next().value
  }

  get(fn: number): Flight | undefined {
    return this.#byFn?.get(fn)
  }

  has(fn: number): boolean {
    return this.#byFn?.has(fn) === true
  }

  values(): IterableIterator<Flight> {
    return (this.#byFn ?? NONE).values()
  }

  add(flight: Flight): void {
    this.#byFn ??= new PassingMap()
    this.#byFn.set(flight.frame.fn, flight)
    this.#bytes += flight.frame.size
  }

  remove({ frame }: Flight): void {
    if (this.#byFn?.delete(frame.fn) === true) this.#bytes -= frame.size
  }

  acked(flight: Flight, now: Millis): void {
    this.remove(flight)
    this.#ackedAt = now
  }

  clear(): void {
    this.#byFn?.clear()
    this.#bytes = 0
  }
}

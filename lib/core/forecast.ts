// SPDX-License-Identifier: Apache-2.0
/** When a path would deliver what leaves on it now. */
import type { Millis } from '../clock.js'
import type { Flight } from './flight.js'
import type { SmoothedRtt } from './congestion/rtt.js'

/** How much of the mean error of a round trip is learnt. */
const ERROR_STEP = 1 / 4

/** The parts of a subflow that a forecast needs. */
export interface Delivering {
  readonly rtt: SmoothedRtt
  /** Of what left while nothing else was in flight: no queue of our own is in it. */
  readonly idleRtt: SmoothedRtt
  readonly oldestFlight: Flight | undefined
  readonly inFlightBytes: number
  /** Delivery rate, bytes per millisecond. */
  readonly bytesPerMs: number
  readonly window: { transferMs(bytes: number): Millis }
}

export class Forecast {
  readonly #of: Delivering
  /** How much later acks have come than expected, milliseconds: repairs, and kernels that send less at a time than is in flight. */
  #errorMs: Millis = 0
  /** The same before the round trip under way; of that, the sum of its errors and how many there were, and when it began. */
  #earlierErrorMs: Millis = 0
  #sumMs: Millis = 0
  #count = 0
  #roundAt: Millis = -Infinity

  constructor(of: Delivering) {
    this.#of = of
  }

  /** When the ack of a frame that leaves now is expected by round trip and rate, milliseconds from now; Infinity while unknown. */
  ackMs(now: Millis): Millis {
    const { oldestFlight, inFlightBytes, window } = this.#of
    const { smoothed, variance } = this.#emptyRtt
    if (smoothed === undefined) return Infinity
    const roundTripMs = smoothed + variance
    if (oldestFlight === undefined) return roundTripMs
    const firstAckMs = Math.max(0, oldestFlight.sentAt + roundTripMs - now)
    return Math.max(roundTripMs, firstAckMs + window.transferMs(inFlightBytes))
  }

  /**
   * When the last of `bytes` that leave now is expected at the peer, milliseconds from now: the way there counts as half of a
   * round trip. What was learnt from errors says nothing of an empty path.
   */
  arrivalMs(bytes: number, now: Millis): Millis {
    const { oldestFlight, bytesPerMs } = this.#of
    const errorMs = oldestFlight === undefined ? 0 : this.#errorMs
    const transferMs = bytes === 0 ? 0 : bytes / bytesPerMs
    return this.ackMs(now) + errorMs - (this.#emptyRtt.smoothed ?? 0) / 2 + transferMs
  }

  /** Its ack has come. The mean of each round trip counts once: a pause delays all that is under way. */
  landed({ sentAt, expectedMs }: Flight, now: Millis): void {
    if (expectedMs === Infinity) return
    if (sentAt >= this.#roundAt) {
      this.#earlierErrorMs = this.#errorMs
      this.#sumMs = this.#count = 0
      this.#roundAt = now
    }
    this.#sumMs += now - sentAt - expectedMs
    this.#count++
    this.#errorMs = this.#earlierErrorMs + ERROR_STEP * (this.#sumMs / this.#count - this.#earlierErrorMs)
  }

  /** Without a queue of our own, as far as is known: a path may have become shorter since it was idle. */
  get #emptyRtt(): SmoothedRtt {
    const { idleRtt, rtt } = this.#of
    return (idleRtt.smoothed ?? Infinity) <= (rtt.smoothed ?? Infinity) ? idleRtt : rtt
  }
}

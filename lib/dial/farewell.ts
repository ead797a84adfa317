/**
 * Tells a peer that is closing from a path that failed. A Go peer closes the subflows of a connection one after
 * another, up to a second apart, and its listener still lets one join meanwhile: that one would be acked and
 * never read. Its sign is an end in order, which a path in good health otherwise never sees.
 */
import type { Clock, Millis } from '../clock.js'
import { sleep } from './timing.js'

/** A little more than the longest pause between two subflows that Go closes, milliseconds. Go: conn.go, Close. */
const PAUSE_MS = 1200

export class Farewell {
  readonly #clock: Clock
  #endsAt: Millis = -Infinity

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The peer has ended a subflow in order. */
  hear(): void {
    this.#endsAt = this.#clock.now() + PAUSE_MS
  }

  /** The peer may be closing: nobody must join. */
  get isOn(): boolean {
    return this.#clock.now() < this.#endsAt
  }

  /** Resolves when the peer has closed no more subflows for a while; rejects with the reason of `signal`. */
  async over(signal: AbortSignal): Promise<void> {
    while (this.isOn) await sleep(this.#clock, this.#endsAt - this.#clock.now(), signal)
  }
}

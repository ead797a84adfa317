// SPDX-License-Identifier: Apache-2.0
/**
 * Tells a peer that is closing from a path that failed. A Go peer closes the subflows of a connection one after
 * another, up to a second apart. One that joins meanwhile, or did just before, is not among them: its listener
 * keeps it, acks what it brings, answers its pings, but no longer reads or writes there. The sign is an end
 * in order, which a subflow in good health otherwise never sees; data that comes afterwards is the proof of life.
 */
import type { Clock, Millis } from '../clock.js'
import { sleep } from '../clock.js'
import type { Subflow } from '../core/subflow.js'

/** A little more than the longest pause between two subflows that Go closes, milliseconds. Go: conn.go, Close. */
const PAUSE_MS = 1200

/** Go closes a subflow only once it has had nothing to send on it for 33 ms; less what we may be late. Go: subflow.go, sendLoop. */
const QUIET_MS = 20

/** A subflow that lives, since when, and the data frames it had brought when the peer began to close. */
interface Witness {
  readonly joinedAt: Millis
  framesBefore: number
}

export class PeerCloseDetector {
  readonly #clock: Clock
  readonly #signal: AbortSignal
  readonly #forget: (subflow: Subflow) => void
  readonly #live = new Map<Subflow, Witness>()
  #beganAt: Millis = -Infinity
  #endsAt: Millis = -Infinity
  /** A subflow ended as Go closes one, and not amid what it brought, as when something on its way closes it. */
  #isLikely = false

  /**
   * @param signal - aborted when the connection is over
   * @param forget - closes a subflow that the peer has forgotten
   */
  constructor(clock: Clock, signal: AbortSignal, forget: (subflow: Subflow) => void) {
    this.#clock = clock
    this.#signal = signal
    this.#forget = forget
  }

  /** The first one brought the connection, so that the peer surely knows it. */
  joined(subflow: Subflow): void {
    this.#live.set(subflow, { joinedAt: subflow.id === 1 ? -Infinity : subflow.joinedAt, framesBefore: 0 })
  }

  left(subflow: Subflow): void {
    this.#live.delete(subflow)
  }

  /** A subflow has ended in order. */
  hear(ended: Subflow): void {
    const isNew = !this.isOn
    const now = this.#clock.now()
    this.#endsAt = now + PAUSE_MS
    this.#isLikely = (!isNew && this.#isLikely) || now - ended.lastHeardAt >= QUIET_MS
    if (!isNew) return
    this.#beganAt = now
    for (const [subflow, witness] of this.#live) witness.framesBefore = subflow.counters.framesReceived
    this.over(this.#signal).then(
      () => {
        this.#judge()
      },
      () => {}, // The connection is over.
    )
  }

  /** The peer may be closing: no subflow must join. */
  get isOn(): boolean {
    return this.#clock.now() < this.#endsAt
  }

  /** Resolves when the peer has closed no more subflows for a while; rejects with the reason of `signal`. */
  async over(signal: AbortSignal): Promise<void> {
    while (this.isOn) await sleep(this.#clock, this.#endsAt - this.#clock.now(), signal)
  }

  /** Only subflows are left that the peer may not have known, and none of them brings data: it has closed. */
  #judge(): void {
    if (!this.#isLikely) return
    const rest = [...this.#live]
    const isAlive = ([subflow, { joinedAt, framesBefore }]: [Subflow, Witness]): boolean =>
      joinedAt < this.#beganAt - PAUSE_MS || subflow.counters.framesReceived > framesBefore
    if (!rest.some(isAlive)) for (const [subflow] of rest) this.#forget(subflow)
  }
}

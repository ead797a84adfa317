// SPDX-License-Identifier: Apache-2.0
/**
 * The peer's reader waits for one frame of ours alone. Between paths of different length that is usual, so only where its path
 * is late by its own measure, and quiet, does what it carries leave again on others. The path is not suspected by that.
 */
import type { Millis } from '../clock.js'
import type { InFlight } from './in-flight.js'
import { lateAfterMs } from './lateness.js'
import type { Subflow } from './subflow.js'

/** An ack is late when it takes so much longer than usual, milliseconds, or four times the variance. */
const LATE_MS = 10
/** And nothing came in for so long, milliseconds, or for this share of the round trip. */
const QUIET_MS = 20
const QUIET_SHARE = 1 / 4

export class Starvation {
  readonly #subflows: readonly Subflow[]
  readonly #inFlight: InFlight
  #frame: number | undefined
  #heardAt: Millis = 0

  constructor(subflows: readonly Subflow[], inFlight: InFlight) {
    this.#subflows = subflows
    this.#inFlight = inFlight
  }

  /** The peer says that its reader waits for frame `fn` alone. */
  heard(fn: number, now: Millis): void {
    this.#frame = fn
    this.#heardAt = now
  }

  /** When what the frame's path carries leaves again, should nothing come in until then; Infinity for never. */
  get dueAt(): Millis {
    const carrier = this.#carrier()
    if (carrier === undefined) return Infinity
    const { sentAt } = carrier.flights.get(this.#frame!)!
    const usualMs = carrier.expectedRttMs
    const lateMs = lateAfterMs(carrier, LATE_MS)
    if (usualMs === undefined || lateMs === undefined) return Infinity
    const lateAt = sentAt + lateMs
    const quietAt = carrier.lastHeardAt + Math.max(QUIET_MS, usualMs * QUIET_SHARE)
    return Math.max(this.#heardAt, lateAt, quietAt)
  }

  /** Time has come to what {@link dueAt} said. */
  tick(now: Millis): void {
    if (this.dueAt > now) return
    const carrier = this.#carrier()!
    this.#inFlight.hedge(carrier, carrier.flights.values())
    this.#frame = undefined
  }

  /** The only path that carries the frame, where there is another. What left twice is under way often enough. */
  #carrier(): Subflow | undefined {
    const fn = this.#frame
    if (fn === undefined) return undefined
    const carrier = this.#subflows.find(({ flights }) => flights.has(fn))
    if (carrier?.flights.get(fn)!.frame.sends !== 1 || carrier.state !== 'up') this.#frame = undefined
    else if (this.#subflows.some((other) => other !== carrier && other.state === 'up')) return carrier
    return undefined
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * A frame that is later than nearly all acks of its path leaves again on another path, long before its silence would be
 * suspect: a short pause costs a small message no more than the other path takes. Its path is not judged by that.
 */
import type { Millis } from '../clock.js'
import type { Flight } from './flight.js'
import type { InFlight } from './in-flight.js'
import type { Sender } from './sender.js'
import type { Subflow } from './subflow.js'

/** While acks come, the oldest one is only behind them: none may have come for this share of the shortest round trip. */
const QUIET_SHARE = 1 / 4
/** What leaves again in one silence, bytes: as much as a kernel sends in its first flight (RFC 6928), and at least a frame. */
const HEDGED_BYTES = 10 * 1400

/** No frame is late sooner than this, milliseconds: turns of the event loop at both ends take as long on a busy machine. */
const LEAST_MS = 10
/** A timer that is later than this, milliseconds, shows that our own process is late. */
const PUNCTUAL_MS = 2

export interface HedgingInit {
  readonly subflows: { readonly live: readonly Subflow[] }
  readonly inFlight: InFlight
  readonly sender: Sender
}

export class Hedging {
  readonly #subflows: readonly Subflow[]
  readonly #inFlight: InFlight
  readonly #sender: Sender
  /** The last frame that was looked at of each: none is looked at twice. */
  #seen: WeakMap<Subflow, number> | undefined
  #secondLookAt: Millis = -Infinity

  constructor({ subflows, inFlight, sender }: HedgingInit) {
    this.#subflows = subflows.live
    this.#inFlight = inFlight
    this.#sender = sender
  }

  /** When a frame is late, should nothing come in until then; Infinity for never. */
  get dueAt(): Millis {
    let at = Infinity
    // Something new would get the room.
    if (this.#subflows.length === 1 || !this.#sender.isIdle || this.#sender.scheduler.isHedging !== true)
      return at
    for (const subflow of this.#subflows) at = Math.min(at, this.#dueAt(subflow))
    return at
  }

  /** Time has come to what {@link dueAt} said. */
  tick(now: Millis): void {
    const { dueAt } = this
    if (dueAt > now) return
    // Timers run before the sockets are read: what came while we were late is to be heard first.
    if (now - dueAt > PUNCTUAL_MS && dueAt !== this.#secondLookAt) {
      this.#secondLookAt = now + 1
      return
    }
    for (const subflow of this.#subflows) {
      if (this.#dueAt(subflow) > now) continue
      const late = [...this.#unseen(subflow)]
      this.#seen ??= new WeakMap()
      this.#seen.set(subflow, late.at(-1)!.frame.fn)
      this.#inFlight.hedge(subflow, late)
    }
  }

  #dueAt(subflow: Subflow): Millis {
    const { oldestFlight, rtt, state, trustSamplesFrom, window } = subflow
    if (oldestFlight === undefined || rtt.smoothed === undefined || state !== 'up') return Infinity
    if (this.#unseen(subflow).next().done === true) return Infinity
    const { sentAt, frame } = oldestFlight
    const lateAt = Math.max(sentAt, trustSamplesFrom) + Math.max(LEAST_MS, rtt.late)
    const frameMs = window.transferMs(frame.size)
    return Math.max(lateAt, window.deliveredAt + QUIET_SHARE * rtt.min + frameMs, this.#secondLookAt)
  }

  /** The oldest flights, as far as they may leave again in one silence, without those that were looked at before. */
  *#unseen(subflow: Subflow): Generator<Flight> {
    const seen = this.#seen?.get(subflow) ?? -1
    let bytes = 0
    for (const flight of subflow.flights.values()) {
      bytes += flight.frame.size
      if (flight !== subflow.oldestFlight && bytes > HEDGED_BYTES) return
      if (flight.frame.fn > seen) yield flight
    }
  }
}

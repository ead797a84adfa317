// SPDX-License-Identifier: Apache-2.0
/** A path in virtual time that its window alone fills: one line with a rate, a round trip, and acks. */
import type { Flight } from '../../lib/core/flight.js'
import { PhasedWindow } from '../../lib/core/congestion/phased-window.js'
import { Repairs } from '../../lib/core/congestion/repairs.js'
import { RttEstimator } from '../../lib/core/congestion/rtt.js'
import { frameOf } from './flights.js'

export const MAX_FRAME = 65_536

export interface WindowPathInit {
  /** Bytes per millisecond. */
  readonly rate: number
  /** Round trip without a queue, milliseconds. */
  readonly rttMs: number
  /** The kernel sends by a model of the path. Default: it does not. */
  readonly isModelBased?: boolean
}

interface Journey {
  readonly flight: Flight
  ackAt: number
}

export class WindowPath {
  readonly rtt: RttEstimator = new RttEstimator()
  readonly #repairs = new Repairs()
  readonly window: PhasedWindow
  now = 10_000
  inFlight = 0
  rate: number
  rttMs: number
  /** Bytes that the socket takes at once, however long the window. */
  socketBytes: number = Infinity
  /** There is too little to send: what the socket does not take is not there. */
  isAppLimited = false
  /** Acks tell of the path, and not of a silence. */
  isTrusted = true
  /** Most bytes in flight, and most sent upon one ack. */
  most = 0
  longestBurst = 0
  /** Bytes. */
  sent = 0
  /** How often the window fell under two thirds of the pipe. */
  drains = 0
  #isDraining = false
  #lineFreeAt = 0
  #lastAckAt = 0
  readonly #journeys: Journey[] = []

  constructor({ rate, rttMs, isModelBased = false }: WindowPathInit) {
    this.window = new PhasedWindow(this.rtt, () => this.#repairs, { isModelBased: () => isModelBased })
    this.rate = rate
    this.rttMs = rttMs
  }

  get bytes(): number {
    return this.window.bytes
  }

  /** What the path is thought to hold. */
  get pipe(): number {
    return this.window.rate * this.rtt.min
  }

  /** Time passes, in which all that the window allows is sent. */
  runs(ms: number): this {
    const end = this.now + ms
    this.#fill()
    for (let at = this.#nextAt(); at <= end; at = this.#nextAt()) {
      this.now = at
      const next = this.#journeys[0]
      if (next !== undefined && next.ackAt <= at) this.#ack(this.#journeys.shift()!.flight)
      this.#fill()
    }
    this.now = end
    return this
  }

  /** Runs until `isDone`. @returns milliseconds passed */
  runsUntil(isDone: () => boolean, limitMs = 60_000): number {
    const from = this.now
    while (!isDone()) {
      if (this.now - from > limitMs) throw new Error(`not there after ${limitMs} ms`)
      this.runs(1)
    }
    return this.now - from
  }

  /** A path that is full and known. */
  settles(): this {
    this.runsUntil(() => !this.window.isStartup)
    this.runs(10 * this.rttMs)
    this.most = this.longestBurst = this.drains = 0
    return this
  }

  /** For so long nothing comes in, then all that should have in one go: TCP repairs a loss. */
  repairs(ms: number): void {
    for (const journey of this.#journeys) journey.ackAt = Math.max(journey.ackAt, this.now + ms)
    this.#lastAckAt = Math.max(this.#lastAckAt, this.now + ms)
  }

  get #hasRoom(): boolean {
    return this.inFlight < Math.min(this.bytes, this.socketBytes)
  }

  /** When the next ack comes, or pacing lets the next frame leave. */
  #nextAt(): number {
    const pacedAt = this.#hasRoom ? this.window.readyAt(this.now) : Infinity
    return Math.min(this.#journeys[0]?.ackAt ?? Infinity, pacedAt)
  }

  #fill(): void {
    const before = this.inFlight
    while (this.#hasRoom && this.window.readyAt(this.now) <= this.now) this.#send()
    if (this.isAppLimited && this.inFlight < this.bytes) this.window.markAppLimited(this.inFlight)
    this.most = Math.max(this.most, this.inFlight)
    this.longestBurst = Math.max(this.longestBurst, this.inFlight - before)
    const isDraining = !this.window.isStartup && this.bytes < (2 / 3) * this.pipe
    if (isDraining && !this.#isDraining) this.drains++
    this.#isDraining = isDraining
  }

  #send(): void {
    const size = this.window.frameBytes(MAX_FRAME)
    const stamp = this.window.stamp(this.now, this.inFlight, size)
    const wasIdle = this.inFlight === 0
    const flight: Flight = { frame: frameOf(size), sentAt: this.now, wasIdle, expectedMs: Infinity, ...stamp }
    this.inFlight += size
    this.sent += size
    this.#lineFreeAt = Math.max(this.#lineFreeAt, this.now) + size / this.rate
    this.#lastAckAt = Math.max(this.#lastAckAt, this.#lineFreeAt + this.rttMs)
    this.#journeys.push({ flight, ackAt: this.#lastAckAt })
  }

  #ack(flight: Flight): void {
    const { now } = this
    this.inFlight -= flight.frame.size
    this.rtt.sample(now - flight.sentAt, now)
    this.#repairs.acked(flight.sentAt, now, this.rtt.min)
    this.window.acked(flight, { now, isTrusted: this.isTrusted })
  }
}

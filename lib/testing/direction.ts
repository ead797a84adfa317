// SPDX-License-Identifier: Apache-2.0
/** One direction of a link: a queue in front of a line with a rate and a delay, shared by all its streams. */
import type { Clock, Millis } from '../clock.js'
import type { Departure } from './kernel-window.js'
import { SEGMENT_BYTES } from './kernel-window.js'
import type { Carrier, Pipe, Segment } from './pipe.js'

/** What a link does to what it carries; the same for both directions. */
export interface LinkShape {
  /** Megabits per second; Infinity for a line without a limit. */
  readonly rateMbps: number
  /** One way, milliseconds. */
  readonly delayMs: number
  /** Up to so many milliseconds more, drawn anew for each segment; order within a stream stays. */
  readonly jitterMs: number
  /** Bytes in front of the bottleneck, of all streams together. */
  readonly queueBytes: number
  /** Share of segments that are lost and come a round trip later, with all behind them: 0 to 1. */
  readonly lossRate: number
}

/** Segments are carried together for up to so many milliseconds of the line's time: fewer events. */
const BURST_MS = 0.5
const LARGEST_BURST_BYTES = 65_536
/** A retransmission costs a round trip and this much more to notice, milliseconds. */
const RECOVERY_MS = 10

interface Journey {
  readonly pipe: Pipe
  readonly segment: Segment
  /** What the sender's kernel remembers of it. */
  readonly departure: Departure | undefined
  cancel: () => void
}

export class Direction implements Carrier {
  readonly #clock: Clock
  readonly #random: () => number
  #shape: LinkShape
  readonly #waiting: Pipe[] = []
  readonly #queue: Journey[] = []
  #queuedBytes = 0
  /** On the line, or behind it and not there yet. */
  readonly #journeys = new Set<Journey>()
  #isBusy = false
  #isFrozen = false

  constructor(clock: Clock, random: () => number, shape: LinkShape) {
    this.#clock = clock
    this.#random = random
    this.#shape = shape
  }

  get isFrozen(): boolean {
    return this.#isFrozen
  }

  set shape(shape: LinkShape) {
    this.#shape = shape
  }

  /** Swallows everything from now on, what is on its way included. */
  freeze(): void {
    if (this.#isFrozen) return
    this.#isFrozen = true
    this.#isBusy = false
    const lost = new Map<Pipe, Segment[]>()
    for (const journey of [...this.#journeys, ...this.#queue]) {
      journey.cancel()
      const segments = lost.get(journey.pipe)
      if (segments === undefined) lost.set(journey.pipe, [journey.segment])
      else segments.push(journey.segment)
    }
    this.#journeys.clear()
    this.#queue.length = 0
    this.#queuedBytes = 0
    for (const [pipe, segments] of lost) pipe.takeBack(segments)
  }

  /** Carries again. A stream that was sending meanwhile notices at the next try of its TCP. */
  thaw(): void {
    if (!this.#isFrozen) return
    this.#isFrozen = false
    for (const pipe of this.#waiting.splice(0)) this.offer(pipe)
  }

  offer(pipe: Pipe): void {
    if (this.#isFrozen) {
      if (!this.#waiting.includes(pipe)) this.#waiting.push(pipe)
      return
    }
    if (!pipe.isWaitingForRetry) {
      this.#enqueue(pipe)
      return
    }
    this.#clock.callAt(pipe.resumesAt(), () => {
      if (!pipe.isWaitingForRetry) return
      if (!this.#isFrozen) pipe.resumed()
      this.offer(pipe)
    })
  }

  #enqueue(pipe: Pipe): void {
    if (!this.#waiting.includes(pipe)) this.#waiting.push(pipe)
    this.#fill()
  }

  /** Moves segments from the streams into the queue, in turn, while it has room; a kernel does not know whether. */
  #fill(): void {
    let idle = 0
    while (this.#waiting.length > idle) {
      const pipe = this.#waiting.shift()!
      const isFull = this.#queuedBytes >= this.#shape.queueBytes
      if (isFull && pipe.kernel === undefined) {
        this.#waiting.push(pipe)
        idle++
        continue
      }
      const segment = pipe.next(this.#burstBytes())
      if (segment === undefined) continue
      idle = 0
      this.#waiting.push(pipe)
      const departure = pipe.kernel?.sent(sizeOf(segment), this.#clock.now())
      this.#enter({ pipe, segment, departure, cancel: () => {} })
    }
    if (!this.#isBusy) this.#serveNext()
  }

  #enter(journey: Journey): void {
    const bytes = sizeOf(journey.segment)
    const overflows = this.#queuedBytes > 0 && this.#queuedBytes + bytes > this.#shape.queueBytes
    if (overflows && journey.departure !== undefined) {
      this.#journeys.add(journey)
      this.#repair(journey, this.#clock.now() + this.#queuedBytes / this.#bytesPerMs)
      return
    }
    this.#queue.push(journey)
    this.#queuedBytes += bytes
  }

  /** What follows it tells the sender's kernel that it is lost, and it is sent anew. */
  #repair(journey: Journey, departs: Millis): void {
    const { pipe, segment, departure } = journey
    const at = departs + 2 * this.#shape.delayMs
    journey.cancel = this.#clock.callAt(at, () => {
      this.#journeys.delete(journey)
      pipe.kernel!.lost(departure!, at)
      pipe.lost(segment)
    })
  }

  #burstBytes(): number {
    const bytes = Math.floor(this.#bytesPerMs * BURST_MS)
    return Math.min(Math.max(SEGMENT_BYTES, bytes), LARGEST_BURST_BYTES)
  }

  get #bytesPerMs(): number {
    return this.#shape.rateMbps * 125
  }

  #serveNext(): void {
    const journey = this.#queue.shift()
    if (journey === undefined) return
    this.#isBusy = true
    this.#journeys.add(journey)
    const bytes = sizeOf(journey.segment)
    const leavesAt = this.#clock.now() + bytes / this.#bytesPerMs
    journey.cancel = this.#clock.callAt(leavesAt, () => {
      this.#queuedBytes -= bytes
      this.#isBusy = false
      this.#depart(journey, leavesAt)
      this.#fill()
    })
  }

  #depart(journey: Journey, now: Millis): void {
    const { delayMs, jitterMs } = this.#shape
    const { pipe, segment, departure } = journey
    const late = jitterMs > 0 ? jitterMs * this.#random() : 0
    const isLost = this.#isLost(sizeOf(segment))
    if (isLost && departure !== undefined) {
      this.#repair(journey, now)
      return
    }
    const lost = isLost ? 2 * delayMs + RECOVERY_MS : 0
    const at = Math.max(now + delayMs + late + lost, pipe.lastArrivalAt)
    if (departure === undefined || jitterMs > 0) pipe.lastArrivalAt = at
    journey.cancel = this.#clock.callAt(at, () => {
      this.#journeys.delete(journey)
      pipe.arrive(segment)
      if (departure !== undefined) this.#acknowledge(pipe, departure, at + delayMs)
    })
  }

  #acknowledge(pipe: Pipe, departure: Departure, at: Millis): void {
    this.#clock.callAt(at, () => {
      pipe.kernel!.acked(departure, at)
      pipe.acknowledged()
    })
  }

  #isLost(bytes: number): boolean {
    const { lossRate } = this.#shape
    return lossRate > 0 && this.#random() > (1 - lossRate) ** Math.ceil(bytes / SEGMENT_BYTES)
  }
}

function sizeOf({ parcel }: Segment): number {
  return parcel instanceof Uint8Array ? parcel.length : 0
}

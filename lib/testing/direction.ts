// SPDX-License-Identifier: Apache-2.0
/** One direction of a link: a queue in front of a line with a rate and a delay, shared by all its streams. */
import type { Clock, Millis } from '../clock.js'
import { ignore } from '../ignore.js'
import type { Departure } from './kernel-window.js'
import { SEGMENT_BYTES } from './kernel-window.js'
import type { Carrier, Pipe, Segment } from './pipe.js'
import { Jitter } from './jitter.js'
import { SeededRandom } from './seeded-random.js'

/** What a link does to what it carries; the same for both directions. */
export interface LinkShape {
  /** Megabits per second; Infinity for a line without a limit. */
  readonly rateMbps: number
  /** One way, milliseconds. */
  readonly delayMs: number
  /** Up to so many milliseconds more, drawn anew every so many milliseconds, and gradually other in between: order stays. */
  readonly jitterMs: number
  /** Bytes in front of the bottleneck, of all streams together. */
  readonly queueBytes: number
  /** Share of segments that are lost and come a round trip later, with all behind them: 0 to 1. */
  readonly lossRate: number
}

/** What leaves in one go is a small part of the delay, and of the line's time no more than so many milliseconds: fewer events. */
const BURST_DELAY_SHARE = 1 / 16
const LEAST_BURST_MS = 0.25
const LONGEST_BURST_MS = 1
const LARGEST_BURST = 45
/** A retransmission costs a round trip and this much more to notice, milliseconds. */
const RECOVERY_MS = 10

interface Journey {
  readonly pipe: Pipe
  readonly segment: Segment
  /** What the sender's kernel remembers of it. */
  readonly departure: Departure | undefined
  /** On the line, or because the queue was full. */
  readonly isLost: boolean
  /** When the line has carried it, and when it is there. */
  leavesAt: Millis
  arrivesAt: Millis
  cancel: () => void
}

export class Direction implements Carrier {
  readonly #clock: Clock
  /** Of its own, so that streams of the same seed meet losses at the same packets, whatever else is drawn. */
  readonly #losses: SeededRandom
  readonly #jitter: Jitter
  #shape: LinkShape
  readonly #waiting: Pipe[] = []
  /** In the queue, on the line, or behind it and not there yet. */
  readonly #journeys = new Set<Journey>()
  /** When the line will have carried all that is in the queue. */
  #freeAt: Millis = 0
  /** Packets that will pass before the next one that is lost; `undefined` where that is not drawn yet. */
  #packetsToLoss: number | undefined
  #isWaking = false
  #isFrozen = false

  constructor(clock: Clock, random: () => number, shape: LinkShape) {
    this.#clock = clock
    this.#losses = new SeededRandom(random() * 2 ** 32)
    this.#jitter = new Jitter(new SeededRandom(random() * 2 ** 32))
    this.#shape = shape
  }

  get isFrozen(): boolean {
    return this.#isFrozen
  }

  /** What is in the queue leaves at the new rate. */
  set shape(shape: LinkShape) {
    const slower = this.#shape.rateMbps / shape.rateMbps
    if (shape.lossRate !== this.#shape.lossRate) this.#packetsToLoss = undefined
    this.#shape = shape
    const now = this.#clock.now()
    if (this.#freeAt <= now) return
    this.#freeAt = now + slower * (this.#freeAt - now)
    const queued = [...this.#journeys].filter(({ leavesAt }) => leavesAt > now)
    for (const { pipe } of queued) pipe.lastArrivalAt = 0
    for (const { pipe, leavesAt, arrivesAt } of this.#journeys)
      if (leavesAt <= now) pipe.lastArrivalAt = Math.max(pipe.lastArrivalAt, arrivesAt)
    for (const journey of queued) {
      journey.cancel()
      journey.leavesAt = now + slower * (journey.leavesAt - now)
      this.#depart(journey)
    }
  }

  /** Swallows everything from now on, what is on its way included. */
  freeze(): void {
    if (this.#isFrozen) return
    this.#isFrozen = true
    const lost = new Map<Pipe, Segment[]>()
    for (const { pipe, segment, cancel } of this.#journeys) {
      cancel()
      const segments = lost.get(pipe)
      if (segments === undefined) lost.set(pipe, [segment])
      else segments.push(segment)
    }
    this.#journeys.clear()
    this.#freeAt = 0
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
      if (!this.#waiting.includes(pipe)) this.#waiting.push(pipe)
      this.#fill()
      return
    }
    this.#clock.callAt(pipe.resumesAt(), () => {
      if (!pipe.isWaitingForRetry) return
      if (!this.#isFrozen) pipe.resumed()
      this.offer(pipe)
    })
  }

  /** Moves segments from the streams into the queue, in turn, while it has room; a kernel does not know whether. */
  #fill(): void {
    let idle = 0
    while (this.#waiting.length > idle) {
      const pipe = this.#waiting.shift()!
      if (pipe.kernel === undefined && this.#roomBytes <= 0) {
        this.#waiting.push(pipe)
        idle++
        continue
      }
      const segment = pipe.next(this.#burstBytes(pipe))
      if (segment === undefined) continue
      idle = 0
      this.#waiting.push(pipe)
      this.#enter(pipe, segment)
    }
    if (idle > 0) this.#fillLater()
  }

  /** The queue is full, and streams wait for it. */
  #fillLater(): void {
    if (this.#isWaking) return
    this.#isWaking = true
    const wanted = SEGMENT_BYTES / 2 - this.#roomBytes
    this.#clock.callAt(this.#clock.now() + wanted / this.#bytesPerMs, () => {
      this.#isWaking = false
      if (!this.#isFrozen) this.#fill()
    })
  }

  #enter(pipe: Pipe, segment: Segment): void {
    const now = this.#clock.now()
    const bytes = sizeOf(segment)
    const departure = pipe.kernel?.sent(bytes, now)
    const overflows = departure !== undefined && this.#freeAt > now && bytes > this.#roomBytes
    if (!overflows) this.#freeAt = Math.max(now, this.#freeAt) + bytes / this.#bytesPerMs
    const isLost = overflows || this.#isLost(bytes)
    const journey = { pipe, segment, departure, isLost, leavesAt: this.#freeAt, arrivesAt: 0, cancel: ignore }
    this.#journeys.add(journey)
    this.#depart(journey)
  }

  get #bytesPerMs(): number {
    return this.#shape.rateMbps * 125
  }

  /** Of the queue. What the line has carried of a burst no longer counts. */
  get #roomBytes(): number {
    const waitsMs = this.#freeAt - this.#clock.now()
    return waitsMs > 0 ? this.#shape.queueBytes - waitsMs * this.#bytesPerMs : this.#shape.queueBytes
  }

  /** As much of a stream as leaves in one go, in whole packets: what overflows or is lost leaves by itself. */
  #burstBytes({ kernel }: Pipe): number {
    const { delayMs, lossRate } = this.#shape
    const ms = Math.min(Math.max(LEAST_BURST_MS, BURST_DELAY_SHARE * delayMs), LONGEST_BURST_MS)
    let packets = Math.min(Math.round((this.#bytesPerMs * ms) / SEGMENT_BYTES), LARGEST_BURST)
    if (lossRate > 0) packets = Math.min(packets, this.#drawLoss())
    if (kernel !== undefined) packets = Math.min(packets, Math.floor(this.#roomBytes / SEGMENT_BYTES))
    return Math.max(1, packets) * SEGMENT_BYTES
  }

  /** Sees to what becomes of a segment that leaves the queue when the line has carried it. */
  #depart(journey: Journey): void {
    const { delayMs, jitterMs } = this.#shape
    const { pipe, segment, departure, isLost, leavesAt } = journey
    if (isLost && departure !== undefined) {
      this.#repair(journey, leavesAt + 2 * delayMs)
      return
    }
    const late = this.#jitter.lateMs(leavesAt, jitterMs)
    const repairMs = isLost ? 2 * delayMs + RECOVERY_MS : 0
    if (isLost) pipe.repaired()
    const at = Math.max(leavesAt + delayMs + late + repairMs, pipe.lastArrivalAt)
    if (departure === undefined || jitterMs > 0) pipe.lastArrivalAt = at
    journey.arrivesAt = at
    journey.cancel = this.#clock.callAt(at, () => {
      this.#journeys.delete(journey)
      pipe.arrive(segment)
      if (departure !== undefined) this.#acknowledge(pipe, departure, at + delayMs)
    })
  }

  /** What follows it tells the sender's kernel that it is lost, and it is sent anew. */
  #repair(journey: Journey, at: Millis): void {
    const { pipe, segment, departure } = journey
    journey.cancel = this.#clock.callAt(at, () => {
      this.#journeys.delete(journey)
      pipe.kernel!.lost(departure!, at)
      pipe.lost(segment)
    })
  }

  #acknowledge(pipe: Pipe, departure: Departure, at: Millis): void {
    this.#clock.callAt(at, () => {
      pipe.kernel!.acked(departure, at)
      pipe.acknowledged()
    })
  }

  /** How many packets pass before the next loss: chance is asked once a loss, not once a packet. */
  #drawLoss(): number {
    const { lossRate } = this.#shape
    this.#packetsToLoss ??= Math.floor(Math.log(1 - this.#losses.random()) / Math.log(1 - lossRate))
    return this.#packetsToLoss
  }

  #isLost(bytes: number): boolean {
    if (this.#shape.lossRate === 0) return false
    const left = this.#drawLoss() - Math.ceil(bytes / SEGMENT_BYTES)
    this.#packetsToLoss = left < 0 ? undefined : left
    return left < 0
  }
}

function sizeOf({ parcel }: Segment): number {
  return parcel instanceof Uint8Array ? parcel.length : 0
}

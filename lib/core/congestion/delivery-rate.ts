// SPDX-License-Identifier: Apache-2.0
/** How fast a path delivers, sampled as BBR does (delivery-rate draft), and its round trips by the acks. */
import type { Millis } from '../../clock.js'
import { Burst } from './burst.js'

/** What a flight has to remember of its beginning, as BBR's rate samples need it (delivery-rate draft, 3.2). */
export interface DeliveryStamp {
  /** Bytes that the subflow had delivered when this left, and when the last of them was acked. */
  readonly delivered: number
  readonly deliveredAt: Millis
  /** When the first frame of this sampling period left. */
  readonly firstSentAt: Millis
  /** There was too little to send, so that the rate says nothing of the path. */
  readonly isAppLimited: boolean
}

/** Bytes that left at one moment and are acked now. */
export interface Delivery extends DeliveryStamp {
  readonly sentAt: Millis
  readonly frame: { readonly size: number }
}

/** The circumstances of an ack, as a rate is sampled from it. */
export interface AckTimes {
  readonly now: Millis
  /** The flight left after the last silence: its times tell of the path. */
  readonly isTrusted: boolean
  /** Smallest round trip of the path. */
  readonly minRtt: Millis
  /** How long a sample counts, milliseconds. */
  readonly span: Millis
}

/** A round trip that has just ended. */
export interface Round {
  /** Bytes per millisecond that came in during it. */
  readonly rate: number
  /** There was always enough to send. */
  readonly wasFull: boolean
}

interface Sample {
  readonly value: number
  readonly at: Millis
}

const NONE: Sample = { value: 0, at: -Infinity }
type Best = readonly [Sample, Sample, Sample]
const NOTHING: Best = [NONE, NONE, NONE]

/** The largest sample of a sliding time span, in constant space: three candidates, as in Linux' win_minmax. */
export class MaxFilter {
  /** Best, second best after it, third best after that. */
  #best = NOTHING

  get value(): number {
    return this.#best[0].value
  }

  /** @param span - how long a sample counts, milliseconds */
  update(value: number, at: Millis, span: number): void {
    const sample = { value, at }
    const [first, second, third] = this.#best
    if (value >= first.value || at - third.at > span) this.#best = [sample, sample, sample]
    else if (value >= second.value) this.#best = [first, sample, sample]
    else if (value >= third.value) this.#best = [first, second, sample]
    this.#age(sample, span)
  }

  #age(sample: Sample, span: number): void {
    const [first, second, third] = this.#best
    if (sample.at - first.at > span) {
      this.#best = [second, third, sample]
      if (sample.at - second.at > span) this.#best = [third, sample, sample]
    } else if (second === first && sample.at - second.at > span / 4) this.#best = [first, sample, sample]
    else if (third === second && sample.at - third.at > span / 2) this.#best = [first, second, sample]
  }
}

export class DeliveryRate {
  #rate = new MaxFilter()
  #delivered = 0
  #deliveredAt: Millis = 0
  #firstSentAt: Millis = 0
  /** The samples of what was sent before so many bytes were delivered are app-limited. */
  #appLimitedUntil = 0
  #nextRound = 0
  #isRoundFull = true
  #roundFrom = 0
  #roundBegan: Millis = 0
  #isLowerBound = true
  #burst: Burst | undefined
  /** What left when so much had been delivered, in the first round trip of a burst, was too little for the path. */
  #limitedFrom = -1

  /** No sample had enough to send: the path is as fast as {@link value} at least, and may be a thousand times faster. */
  get isLowerBound(): boolean {
    return this.#isLowerBound
  }

  /** Bytes per millisecond; 0 while unknown. */
  get value(): number {
    return this.#rate.value
  }

  /** Bytes acked so far. */
  get delivered(): number {
    return this.#delivered
  }

  /** When the newest ack came, or the first frame left since nothing was in flight. */
  get deliveredAt(): Millis {
    return this.#deliveredAt
  }

  /** Stamps a flight that begins. `inFlight`: bytes on the way before it. */
  stamp(now: Millis, inFlight: number): DeliveryStamp {
    if (inFlight === 0) {
      this.#firstSentAt = now
      this.#deliveredAt = now
      this.#burst ??= new Burst()
      this.#burst.begin(now, this.#delivered)
    }
    return {
      delivered: this.#delivered,
      deliveredAt: this.#deliveredAt,
      firstSentAt: this.#firstSentAt,
      isAppLimited: this.#appLimitedUntil > this.#delivered,
    }
  }

  /** There was room and nothing to fill it with. */
  markAppLimited(inFlight: number): void {
    this.#appLimitedUntil = this.#delivered + inFlight + 1
    this.#isRoundFull = false
    if (this.#delivered === this.#burst?.from) this.#limitedFrom = this.#delivered
  }

  /**
   * A rate measured over a silence, or with too little to send, is too low: it counts where it is higher even so.
   *
   * @returns the round that ends with this ack, if one does
   */
  acked(flight: Delivery, { now, isTrusted, minRtt, span }: AckTimes): Round | undefined {
    this.#delivered += flight.frame.size
    this.#deliveredAt = now
    this.#firstSentAt = flight.sentAt
    const burst = this.#burst!
    burst.acked(flight.sentAt, now, this.#delivered, minRtt)
    const elapsed = Math.max(now - flight.deliveredAt, flight.sentAt - flight.firstSentAt)
    const rate = elapsed > 0 ? (this.#delivered - flight.delivered) / elapsed : 0
    const isFull = isTrusted && !flight.isAppLimited && flight.delivered !== this.#limitedFrom
    const isKnown = isFull || burst.isTelling
    const sample = isFull ? rate : Math.max(rate, burst.rate)
    if (sample > 0 && (isKnown || sample > this.value)) this.#rate.update(sample, now, span)
    if (isKnown) this.#isLowerBound = false
    // A round takes time: without any, it would have no rate.
    return flight.delivered >= this.#nextRound && now > this.#roundBegan ? this.#endRound(now) : undefined
  }

  /** What was known of the rate is old. */
  forget(): void {
    this.#rate = new MaxFilter()
    this.#isLowerBound = true
  }

  #endRound(now: Millis): Round {
    const rate = (this.#delivered - this.#roundFrom) / (now - this.#roundBegan)
    const wasFull = this.#isRoundFull
    this.#roundFrom = this.#delivered
    this.#nextRound = this.#delivered
    this.#roundBegan = now
    this.#isRoundFull = true
    return { rate, wasFull }
  }
}

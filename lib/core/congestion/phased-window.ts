// SPDX-License-Identifier: Apache-2.0
/**
 * How many bytes may be unacked on one subflow, found by probing on the ack clock: enough to keep the path full, little
 * enough that the choice of path is made late. A machine of six phases; docs/engine.md tells the design.
 */
import type { Millis } from '../../clock.js'
import { AckAggregation } from './ack-aggregation.js'
import type { CongestionController, Landing, PhaseFigures, PhaseName } from './congestion.js'
import { DRAIN_GAIN, PHASES, STEADY_GAIN } from './congestion.js'
import type { Delivery, DeliveryStamp } from './delivery-rate.js'
import { DeliveryRate } from './delivery-rate.js'
import { frameBytesOf, MIN_FRAME_BYTES } from './frame-size.js'
import type { Repairs } from './repairs.js'
import type { RttEstimator } from './rtt.js'
import { MIN_RTT_WINDOW_MS, MIN_RTT_WINDOW_ROUNDS } from './rtt.js'
import { type KernelAsked, QUEUEING_SHARE, Startup } from './startup.js'
import { WindowPace } from './window-pace.js'

const KIB = 1024
/** What keeps a path full between acks is a matter of milliseconds, not of round trips: more is only queue. */
const LEAST_SLACK_MS = 5
const SLACK_MS = 40
/** On paths faster than the processes, it is a matter of what one of them does at a time. */
const SLACK_BYTES = 1024 * KIB
/** What comes in bunches gets so much of their length. */
const BUNCH_GAIN = 1.5
/** But no more than so many pipes (a repair that is lost itself takes four round trips), or so many milliseconds or bytes where pipes are short. */
const BUNCH_PIPES = 5
const BUNCH_MS = 150
const BUNCH_BYTES = 2048 * KIB
/** A minimum RTT that explains less than what is seen for so long is measured anew. */
const DOUBT_MS = 1000
const DOUBT_ROUNDS = 10
/** How long a rate counts: twice as long as it takes to doubt the minimum RTT, since a window for a path that got longer makes the rate fall. */
const RATE_MS = 2 * DOUBT_MS
const RATE_ROUNDS = 2 * DOUBT_ROUNDS
/** So many rounds tell what a path brings now: in fewer, a repair may hold up all of it. */
const RECENT_ROUNDS = 5
/** An RTT under the drained window that exceeds the minimum by no more confirms it. */
const CONFIRMING = 1.1
const REFILL_GAIN = 2
/** The longer window stays so long at first, and twice as long each time it is needed again soon. */
const FIRST_REPAIR_MS = 2000
const LAST_REPAIR_MS = 16_000
/** A rate measured longer ago than this, milliseconds, is found anew before a path is judged by it. */
const STALE_MS = 30_000

/** What a window has to know of its path's repairs. */
type RepairsSeen = Pick<Repairs, 'isFrequent' | 'lastAt'>

export class PhasedWindow implements CongestionController, PhaseFigures {
  readonly #rtt: RttEstimator
  readonly #repairs: () => RepairsSeen
  readonly #rate = new DeliveryRate()
  readonly #startup: Startup
  #aggregation: AckAggregation | undefined
  #pace: WindowPace | undefined
  /** The window; `undefined` since the last ack. Every frame asks for it, so it is kept until the next ack or RTT sample. */
  #bytes: number | undefined
  /** The number of RTT samples when it was found. */
  #samples = 0
  #phase: PhaseName = 'startup'
  #since: Millis = 0
  /** Bytes delivered when the phase began. */
  #deliveredBefore = 0
  /** When the RTT was last no longer than minimum and window explain. */
  #explainedAt: Millis = 0
  /** What the last rounds brought, bytes per millisecond. */
  #roundRates: readonly number[] = []
  /** The smallest RTT of what left with the queue drained, and when the first such ack came. */
  #drainedRtt = Infinity
  #drainedAt: Millis = Infinity
  #isConfirmed = false
  #isReviewed = false
  #repairMs = FIRST_REPAIR_MS
  #repairedAt: Millis = -Infinity

  constructor(rtt: RttEstimator, repairs: () => RepairsSeen, kernel?: KernelAsked) {
    this.#rtt = rtt
    this.#repairs = repairs
    this.#startup = new Startup(rtt, kernel)
  }

  get rate(): number {
    return this.#rate.value
  }

  transferMs(bytes: number): Millis {
    return this.#rate.isLowerBound ? 0 : bytes / this.rate
  }

  get deliveredAt(): Millis {
    return this.#rate.deliveredAt
  }

  get isStartup(): boolean {
    return this.#phase === 'startup'
  }

  get bytes(): number {
    if (this.#bytes === undefined || this.#samples !== this.#rtt.samples) {
      const { gain, slack, floor } = PHASES[this.#phase]
      this.#bytes = Math.max(floor, gain(this) * this.#pipe + slack(this) * this.rate)
      this.#samples = this.#rtt.samples
      this.#setPace(this.#bytes)
    }
    return this.#bytes
  }

  /** While the path is being filled, the rate says too little of it. */
  #setPace(bytes: number): void {
    if (this.isStartup) this.#pace?.free()
    else this.#pace?.follow(bytes, this.rate, this.#rtt.min, this.#startup.isKernelModelBased)
  }

  frameBytes(maxFrameBytes: number): number {
    return Math.min(Math.floor(this.#frameBytes), maxFrameBytes)
  }

  get #frameBytes(): number {
    const bytes = frameBytesOf(this.rate, this.#rtt.min)
    return this.#phase === 'drain' ? Math.max(MIN_FRAME_BYTES, Math.min(bytes, this.bytes / 4)) : bytes
  }

  /** A window leaves within a minimum RTT: as a burst, what a bunch of acks makes room for would overflow a short queue. */
  readyAt(now: Millis): Millis {
    return this.#currentPace().readyAt(now)
  }

  stamp(now: Millis, inFlight: number, bytes: number): DeliveryStamp {
    if (this.#startup.left(inFlight + bytes)) this.#bytes = undefined
    this.#currentPace().spend(bytes, now)
    return this.#rate.stamp(now, inFlight)
  }

  #currentPace(): WindowPace {
    const { bytes } = this
    if (this.#pace === undefined) {
      this.#pace = new WindowPace()
      this.#setPace(bytes)
    }
    return this.#pace
  }

  markAppLimited(inFlight: number): void {
    this.#rate.markAppLimited(inFlight)
  }

  acked(flight: Delivery, { now, isTrusted }: Landing): void {
    const span = Math.max(RATE_MS, RATE_ROUNDS * this.#rtt.min)
    const round = this.#rate.acked(flight, { now, isTrusted, minRtt: this.#rtt.min, span })
    if (this.isStartup) {
      this.#explainedAt = now
      this.#startup.acked(flight.frame.size, flight.sentAt, now)
    } else
      (this.#aggregation ??= new AckAggregation()).acked(now, flight.frame.size, this.rate, this.#rtt.min)
    if (round !== undefined) {
      this.#roundRates = [...this.#roundRates.slice(1 - RECENT_ROUNDS), round.rate]
      if (this.isStartup) this.#startup.roundEnded(round, this.rate)
    }
    if (this.#phase === 'drain') this.#measure(flight, now)
    if (flight.sentAt > this.#since) this.#isReviewed = true
    const next = PHASES[this.#phase].next(this, now)
    if (next !== undefined) this.#enter(next, now)
    this.#pace?.acked(now - this.#repairs().lastAt < this.#rtt.min)
    this.#bytes = undefined
  }

  restart(): void {
    this.#bytes = undefined
    this.#rate.forget()
    this.#startup.begin()
    this.#phase = 'startup'
  }

  isStale(now: Millis): boolean {
    return now - this.deliveredAt > STALE_MS
  }

  /** What the path holds without a queue, bytes. */
  get #pipe(): number {
    return this.rate * (this.#rtt.min === Infinity ? 0 : this.#rtt.min)
  }

  #enter(phase: PhaseName, now: Millis): void {
    if (phase === 'drain') this.#beginDrain()
    if (phase === 'refill') this.#endDrain(now)
    if (phase === 'repair')
      this.#repairMs =
        now - this.#repairedAt < this.#repairMs
          ? Math.min(2 * this.#repairMs, LAST_REPAIR_MS)
          : FIRST_REPAIR_MS
    if (this.#phase === 'repair') this.#repairedAt = now
    if (this.#phase === 'review') this.#aggregation?.reset()
    this.#isReviewed = false
    this.#phase = phase
    this.#since = now
    this.#deliveredBefore = this.#rate.delivered
  }

  // Of startup

  get startupGain(): number {
    return this.#startup.gain
  }

  get startupSlackMs(): number {
    return this.rate > 0 ? this.#startup.slackBytes / this.rate : 0
  }

  get isFull(): boolean {
    return this.#startup.isFull
  }

  // Of steady and repair

  get steadySlackMs(): number {
    const share = (STEADY_GAIN - 1) * this.#rtt.min
    // Without a queue, the window is not what fills the path: it carries more than was thought.
    const isQueueEmpty = this.#rtt.recentMin - this.#rtt.min < SLACK_MS / 2
    const wanted = Math.max(LEAST_SLACK_MS, isQueueEmpty ? share : Math.min(share, SLACK_MS))
    return Math.min(wanted, Math.max(share, SLACK_BYTES / this.rate))
  }

  get bunchSlackMs(): number {
    const most = Math.max(BUNCH_PIPES * this.#rtt.min, Math.min(BUNCH_MS, BUNCH_BYTES / this.rate))
    return Math.min(BUNCH_GAIN * (this.#aggregation?.bunchMs ?? 0), most)
  }

  get isBunched(): boolean {
    return this.bunchSlackMs > this.steadySlackMs
  }

  isRepairOver(now: Millis): boolean {
    return now - this.#since > Math.max(this.#repairMs, (this.#repairMs / 100) * this.#rtt.min)
  }

  /** Grown old; or the queue is longer than any that the window could have made. */
  isMinRttDoubtful(now: Millis): boolean {
    const { min, minAt, recentMin } = this.#rtt
    const slack = this.#phase === 'repair' ? this.bunchSlackMs : 0
    const unexplainedMs = recentMin - (1 + QUEUEING_SHARE) * min - Math.max(LEAST_SLACK_MS, slack)
    if (unexplainedMs < 0 || unexplainedMs < this.#frameBytes / this.rate) this.#explainedAt = now
    return (
      now - minAt > Math.max(MIN_RTT_WINDOW_MS, MIN_RTT_WINDOW_ROUNDS * min) ||
      now - this.#explainedAt > Math.max(DOUBT_MS, DOUBT_ROUNDS * min)
    )
  }

  isLossy(now: Millis): boolean {
    return this.#repairs().isFrequent(now, this.#rtt.min)
  }

  get isReviewed(): boolean {
    return this.#isReviewed
  }

  // Of drain and refill

  get recentShare(): number {
    return Math.min(1, Math.max(...this.#roundRates) / this.rate)
  }

  #beginDrain(): void {
    this.#drainedRtt = Infinity
    this.#drainedAt = Infinity
    this.#isConfirmed = false
  }

  /** What left since the drain began found hardly a queue. A repair may delay one of them, hardly a whole round. */
  #measure(flight: Delivery, now: Millis): void {
    if (flight.sentAt <= this.#since) return
    this.#drainedRtt = Math.min(this.#drainedRtt, now - flight.sentAt)
    this.#drainedAt = Math.min(this.#drainedAt, now)
    this.#isConfirmed =
      this.#drainedRtt <= CONFIRMING * this.#rtt.min || now - this.#drainedAt >= this.#drainedRtt
  }

  get isDrained(): boolean {
    return this.#isConfirmed
  }

  #endDrain(now: Millis): void {
    this.#rtt.resetMin(this.#drainedRtt, now)
    this.#explainedAt = now
    this.#aggregation?.reset()
  }

  get refillSlackMs(): number {
    const grown = REFILL_GAIN * (this.#rate.delivered - this.#deliveredBefore)
    const wanted = (1 - DRAIN_GAIN) * this.#rtt.min + this.steadySlackMs
    return Math.min(grown / this.rate, wanted)
  }

  get isRefilled(): boolean {
    return this.refillSlackMs >= (1 - DRAIN_GAIN) * this.#rtt.min + this.steadySlackMs
  }
}

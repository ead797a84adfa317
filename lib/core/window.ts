// SPDX-License-Identifier: Apache-2.0
/**
 * How many bytes may be unacked on one subflow, found by probing on the ack clock: enough to keep the
 * path full, little enough that the choice of path is made late. docs/engine.md tells the design.
 */
import type { Millis } from '../clock.js'
import type { Flight } from './flight.js'
import type { RttEstimator } from './rtt.js'
import { MIN_RTT_WINDOW_MS, MIN_RTT_WINDOW_ROUNDS } from './rtt.js'
import { Jitter } from './jitter.js'
import { MaxFilter } from './max-filter.js'
import { StallCounter } from './stalls.js'

const KIB = 1024
/** Window before the first rate sample: what a kernel sends in its first flight (RFC 6928); more would wait there. */
const INITIAL_BYTES = 10 * 1400
const MIN_BYTES = 8 * KIB
/** Under this RTT (loopback, a LAN) scheduling delays of the two processes are the longer part. */
const SHORT_RTT_MS = 2
const SHORT_RTT_BYTES = 1024 * KIB
/** Where acks take longer than this after all, thousands of connections share the processes. */
const BUSY_RTT_MS = 10
/** Window in units of rate × minimum RTT. Between 2 and 3 lies a bad zone: pipe and queue just filled. */
const STARTUP_GAIN = 1.85
/** On paths shorter than that growth takes no time, and bursts are the larger part of what a queue has to bear. */
const LONG_STARTUP_MS = 100
const SHORT_STARTUP_GAIN = 1.45
const STEADY_GAIN = 1.3
/** What keeps a path full between acks is a matter of milliseconds, not of round trips: more is only queue. */
const LEAST_SLACK_MS = 5
const SLACK_MS = 40
/**
 * A queue has built up when an ack takes longer than the minimum by this share and by so many milliseconds. A
 * kernel that paces its first flights (BBR, at 2.9 times its rate) delays acks by a third of a round trip.
 */
const QUEUEING_SHARE = 1 / 2
const QUEUEING_MS = 4
const OVERFLOWING_SHARE = 3 / 4
/** A minimum RTT that explains less than what is seen for so long is measured anew. */
const DOUBT_MS = 1000
const DOUBT_ROUNDS = 10
const LOSSY_GAIN = 4
/** The rate has stopped growing when so many full rounds brought less than a quarter more. */
const FLAT_ROUNDS = 3
const GROWTH = 1.25
/** A round that delivered less than this share of the rate does not count. */
const FULL_RATE_SHARE = 0.8
/**
 * A frame is about what the path delivers in FRAME_MS, but no more than a kernel sends in one go while it
 * measures its RTT (BBR: four packets), so that acks keep coming then. On fast paths that would be many frames.
 */
const FRAME_MS = 1
const FOUR_PACKETS = 5600
const FAST_FRAME_MS = 0.25
/** On long paths a frame is small beside what is under way anyway. */
const FRAMES_PER_PIPE = 256
/** On short ones the window is long before the rate is known: small frames would fill a Go receiver's 4,096. */
const SHORT_RTT_FRAME_BYTES = 16 * KIB
const MIN_FRAME_BYTES = 1400

/** A rate measured longer ago than this, milliseconds, is found anew before a path is judged by it. */
const STALE_MS = 30_000

/** The circumstances of an ack. */
export interface Landing {
  readonly now: Millis
  /** The window left no room before. */
  readonly wasFull: boolean
  /** It left after the last silence: its times tell of the path. */
  readonly isTrusted: boolean
}

export class PathWindow {
  readonly #rtt: RttEstimator
  #rate = new MaxFilter()
  #delivered = 0
  #deliveredAt = 0
  #firstSentAt = 0
  /** The samples of what was sent before so many bytes were delivered are app-limited. */
  #appLimitedUntil = 0
  #nextRound = 0
  #isRoundFull = true
  #roundFrom = 0
  #roundBegan: Millis = 0
  #flatRounds = 0
  #bestRate = 0
  #isStartup = true
  /** Since when the queue is being drained, if it is. */
  #drainSince: Millis | undefined
  #refillFrom = -Infinity
  /** When the RTT was last no longer than minimum and window explain. */
  #explainedAt: Millis = 0
  /** TCP repairs losses on this path. */
  #isLossy = false
  readonly #stalls = new StallCounter()
  readonly #jitter = new Jitter()

  constructor(rtt: RttEstimator) {
    this.#rtt = rtt
  }

  /** Delivery rate, bytes per millisecond; 0 while unknown. */
  get rate(): number {
    return this.#rate.value
  }

  /** When the newest ack came, or the first frame left since nothing was in flight. */
  get deliveredAt(): Millis {
    return this.#deliveredAt
  }

  /** The path is still being filled for the first time. */
  get isStartup(): boolean {
    return this.#isStartup
  }

  /** Bytes that may be in flight. */
  get bytes(): number {
    const pipe = this.#pipe()
    if (this.#drainSince !== undefined) return this.#drained()
    if (this.#isLossy) return Math.max(LOSSY_GAIN * pipe, this.#floor())
    if (this.#isStartup) return Math.max(INITIAL_BYTES, this.#startupGain() * pipe, this.#floor())
    // On a short path jitter is the processes' own, and the window far longer anyway.
    const jitter = this.#isShort() ? 0 : this.rate * this.#jitter.slack
    const slack = Math.max(this.rate * Math.max(LEAST_SLACK_MS, this.#roundSlackMs()), jitter)
    // Filled again as it drains: a burst of half a pipe would overflow a short queue.
    const refilled = this.#drained() + 2 * (this.#delivered - this.#refillFrom)
    return Math.min(Math.max(pipe + slack, this.#floor() + jitter), refilled)
  }

  #roundSlackMs(): number {
    const slackMs = (STEADY_GAIN - 1) * this.#rtt.min
    return this.#isQueueEmpty() ? slackMs : Math.min(slackMs, SLACK_MS)
  }

  #startupGain(): number {
    if (this.#isQueueing(this.#rtt.latest)) return STEADY_GAIN
    return this.#rtt.min < LONG_STARTUP_MS ? SHORT_STARTUP_GAIN : STARTUP_GAIN
  }

  /** Payload of a frame for this path. */
  frameBytes(maxFrameBytes: number): number {
    const short = Math.max(Math.min(this.rate * FRAME_MS, FOUR_PACKETS), this.rate * FAST_FRAME_MS)
    const least = this.#isShort() ? SHORT_RTT_FRAME_BYTES : MIN_FRAME_BYTES
    const bytes = Math.max(least, short, this.#pipe() / FRAMES_PER_PIPE)
    return Math.min(Math.floor(bytes), maxFrameBytes)
  }

  /** What the path holds without a queue, bytes. */
  #pipe(): number {
    return this.rate * (this.#rtt.min === Infinity ? 0 : this.#rtt.min)
  }

  /** What may be in flight while the queue drains. */
  #drained(): number {
    return Math.max(MIN_BYTES, this.#pipe() / 2)
  }

  /** A round trip so long tells of a queue. */
  #isQueueing(rtt: number, share = QUEUEING_SHARE): boolean {
    return rtt - this.#rtt.min > Math.max(QUEUEING_MS, share * this.#rtt.min)
  }

  /** The window is not what fills the path: it carries more than was thought. */
  #isQueueEmpty(): boolean {
    return this.#rtt.recentMin - this.#rtt.min < SLACK_MS / 2
  }

  #isShort(): boolean {
    return this.#rtt.min < SHORT_RTT_MS
  }

  #floor(): number {
    if (!this.#isShort()) return MIN_BYTES
    // Two short hops may have a slow link between them: grown into within a few round trips, which take no time here.
    const proven = MIN_BYTES + 2 * this.#delivered
    return Math.min(proven, SHORT_RTT_BYTES * Math.min(1, BUSY_RTT_MS / (this.#rtt.smoothed ?? 0)))
  }

  /** Stamps a journey that begins. `inFlight`: bytes on the way before it. */
  stamp(
    now: Millis,
    inFlight: number,
  ): Pick<Flight, 'delivered' | 'deliveredAt' | 'firstSentAt' | 'isAppLimited'> {
    if (inFlight === 0) {
      this.#firstSentAt = now
      this.#deliveredAt = now
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
  }

  /** A journey's ack came back on its subflow. */
  acked(flight: Flight, { now, wasFull, isTrusted }: Landing): void {
    const mayOverflow = this.#isQueueing(this.#rtt.recentMin, OVERFLOWING_SHARE)
    this.#stalls.acked(now, this.#rtt, wasFull && !mayOverflow)
    this.#isLossy = this.#stalls.isLossy(now)
    this.#delivered += flight.frame.size
    if (!this.#isStartup) this.#jitter.acked(now, flight.frame.size, this.rate, this.#rtt.min)
    this.#deliveredAt = now
    this.#firstSentAt = flight.sentAt
    this.#sample(flight, now, isTrusted)
    if (flight.delivered >= this.#nextRound) this.#endRound(now)
    this.#checkMinRtt(flight, now)
  }

  /** A rate measured over a silence, or with too little to send, is too low: it counts where it is higher even so. */
  #sample(flight: Flight, now: Millis, isTrusted: boolean): void {
    const elapsed = Math.max(now - flight.deliveredAt, flight.sentAt - flight.firstSentAt)
    if (elapsed <= 0) return
    const rate = (this.#delivered - flight.delivered) / elapsed
    const span = Math.max(1000, 10 * (this.#rtt.smoothed ?? 0))
    if ((isTrusted && !flight.isAppLimited) || rate > this.rate) this.#rate.update(rate, now, span)
  }

  /** What was known of the rate is old: begins anew, as the kernel below does after a silence. */
  restart(): void {
    this.#rate = new MaxFilter()
    this.#bestRate = 0
    this.#isStartup = true
    this.#drainSince = undefined
  }

  /** Nothing was sent for a while because we did not want to: the gap in the acks is no stall. */
  rested(now: Millis): void {
    this.#stalls.rested(now)
  }

  /** Nothing was delivered for so long that the rate may be another by now. */
  isStale(now: Millis): boolean {
    return now - this.#deliveredAt > STALE_MS
  }

  #endRound(now: Millis): void {
    const rate = (this.#delivered - this.#roundFrom) / (now - this.#roundBegan)
    this.#roundFrom = this.#delivered
    this.#roundBegan = now
    this.#nextRound = this.#delivered
    const isFull = this.#isRoundFull
    this.#isRoundFull = true
    // A kernel that measures its RTT (BBR) hardly sends for a round: that says nothing of the path.
    if (!this.#isStartup || !isFull || rate < FULL_RATE_SHARE * this.rate) return
    if (this.rate >= this.#bestRate * GROWTH) {
      this.#bestRate = this.rate
      this.#flatRounds = 0
    } else if (++this.#flatRounds >= FLAT_ROUNDS || this.#isQueueing(this.#rtt.recentMin))
      this.#isStartup = false
  }

  /** A minimum grown old is measured anew with the queue drained: under a standing queue it would creep up. */
  #checkMinRtt(flight: Flight, now: Millis): void {
    if (this.#isStartup) this.#explainedAt = now
    else if (this.#drainSince === undefined) {
      if (this.#isMinRttDoubtful(now)) this.#drainSince = now
    } else if (flight.sentAt > this.#drainSince) {
      this.#drainSince = undefined
      this.#refillFrom = this.#delivered
      this.#rtt.resetMin(now - flight.sentAt, now)
    }
  }

  /** Grown old; or the queue is longer than any that the window could have made. */
  #isMinRttDoubtful(now: Millis): boolean {
    const { min, minAt, recentMin } = this.#rtt
    const isOurs = this.#isLossy || this.#isShort()
    if (isOurs || recentMin < (1 + QUEUEING_SHARE) * min + LEAST_SLACK_MS) this.#explainedAt = now
    return (
      now - minAt > Math.max(MIN_RTT_WINDOW_MS, MIN_RTT_WINDOW_ROUNDS * min) ||
      now - this.#explainedAt > Math.max(DOUBT_MS, DOUBT_ROUNDS * min)
    )
  }
}

/**
 * How many bytes may be unacked on one subflow, found by probing on the ack clock: enough to keep the
 * path full, little enough that the choice of path is made late. docs/engine.md tells the design.
 */
import type { Millis } from '../clock.js'
import type { Flight } from './frames.js'
import type { RttEstimator } from './rtt.js'
import { MIN_RTT_WINDOW_MS, MIN_RTT_WINDOW_ROUNDS } from './rtt.js'
import { MaxFilter } from './max-filter.js'
import { StallCounter } from './stalls.js'

const KIB = 1024
/** Window before the first rate sample: what a kernel sends in its first flight or two. */
const INITIAL_BYTES = 64 * KIB
const MIN_BYTES = 8 * KIB
/** Under this RTT (loopback, a LAN) scheduling delays of the two processes are the longer part. */
const SHORT_RTT_MS = 2
const SHORT_RTT_BYTES = 1024 * KIB
/** Window in units of rate × minimum RTT. Between 2 and 3 lies a bad zone: pipe and queue just filled. */
const STARTUP_GAIN = 1.75
const STEADY_GAIN = 1.5
const LOSSY_GAIN = 4
/** The rate has stopped growing when so many full rounds brought less than a quarter more. */
const FLAT_ROUNDS = 3
const GROWTH = 1.25
/** A frame is about what the path delivers in this time. */
const FRAME_MS = 2.5
const MIN_FRAME_BYTES = 1400
/** While the rate is still growing, frames run ahead of it, so that they don't get too many. */
const STARTUP_FRAME_BYTES = 16 * KIB
const STARTUP_FRAMES = 16

/** A rate measured longer ago than this, milliseconds, is found anew before a path is judged by it. */
const STALE_MS = 30_000

/** The circumstances of an ack. */
export interface Landing {
  readonly now: Millis
  /** Bytes that are still on the way. */
  readonly inFlight: number
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
  #flatRounds = 0
  #bestRate = 0
  #isStartup = true
  #drain: 'no' | 'draining' | 'drained' = 'no'
  #drainedAt: Millis = 0
  /** TCP repairs losses on this path. */
  #isLossy = false
  readonly #stalls = new StallCounter()

  constructor(rtt: RttEstimator) {
    this.#rtt = rtt
  }

  /** Delivery rate, bytes per millisecond; 0 while unknown. */
  get rate(): number {
    return this.#rate.value
  }

  /** The path is still being filled for the first time. */
  get isStartup(): boolean {
    return this.#isStartup
  }

  /** Bytes that may be in flight. */
  bytes(maxFrameBytes: number): number {
    const pipe = this.#pipe()
    if (this.#isStartup) return Math.max(INITIAL_BYTES, STARTUP_GAIN * pipe, this.#floor())
    if (this.#drain !== 'no') return Math.max(MIN_BYTES, pipe / 2)
    const gain = this.#isLossy ? LOSSY_GAIN : STEADY_GAIN
    return Math.max(gain * pipe, pipe + 2 * this.frameBytes(maxFrameBytes), this.#floor())
  }

  /** Payload of a frame for this path. */
  frameBytes(maxFrameBytes: number): number {
    let bytes = Math.max(MIN_FRAME_BYTES, Math.floor(this.rate * FRAME_MS))
    if (this.rate === 0) bytes = STARTUP_FRAME_BYTES
    else if (this.#isStartup)
      bytes = Math.max(bytes, Math.min(STARTUP_FRAME_BYTES, Math.floor(this.#pipe() / STARTUP_FRAMES)))
    return Math.min(bytes, maxFrameBytes)
  }

  /** What the path holds without a queue, bytes. */
  #pipe(): number {
    return this.rate * (this.#rtt.min === Infinity ? 0 : this.#rtt.min)
  }

  #floor(): number {
    return this.#rtt.min < SHORT_RTT_MS ? SHORT_RTT_BYTES : MIN_BYTES
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
  acked(flight: Flight, { now, inFlight, wasFull, isTrusted }: Landing): void {
    if (this.#isStartup) this.#stalls.ignore(now, this.#rtt.smoothed ?? 0)
    else this.#stalls.acked(now, this.#rtt.min, this.#rtt.smoothed ?? 0, wasFull)
    this.#isLossy = this.#stalls.isLossy(now)
    this.#delivered += flight.frame.size
    this.#deliveredAt = now
    this.#firstSentAt = flight.sentAt
    // A rate measured over a silence is too low, but a slow path is silent from its first frame on.
    if (isTrusted || this.rate === 0) this.#sample(flight, now)
    if (flight.delivered >= this.#nextRound) this.#endRound()
    this.#checkMinRtt(flight, inFlight, now)
  }

  #sample(flight: Flight, now: Millis): void {
    const elapsed = Math.max(now - flight.deliveredAt, flight.sentAt - flight.firstSentAt)
    if (elapsed <= 0) return
    const rate = (this.#delivered - flight.delivered) / elapsed
    const span = Math.max(1000, 10 * (this.#rtt.smoothed ?? 0))
    if (!flight.isAppLimited || rate > this.#rate.value) this.#rate.update(rate, now, span)
  }

  /** What was known of the rate is old: begins anew, as the kernel below does after a silence. */
  restart(): void {
    this.#rate = new MaxFilter()
    this.#bestRate = 0
    this.#flatRounds = 0
    this.#isStartup = true
    this.#isLossy = false
    this.#drain = 'no'
    this.#nextRound = this.#delivered
  }

  /** Nothing was delivered for so long that the rate may be another by now. */
  isStale(now: Millis): boolean {
    return now - this.#deliveredAt > STALE_MS
  }

  #endRound(): void {
    this.#nextRound = this.#delivered
    const isFull = this.#isRoundFull
    this.#isRoundFull = true
    if (!this.#isStartup || !isFull) return
    if (this.rate >= this.#bestRate * GROWTH) {
      this.#bestRate = this.rate
      this.#flatRounds = 0
    } else if (++this.#flatRounds >= FLAT_ROUNDS) this.#isStartup = false
  }

  /** A minimum grown old is measured anew with the queue drained: under a standing queue it would creep up. */
  #checkMinRtt(flight: Flight, inFlight: number, now: Millis): void {
    if (this.#isStartup) return
    if (this.#drain === 'no') {
      const age = Math.max(MIN_RTT_WINDOW_MS, MIN_RTT_WINDOW_ROUNDS * this.#rtt.min)
      if (now - this.#rtt.minAt > age) this.#drain = 'draining'
    } else if (this.#drain === 'draining') {
      if (inFlight > Math.max(MIN_BYTES, this.#pipe() / 2)) return
      this.#drain = 'drained'
      this.#drainedAt = now
    } else if (flight.sentAt >= this.#drainedAt) {
      this.#drain = 'no'
      this.#rtt.resetMin(now - flight.sentAt, now)
    }
  }
}

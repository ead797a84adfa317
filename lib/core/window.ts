/**
 * How many bytes may be unacked on one subflow, found by probing on the ack clock: enough to keep the
 * path full, little enough that the choice of path is made late. docs/engine.md tells the design.
 */
import type { Millis } from '../clock.js'
import type { Flight } from './frames.js'
import type { RttEstimator } from './rtt.js'
import { MIN_RTT_WINDOW_MS } from './rtt.js'
import { MaxFilter } from './max-filter.js'

const KIB = 1024
/** Window before the first rate sample: what a kernel sends in its first flight or two. */
const INITIAL_BYTES = 64 * KIB
const MIN_BYTES = 8 * KIB
/** Under this RTT (loopback, a LAN) scheduling delays of the two processes are the longer part. */
const SHORT_RTT_MS = 2
const SHORT_RTT_BYTES = 1024 * KIB
/** Window in units of rate × minimum RTT. Between 2 and 3 lies a bad zone: pipe and queue just filled. */
const STARTUP_GAIN = 4
const STEADY_GAIN = 1.5
/** The rate has stopped growing when so many full rounds brought less than a quarter more. */
const FLAT_ROUNDS = 3
const GROWTH = 1.25
/** A frame is about what the path delivers in this time. */
const FRAME_MS = 5
const MIN_FRAME_BYTES = 1400
const UNKNOWN_FRAME_BYTES = 16 * KIB

export class PathWindow {
  readonly #rtt: RttEstimator
  readonly #rate = new MaxFilter()
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
  #drainUntil = 0

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
    const pipe = this.rate * (this.#rtt.min === Infinity ? 0 : this.#rtt.min)
    if (this.#isStartup) return Math.max(STARTUP_GAIN * pipe + INITIAL_BYTES, this.#floor())
    if (this.#drainUntil > 0) return Math.max(MIN_BYTES, pipe / 2)
    return Math.max(STEADY_GAIN * pipe + this.frameBytes(maxFrameBytes), this.#floor())
  }

  /** Payload of a frame for this path. */
  frameBytes(maxFrameBytes: number): number {
    const bytes =
      this.rate === 0 ? UNKNOWN_FRAME_BYTES : Math.max(MIN_FRAME_BYTES, Math.floor(this.rate * FRAME_MS))
    return Math.min(bytes, maxFrameBytes)
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
  acked(flight: Flight, bytes: number, now: Millis): void {
    this.#delivered += bytes
    this.#deliveredAt = now
    this.#firstSentAt = flight.sentAt
    const elapsed = Math.max(now - flight.deliveredAt, flight.sentAt - flight.firstSentAt)
    if (elapsed > 0) {
      const rate = (this.#delivered - flight.delivered) / elapsed
      const span = Math.max(1000, 10 * (this.#rtt.smoothed ?? 0))
      if (!flight.isAppLimited || rate > this.#rate.value) this.#rate.update(rate, now, span)
    }
    if (flight.delivered >= this.#nextRound) this.#endRound()
    this.#checkMinRtt(now)
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
  #checkMinRtt(now: Millis): void {
    if (this.#isStartup) return
    if (this.#drainUntil > 0) {
      if (now < this.#drainUntil) return
      this.#drainUntil = 0
      this.#rtt.resetMin(this.#rtt.latest, now)
    } else if (now - this.#rtt.minAt > MIN_RTT_WINDOW_MS) {
      this.#drainUntil = now + 2 * (this.#rtt.smoothed ?? 0) + 10
    }
  }
}

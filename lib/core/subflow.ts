// SPDX-License-Identifier: Apache-2.0
/**
 * What the core knows of one subflow, written here but for what others own: `served` and `nextShared` (sender.ts), `flights`
 * (in-flight.ts), `gracefulClose` (graceful-close.ts), `isUnproven`, `isHeldBack` (join-auth.ts), `peerLabel` (peer-policy.ts).
 */
import type { Millis } from '../clock.js'
import { CODE_CAPABLE, CODE_EXTENDS, CODE_PING, CODE_PONG } from '../wire/limits.js'
import { AckWriter } from '../wire/frame.js'
import { FalseAlarms } from './false-alarms.js'
import type { Carrier, Flight, SentFrame } from './flight.js'
import { Flights } from './flight.js'
import { Forecast } from './forecast.js'
import { type GracefulClose, move, type SubflowState } from './health.js'
import type { Path } from './path.js'
import { Pings } from './pings.js'
import { Repairs } from './congestion/repairs.js'
import { RttEstimator, SmoothedRtt } from './congestion/rtt.js'
import type { SubflowView } from './scheduler.js'
import type { SubflowInit } from './init.js'
import { type Sending, type SubflowCounters, Traffic } from './tracker.js'
import { type AbuseLimiter, AbuseMeter } from './abuse-limiter.js'
import type { CongestionController } from './congestion/congestion.js'
import { PhasedWindow } from './congestion/phased-window.js'

export class Subflow implements SubflowView, Carrier {
  readonly id: number
  readonly isDialer: boolean
  readonly label: string
  readonly traffic: Traffic
  /** The path's policy, and what has been spent under it. */
  readonly path: Path
  readonly rtt: RttEstimator = new RttEstimator()
  readonly idleRtt: SmoothedRtt = new SmoothedRtt()
  readonly kernel: SubflowInit['kernel']
  readonly window: CongestionController
  readonly flights: Flights = new Flights()
  readonly acks: AckWriter = new AckWriter()
  readonly pings: Pings = new Pings()
  readonly forecast: Forecast = new Forecast(this)
  /** What the peer calls its path. */
  peerLabel: string | undefined
  served = 0
  /** Set once its path has been removed. */
  gracefulClose: GracefulClose | undefined
  /** Number of the next frame to look at that every path is to carry. */
  nextShared = 0
  lastHeardAt: Millis
  readonly joinedAt: Millis
  /** It has yet to prove that it belongs to the connection; and it is not read until it is known whether it has to. */
  isUnproven = false
  isHeldBack = false
  readonly waste: AbuseMeter
  /** When it is read again; `undefined` where it is read. */
  throttledUntil: Millis | undefined
  /** The peer has answered a ping of ours on it, or proved itself; on the first one, which is the connection, it need not. */
  hasAnswered: boolean
  /** RTT samples of what left before this say how long the silence was, not how long the path is. */
  trustSamplesFrom: Millis = -Infinity
  #forgivenAt: Millis = -Infinity
  #returnedAt: Millis = -Infinity
  readonly #falseAlarms = new FalseAlarms()
  #repairs: Repairs | undefined
  #unaskedPongs: number
  #wasOutage = false
  #outbox: Uint8Array[] = []
  #state: SubflowState = 'probing'
  #isBlocked = false
  /** Its socket held so many bytes when it became blocked, and so many were acked since then. */
  #socketBytes = 0
  #blockedAckedBytes = 0

  constructor(id: number, init: SubflowInit, allowance: AbuseLimiter, now: Millis) {
    const { label, tracker, path, isDialer, kernel } = init
    this.id = id
    this.isDialer = isDialer
    this.label = label
    this.traffic = new Traffic(tracker)
    this.path = path
    this.kernel = kernel
    this.window = new PhasedWindow(this.rtt, () => this.repairs, kernel)
    this.lastHeardAt = this.joinedAt = now
    this.waste = new AbuseMeter(allowance, now)
    this.hasAnswered = id === 1
    this.#unaskedPongs = isDialer ? 0 : 1
  }

  /** The first words: an answer to the peer's hello, what we are, and a question. */
  greet({ isDialer, helloAt }: SubflowInit, now: Millis): void {
    if (isDialer) {
      this.sampleRtt(now - helloAt, now, true)
      this.acks.add(CODE_PONG)
    } else this.pings.expect(helloAt)
    this.acks.add(CODE_EXTENDS)
    this.acks.add(CODE_CAPABLE)
    this.ping(now)
  }

  get state(): SubflowState {
    return this.#state
  }

  /** @returns the state before */
  moveTo(state: SubflowState): SubflowState {
    const from = this.#state
    this.#state = move(from, state)
    if (state === 'closed') this.waste.isThrottled = false
    return from
  }

  get smoothedRttMs(): number {
    return this.#currentRtt().smoothed ?? Infinity
  }

  get rttVarianceMs(): number {
    return this.#currentRtt().variance
  }

  /** With nothing in flight the queue that we made is gone, and what was measured under it says nothing. */
  #currentRtt(): SmoothedRtt {
    return this.inFlightBytes === 0 && this.idleRtt.smoothed !== undefined ? this.idleRtt : this.rtt
  }

  /** What the oldest ack due takes: as measured, or longer where the ack before it came late. */
  get expectedRttMs(): number | undefined {
    const { oldestFlight, rtt } = this
    if (rtt.smoothed === undefined || oldestFlight === undefined) return rtt.smoothed
    // What a silence has held up says nothing of how long the path takes.
    const sentAt = Math.max(oldestFlight.sentAt, this.#returnedAt)
    // All that left before it has been delivered: so it is being delivered since then.
    const behindMs = Math.max(0, this.window.deliveredAt - sentAt)
    return Math.max(rtt.smoothed, behindMs + this.window.transferMs(oldestFlight.frame.size))
  }

  /** Silence after sending that jitter does not explain, milliseconds; never under `floor`. */
  timeoutMs(floor: number): number {
    const { expectedRttMs = 0, rtt } = this
    return rtt.timeout(floor) + expectedRttMs - (rtt.smoothed ?? 0)
  }

  /** Stalls of its acks; made when the first frame is acked. */
  get repairs(): Repairs {
    return (this.#repairs ??= new Repairs())
  }

  get isStartup(): boolean {
    return this.window.isStartup
  }

  get bytesPerMs(): number {
    return Math.min(this.window.rate, this.path.bytesPerMs)
  }

  get weight(): number {
    return this.path.weight
  }

  /** Payload bytes in flight on it. */
  get inFlightBytes(): number {
    return this.flights.bytes
  }

  /** The socket's own buffer is full: nothing more until it drains. */
  get isBlocked(): boolean {
    return this.#isBlocked
  }

  /** @param socketBytes - what its socket holds */
  blocked(socketBytes: number): void {
    this.#isBlocked = true
    this.#socketBytes = socketBytes
  }

  drained(): void {
    this.#isBlocked = false
    this.#blockedAckedBytes = 0
  }

  carriedAcked(bytes: number): void {
    if (this.#isBlocked) this.#blockedAckedBytes += bytes
  }

  /** Bytes that were acked and may still lie in its socket: its peer acks what it has not read. */
  get ackedInSocket(): number {
    return Math.min(this.#blockedAckedBytes, this.#socketBytes)
  }

  get oldestFlight(): Flight | undefined {
    return this.flights.oldest
  }

  /** Since when the peer owes an answer; Infinity where it owes none. */
  get owedSince(): Millis {
    return Math.min(this.oldestFlight?.sentAt ?? Infinity, this.pings.owedSince ?? Infinity)
  }

  /** When the peer answered at last what came on it: a ping, or a frame. */
  get answeredAt(): Millis {
    return Math.max(this.pings.answeredAt, this.flights.ackedAt)
  }

  /** Something came in. `suspectMs`: the least silence that is suspect on a path without a history. */
  heard(now: Millis, suspectMs: number): void {
    const silence = now - Math.max(this.lastHeardAt, now - this.lastHeardAt > suspectMs ? this.owedSince : 0)
    if (silence > suspectMs && this.#falseAlarms.ended(silence, this.#usualWaitMs(suspectMs), now))
      this.#wasOutage = true
    this.lastHeardAt = now
    this.#forgivenAt = -Infinity
  }

  /** Silence that is unusual for this path, milliseconds. */
  silenceMs(suspectMs: number): number {
    return this.#falseAlarms.wait(this.#usualWaitMs(suspectMs), this.lastHeardAt)
  }

  #usualWaitMs(suspectMs: number): number {
    return Math.max(suspectMs, 1.25 * (this.expectedRttMs ?? this.timeoutMs(suspectMs)))
  }

  /** Writes a ping, unless too many are unanswered. */
  ping(now: Millis): void {
    if (this.pings.leave(now)) this.acks.add(CODE_PING)
  }

  /** A pong came; one without a ping is ignored. */
  ponged(now: Millis): void {
    const sentAt = this.pings.answered(now)
    if (sentAt === undefined) return
    if (this.#unaskedPongs > 0) this.#unaskedPongs--
    else this.hasAnswered = true
    const isIdle = this.inFlightBytes === 0
    // While it was silent, the earlier ones measured how long that was.
    if (sentAt >= (this.#state === 'suspect' ? this.pings.lastAt : this.trustSamplesFrom))
      this.sampleRtt(now - sentAt, now, isIdle && this.flights.ackedAt <= sentAt)
    // Left out for long, a path may have become worth its share.
    if (isIdle && this.window.isStale(now)) this.window.restart()
  }

  get counters(): Readonly<SubflowCounters> {
    return this.traffic.counters
  }

  /** A data frame leaves at the next flush. */
  send({ wire, size }: SentFrame, sending: Sending): void {
    for (const piece of wire) this.#outbox.push(piece)
    this.traffic.sent(size, sending)
  }

  /** Everything for the socket, acks first; empty where there is nothing. */
  takeOutput(): Uint8Array[] {
    const chunks = this.#outbox
    if (this.acks.length > 0) chunks.unshift(this.acks.take())
    if (chunks.length > 0) this.#outbox = []
    return chunks
  }

  /** It has become suspect: what its acks would say is how long the silence was. */
  suspected(now: Millis): void {
    this.trustSamplesFrom = now
    this.#wasOutage = false
    this.ping(now)
  }

  /** It has answered after it was suspect. After an outage, the kernel's own window has collapsed, and ours is found anew. */
  returned(now: Millis): void {
    this.#returnedAt = now
    this.trustSamplesFrom = Math.max(this.trustSamplesFrom, this.pings.lastAt)
    if (this.#wasOutage) this.window.restart()
  }

  /**
   * Time stood still for us: neither silence nor round trips of before say anything about the path.
   *
   * @param howOften - `once` in a silence: a process that is always late would never notice one
   */
  forgiveSilence(now: Millis, howOften?: 'once'): void {
    this.trustSamplesFrom = now
    if (howOften === 'once' && this.lastHeardAt === this.#forgivenAt) return
    this.lastHeardAt = now
    this.#forgivenAt = now
  }

  /** It is not read until then. */
  throttle(until: Millis): void {
    this.throttledUntil = until
    this.waste.isThrottled = true
  }

  /** It is read again. */
  unthrottle(now: Millis): void {
    this.throttledUntil = undefined
    this.waste.isThrottled = false
    this.forgiveSilence(now)
  }

  /** @param isIdle - nothing else was in flight when this left */
  sampleRtt(rtt: number, now: Millis, isIdle: boolean): void {
    this.rtt.sample(rtt, now)
    if (isIdle) this.idleRtt.smooth(rtt)
    this.traffic.tracker.updateRTT(rtt)
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * How much a sender's kernel puts on its path: CUBIC (RFC 9438) with HyStart, and the first BBR, both roughly. What
 * they are not true in: BBR has no long-term sampling and no recovery of its own, CUBIC no pacing, no PRR and no ECN;
 * an ack is one segment's, takes the link's delay without a queue, and is never lost.
 */
import type { Millis } from '../clock.js'

/** Whose window stands between a stream and its link; `none`: the link alone decides, and queues never overflow. */
export type Kernel = 'none' | 'cubic' | 'bbr'
export const KERNELS: readonly Kernel[] = ['none', 'cubic', 'bbr']

/** Payload of a full TCP segment on Ethernet, bytes. */
export const SEGMENT_BYTES = 1448
const INITIAL_BYTES = 10 * SEGMENT_BYTES

/** What is remembered of a segment under way. */
export interface Departure {
  readonly bytes: number
  readonly sentAt: Millis
  readonly delivered: number
  readonly deliveredAt: Millis
  /** When what was acked last before it had left. */
  readonly firstSentAt: Millis
  /** There was too little to send: it may have gone faster. */
  readonly isStarved: boolean
}

export abstract class KernelWindow {
  /** Sent, and neither acked nor known to be lost. */
  protected inFlight = 0
  protected minRtt: Millis = Infinity
  #starvedUntil = -1
  #delivered = 0
  #deliveredAt: Millis = 0
  #firstSentAt: Millis = 0

  /** Bytes that may leave now; 0 where none may. */
  protected abstract room(now: Millis): number
  /** When pacing lets the next segment go. */
  abstract get paceAt(): Millis

  /**
   * Whole packets that may leave at once now, of `bytes` that wait; 0 where none may. While acks are still to come, few
   * wait for more, as with TSO.
   */
  burst(bytes: number, now: Millis): number {
    const room = this.room(now)
    if (room < Math.max(SEGMENT_BYTES, Math.min(bytes, (room + this.inFlight) / 3))) return 0
    return Math.min(bytes, room - (room % SEGMENT_BYTES))
  }

  sent(bytes: number, now: Millis): Departure {
    if (this.inFlight === 0) this.#deliveredAt = this.#firstSentAt = now
    this.inFlight += bytes
    return {
      bytes,
      sentAt: now,
      delivered: this.#delivered,
      deliveredAt: this.#deliveredAt,
      firstSentAt: this.#firstSentAt,
      isStarved: this.#delivered < this.#starvedUntil,
    }
  }

  acked(departure: Departure, now: Millis): void {
    const { bytes, sentAt, delivered, deliveredAt, firstSentAt } = departure
    this.inFlight = Math.max(0, this.inFlight - bytes)
    this.#delivered += bytes
    this.#deliveredAt = now
    this.#firstSentAt = sentAt
    // Neither faster than it left nor than it was acked, as Linux has it.
    const rate = (this.#delivered - delivered) / Math.max(now - deliveredAt, sentAt - firstSentAt, 0.01)
    this.onAck(departure, now - sentAt, rate, now)
  }

  lost(departure: Departure, now: Millis): void {
    this.inFlight = Math.max(0, this.inFlight - departure.bytes)
    this.onLoss(departure, now)
  }

  /** There was room, and nothing to send. */
  starved(): void {
    this.#starvedUntil = this.#delivered + this.inFlight + 1
  }

  /** The retransmission timer has expired, or the link has swallowed everything: all is sent anew. */
  collapsed(): void {
    this.inFlight = 0
  }

  protected abstract onAck(departure: Departure, rtt: Millis, rate: number, now: Millis): void
  protected abstract onLoss(departure: Departure, now: Millis): void
}

/** @returns `undefined` for `none` */
export function kernelWindow(kernel: Kernel): KernelWindow | undefined {
  if (kernel === 'cubic') return new Cubic()
  return kernel === 'bbr' ? new Bbr() : undefined
}

class Cubic extends KernelWindow {
  #window = INITIAL_BYTES
  #threshold = Infinity
  /** Window before the last reduction, segments. */
  #most = 0
  #epoch: Millis = 0
  #reducedAt: Millis = -Infinity

  get paceAt(): Millis {
    return 0
  }

  protected room(): number {
    return Math.max(0, this.#window - this.inFlight)
  }

  protected onAck({ bytes }: Departure, rtt: Millis, _rate: number, now: Millis): void {
    this.minRtt = Math.min(this.minRtt, rtt)
    // What was not used is not grown.
    if (this.inFlight + bytes < this.#window / 2) return
    if (this.#window < this.#threshold) {
      const late = Math.min(16, Math.max(4, this.minRtt / 8))
      if (rtt > this.minRtt + late && this.#window > 16 * SEGMENT_BYTES) this.#leaveSlowStart(now)
      else this.#window += bytes
      return
    }
    const seconds = (now - this.#epoch + this.minRtt) / 1000
    const target = (0.4 * (seconds - Math.cbrt(this.#most * 0.75)) ** 3 + this.#most) * SEGMENT_BYTES
    const reno = (0.53 * SEGMENT_BYTES * bytes) / this.#window
    const growth = target > this.#window ? ((target - this.#window) * bytes) / this.#window : 0
    this.#window += Math.max(reno, Math.min(growth, bytes / 2))
  }

  #leaveSlowStart(now: Millis): void {
    this.#threshold = this.#window
    this.#most = this.#window / SEGMENT_BYTES
    this.#epoch = now - Math.cbrt(this.#most * 0.75) * 1000
  }

  protected onLoss({ sentAt }: Departure, now: Millis): void {
    // Once for all that left before the reduction.
    if (sentAt <= this.#reducedAt) return
    this.#reducedAt = now
    this.#epoch = now
    const segments = this.#window / SEGMENT_BYTES
    this.#most = segments < this.#most ? segments * 0.85 : segments
    this.#window = Math.max(2 * SEGMENT_BYTES, this.#window * 0.7)
    this.#threshold = this.#window
  }
}

/** What was acked in one go beyond what the rate explains: the largest of the last five to ten rounds. */
class Bunches {
  #since: Millis = 0
  #acked = 0
  #round = 0
  #now = 0
  #before = 0

  get bytes(): number {
    return Math.max(this.#now, this.#before)
  }

  acked(bytes: number, now: Millis, { rate, round }: { rate: number; round: number }): void {
    if (round - this.#round >= 5) {
      this.#round = round
      this.#before = this.#now
      this.#now = 0
    }
    if (this.#acked <= rate * (now - this.#since)) {
      this.#since = now
      this.#acked = 0
    }
    this.#acked += bytes
    this.#now = Math.max(this.#now, this.#acked - rate * (now - this.#since))
  }
}

const HIGH_GAIN = 2.885
/** A bunch is worth no more window, milliseconds. */
const LONGEST_BUNCH_MS = 100
const CYCLE = [1.25, 0.75, 1, 1, 1, 1, 1, 1]
const PROBE_BYTES = 4 * SEGMENT_BYTES

class Bbr extends KernelWindow {
  #window = INITIAL_BYTES
  /** Bytes per millisecond, of the last ten rounds. */
  #rates: { round: number; rate: number }[] = []
  #round = 0
  #roundEndsAt = 0
  #mode: 'startup' | 'drain' | 'cruise' | 'probe' = 'startup'
  #best = 0
  #flat = 0
  #phase = 2
  #phaseBegan: Millis = 0
  #minRttAt: Millis = 0
  #probeUntil: Millis = 0
  #acked = 0
  readonly #bunches = new Bunches()
  #pace = 0
  paceAt: Millis = 0

  get #rate(): number {
    return this.#rates[0]?.rate ?? 0
  }

  protected room(now: Millis): number {
    if (now < this.paceAt) return 0
    const window = this.#mode === 'probe' ? PROBE_BYTES : this.#window
    return Math.max(0, window - this.inFlight)
  }

  override sent(bytes: number, now: Millis): Departure {
    const wanted = this.#pacingGain * this.#rate
    // Before the path is known to be full, it only rises.
    this.#pace = this.#flat >= 3 ? wanted : Math.max(wanted, this.#pace)
    if (this.#pace > 0) this.paceAt = Math.max(now, this.paceAt) + bytes / this.#pace
    return super.sent(bytes, now)
  }

  get #pacingGain(): number {
    if (this.#mode === 'startup') return HIGH_GAIN
    if (this.#mode === 'drain') return 1 / HIGH_GAIN
    return this.#mode === 'probe' ? 1 : CYCLE[this.#phase]!
  }

  protected onAck(departure: Departure, rtt: Millis, rate: number, now: Millis): void {
    this.#acked += departure.bytes
    const isNewRound = departure.delivered >= this.#roundEndsAt
    if (isNewRound) {
      this.#round++
      this.#roundEndsAt = this.#acked
    }
    if (!departure.isStarved || rate > this.#rate) this.#sample(rate)
    // What four packets bring says nothing of the path.
    if (this.#mode === 'probe') this.starved()
    if (this.minRtt === Infinity) this.#pace = (HIGH_GAIN * INITIAL_BYTES) / rtt
    this.#updateMinRtt(rtt, now)
    this.#bunches.acked(departure.bytes, now, { rate: this.#rate, round: this.#round })
    if (isNewRound && !departure.isStarved) this.#endRound()
    this.#advance(now)
    this.#resize(departure.bytes)
  }

  #resize(bytes: number): void {
    const isFull = this.#flat >= 3
    const gain = this.#mode === 'startup' || this.#mode === 'drain' ? HIGH_GAIN : 2
    const bunch = isFull ? Math.min(this.#bunches.bytes, LONGEST_BUNCH_MS * this.#rate) : 0
    const target = gain * this.#rate * this.minRtt + PROBE_BYTES + bunch
    if (isFull) this.#window = Math.min(this.#window + bytes, target)
    else if (this.#window < target || this.#acked < INITIAL_BYTES) this.#window += bytes
    this.#window = Math.max(this.#window, PROBE_BYTES)
  }

  #sample(rate: number): void {
    while (this.#rates.length > 0 && this.#rates.at(-1)!.rate <= rate) this.#rates.pop()
    this.#rates.push({ round: this.#round, rate })
    while (this.#rates[0]!.round < this.#round - 10) this.#rates.shift()
  }

  #updateMinRtt(rtt: Millis, now: Millis): void {
    const isOld = now - this.#minRttAt > 10_000
    if (rtt <= this.minRtt || isOld) {
      this.minRtt = rtt
      this.#minRttAt = now
    }
    if (isOld && this.#mode !== 'probe') {
      this.#mode = 'probe'
      this.#probeUntil = now + 200 + this.minRtt
    }
  }

  #endRound(): void {
    if (this.#mode !== 'startup') return
    if (this.#rate >= 1.25 * this.#best) {
      this.#best = this.#rate
      this.#flat = 0
    } else if (++this.#flat >= 3) this.#mode = 'drain'
  }

  #advance(now: Millis): void {
    if (this.#mode === 'drain' && this.inFlight <= this.#rate * this.minRtt) this.#mode = 'cruise'
    if (this.#mode === 'probe' && now > this.#probeUntil) {
      this.#mode = this.#flat >= 3 ? 'cruise' : 'startup'
      this.#minRttAt = now
    }
    if (this.#mode !== 'cruise' || now - this.#phaseBegan < this.minRtt) return
    this.#phase = (this.#phase + 1) % CYCLE.length
    this.#phaseBegan = now
  }

  protected onLoss(): void {
    // The first BBR goes by rate and delay alone.
  }
}

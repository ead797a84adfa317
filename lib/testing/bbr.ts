// SPDX-License-Identifier: Apache-2.0
/** A kernel with the first BBR, roughly: without long-term sampling, and what is lost again ends its recovery no later. */
import type { Millis } from '../clock.js'
import type { Departure } from './kernel-window.js'
import { INITIAL_BYTES, KernelWindow, SEGMENT_BYTES } from './kernel-window.js'

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

export class Bbr extends KernelWindow {
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
  /** Window before the losses under repair, when the repair began, and when the last of them was noticed. */
  #recovery: { readonly window: number; readonly began: Millis; noticedAt: Millis } | undefined
  #isConserving = false
  #pace = 0
  paceAt: Millis = 0

  get #rate(): number {
    return this.#rates[0]?.rate ?? 0
  }

  override get isModelBased(): boolean {
    return true
  }

  protected override get isRecovering(): boolean {
    return this.#recovery !== undefined
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
      this.#isConserving = false
    }
    if (departure.sentAt > (this.#recovery?.noticedAt ?? Infinity)) this.#endRecovery()
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
    if (this.#isConserving) {
      this.#window = Math.max(this.#window, this.inFlight + bytes)
      return
    }
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

  /** For a round, only what is acked is sent anew; then the window grows again. Its rate and its target are as before. */
  protected onLoss({ bytes, sentAt }: Departure, now: Millis): void {
    if (this.#recovery === undefined) {
      this.#recovery = { window: this.#window, began: now, noticedAt: now }
      this.#isConserving = true
      this.#roundEndsAt = this.#acked
      this.#window = Math.max(PROBE_BYTES, this.inFlight)
      return
    }
    this.#window = Math.max(PROBE_BYTES, this.#window - bytes)
    if (sentAt <= this.#recovery.began) this.#recovery.noticedAt = now
  }

  #endRecovery(): void {
    this.#window = Math.max(this.#window, this.#recovery!.window)
    this.#recovery = undefined
    this.#isConserving = false
  }
}

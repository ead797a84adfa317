// SPDX-License-Identifier: Apache-2.0
/** A kernel with CUBIC (RFC 9438) and HyStart, roughly: without pacing, PRR and ECN. */
import type { Millis } from '../clock.js'
import type { Departure } from './kernel-window.js'
import { INITIAL_BYTES, KernelWindow, SEGMENT_BYTES } from './kernel-window.js'

export class Cubic extends KernelWindow {
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

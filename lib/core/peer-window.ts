/**
 * What the receiver takes. The wire has no window: a receiver that is full drops frames without an ack (Go
 * and ours), or asks us to hold (ours). Either way we stop, probe with the lowest frame, and back off,
 * as TCP's persist timer does; then credit grows with acks, as after a TCP timeout.
 */
import type { Millis } from '../clock.js'
import { GO_RECEIVE_FRAMES } from '../wire/limits.js'

const FIRST_PROBE_MS = 200
const LAST_PROBE_MS = 5000
/** Frames that may be unacked when the receiver takes frames again. */
const FIRST_CREDIT = 4

export class PeerWindow {
  #isHeld = false
  #isFull = false
  #credit = Infinity
  #interval = FIRST_PROBE_MS
  #probeAt: Millis = Infinity

  /** Whether new data may go out with so many frames unacked. */
  allows(unackedFrames: number): boolean {
    return !this.#isHeld && !this.#isFull && unackedFrames < this.#credit
  }

  /** Whether frames that were dropped may go out again. */
  get allowsResend(): boolean {
    return !this.#isFull
  }

  get isStopped(): boolean {
    return this.#isHeld || this.#isFull
  }

  /** When the next probe is due; Infinity where none is wanted. */
  get probeAt(): Millis {
    return this.isStopped ? this.#probeAt : Infinity
  }

  /** The receiver dropped a frame. */
  refused(now: Millis): void {
    if (this.#isFull) return
    this.#isFull = true
    this.#probeAt = now + this.#interval
  }

  hold(now: Millis): void {
    if (!this.isStopped) this.#probeAt = now + this.#interval
    this.#isHeld = true
  }

  go(): void {
    this.#isHeld = false
    this.#isFull = false
    this.#interval = FIRST_PROBE_MS
  }

  /** A probe left; the next one takes longer. */
  probed(now: Millis): void {
    this.#interval = Math.min(this.#interval * 2, LAST_PROBE_MS)
    this.#probeAt = now + this.#interval
  }

  /** A probe was due, and no subflow could take it. */
  postponed(now: Millis): void {
    this.#probeAt = now + this.#interval
  }

  /** A frame was acked. A peer that still wants us to hold says so again. */
  acked(wasProbe: boolean): void {
    if (this.#isFull) {
      this.#isFull = false
      this.#credit = FIRST_CREDIT
      this.#interval = FIRST_PROBE_MS
    } else if (this.#credit < GO_RECEIVE_FRAMES) this.#credit++
    else this.#credit = Infinity
    if (wasProbe) this.#isHeld = false
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * What the receiver takes. One of ours says how far: we stop there, and ask again in case that word is lost. Others drop
 * frames without an ack (Go, and ours beyond what they said), or ask us to hold (ours of an earlier version): we stop, probe
 * with the lowest frame, and back off, as TCP's persist timer does; then credit grows with acks, as after a TCP timeout.
 */
import type { Millis } from '../clock.js'
import { GO_RECEIVE_FRAMES } from '../wire/limits.js'

const FIRST_PROBE_MS = 200
const LAST_PROBE_MS = 5000
/** Frames that may be unacked when the receiver takes frames again. */
const FIRST_CREDIT = 4
/** A reader that took fewer frames between two drops is given longer: each time a few frames are lost. */
const WORTHWHILE_FRAMES = 128

export class PeerWindow {
  /** The peer takes payload up to this byte, counted from the first byte of the connection. */
  #limit = Infinity
  /** Data waits for a higher limit. */
  #isAwaited = false
  #isHeld = false
  #isFull = false
  #credit = Infinity
  /** Credit grows by a frame for each ack up to here, then by one a round: about what the reader takes. */
  #threshold = Infinity
  #droppedAt: Millis = -Infinity
  /** Frames acked since the receiver last took frames again. */
  #taken = 0
  #interval = FIRST_PROBE_MS
  #probeAt: Millis = Infinity

  /** Whether new data may go out while this many frames are unacked. */
  allows(unackedFrames: number): boolean {
    return !this.#isHeld && !this.#isFull && unackedFrames < this.#credit
  }

  /** Whether a frame may go out again while this many others are on their way. */
  allowsResend(inFlightFrames: number): boolean {
    return !this.#isFull && inFlightFrames < this.#credit
  }

  /** How many bytes may be cut into frames after `cutBytes` that were. */
  roomAfter(cutBytes: number): number {
    return Math.max(0, this.#limit - cutBytes)
  }

  get isStopped(): boolean {
    return this.#isHeld || this.#isFull
  }

  /** When the next probe is due, or, where nothing else stops us, the question for the limit; Infinity for never. */
  get probeAt(): Millis {
    return this.isStopped || this.#isAwaited ? this.#probeAt : Infinity
  }

  /** It said how far it takes data. What it says on several subflows may overtake itself, and it takes nothing back. */
  opened(limitBytes: number): void {
    this.#isHeld = false
    if (this.#limit !== Infinity && limitBytes <= this.#limit) return
    this.#limit = limitBytes
    if (this.#isAwaited && !this.isStopped) this.#interval = FIRST_PROBE_MS
    this.#isAwaited = false
  }

  /** Data waits, and nothing of it may be cut. */
  awaited(now: Millis): void {
    if (!this.#isAwaited && !this.isStopped) this.#probeAt = now + this.#interval
    this.#isAwaited = true
  }

  /** The receiver dropped a frame. */
  dropped(now: Millis): void {
    if (this.#isFull) return
    this.#isFull = true
    if (this.#taken >= WORTHWHILE_FRAMES) this.#interval = Math.max(FIRST_PROBE_MS, this.#interval / 4)
    this.#probeAt = now + this.#interval
    if (now - this.#droppedAt > FIRST_PROBE_MS / 2) this.#threshold = this.#credit / 2
    this.#droppedAt = now
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
    this.#taken++
    if (this.#isFull) {
      this.#isFull = false
      this.#credit = FIRST_CREDIT
      this.#taken = 0
    } else if (this.#credit < GO_RECEIVE_FRAMES)
      this.#credit += this.#credit < this.#threshold ? 1 : 1 / this.#credit
    else this.#credit = Infinity
    if (wasProbe) this.#isHeld = false
  }
}

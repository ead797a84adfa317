// SPDX-License-Identifier: Apache-2.0
/** Takes data frames in, acks them, and tells a peer of our kind when the reader is slow. */
import type { Millis } from '../clock.js'
import { CODE_GO, CODE_HOLD } from '../wire/limits.js'
import { ackerFor, isOpen } from './graceful-close.js'
import type { ResolvedConnOptions } from './options.js'
import type { Peer } from './peer-profile.js'
import { ReorderWindow } from './reorder.js'
import type { Subflow } from './subflow.js'
import { FRAME_COST_BYTES } from './abuse-limiter.js'

/** Data received since the last flush after which acks no longer wait for the end of the turn, bytes. */
const ACK_BATCH_BYTES = 262_144
/** A round trip counts as at least so long, milliseconds: on loopback it would be each frame. */
const LEAST_ROUND_MS = 10

export class Receiver {
  readonly window: ReorderWindow
  readonly #peer: Peer
  readonly #subflows: readonly Subflow[]
  readonly #options: ResolvedConnOptions
  #isHolding = false
  #heldAt: Millis = 0
  /** Subflows on which the peer was told to hold, or last to go on, and that live. */
  readonly #toldOn = new Set<Subflow>()
  /** Highest number of a frame that was dropped, or that a closing subflow cut. */
  #cutFrame = 0
  /** Bytes of data frames that arrived since the acks were last sent. */
  bytesSinceFlush = 0
  /** Frames that were kept: neither dropped nor seen before. */
  storedFrames = 0
  /** A hold or go waits to be sent. */
  hasNews = false

  constructor(peer: Peer, subflows: readonly Subflow[], options: ResolvedConnOptions) {
    this.#peer = peer
    this.#subflows = subflows
    this.#options = options
    this.window = new ReorderWindow(options)
  }

  /** Grows with all that the reader takes; what is only kept may be a flood's as well. */
  get progress(): number {
    return this.storedFrames * FRAME_COST_BYTES + this.window.takenBytes
  }

  get isAckDue(): boolean {
    return this.bytesSinceFlush >= ACK_BATCH_BYTES
  }

  /** A whole frame arrived on `subflow`. `pieces` is missing where it was judged not worth keeping. */
  data(subflow: Subflow, fn: number, size: number, pieces: Uint8Array[] | undefined): void {
    this.bytesSinceFlush += size
    subflow.traffic.received(size)
    const verdict = this.window.judge(fn, size)
    if (verdict === 'store' && pieces !== undefined) {
      this.window.store(fn, size, pieces)
      this.storedFrames++
    } else {
      subflow.waste.add(size)
      // Judged anew when whole: another copy may have come in first. A dropped one gets no ack, as from Go.
      if (verdict !== 'duplicate') {
        this.cut(fn)
        return
      }
    }
    ackerFor(subflow, this.#subflows).acks.add(fn)
  }

  /** A slow reader asks a peer that obeys to hold at a quarter of the budget: what is on its way needs the rest. */
  announce(bringer: Subflow | undefined, now: Millis): void {
    if (!this.#peer.profile.obeysHold) return
    const unread = this.window.unreadBytes
    const { maxUnreadBytes } = this.#options
    if (unread > maxUnreadBytes / 4) {
      if (bringer !== undefined && this.#isHoldDue(bringer, now)) this.#hold(bringer, now)
    } else if (this.#isHolding && unread <= maxUnreadBytes / 8) this.#go()
  }

  /** A subflow is gone, or silent: what was said there and nowhere else is said again. */
  lost(subflow: Subflow): void {
    if (!this.#toldOn.delete(subflow) || this.#toldOn.size > 0) return
    const other = this.#quickest()
    if (other !== undefined) this.#say(this.#isHolding ? CODE_HOLD : CODE_GO, other)
  }

  /** Said again with what still comes a round trip later: the last one may have died with its subflow. */
  #isHoldDue({ smoothedRttMs }: Subflow, now: Millis): boolean {
    const roundMs = Math.max(LEAST_ROUND_MS, Number.isFinite(smoothedRttMs) ? smoothedRttMs : 0)
    return !this.#isHolding || now - this.#heldAt >= roundMs
  }

  /** On one subflow: on all of them, each little frame would cost as many writes as there are subflows. */
  #hold(bringer: Subflow, now: Millis): void {
    if (!this.#isHolding) this.#toldOn.clear()
    this.#isHolding = true
    this.#heldAt = now
    this.#say(CODE_HOLD, ackerFor(bringer, this.#subflows))
  }

  /** Wherever the peer was told to hold, since the one must not overtake the other, and where it is there soonest. */
  #go(): void {
    this.#isHolding = false
    const quickest = this.#quickest()
    if (quickest !== undefined) this.#toldOn.add(quickest)
    for (const subflow of this.#toldOn) this.#say(CODE_GO, subflow)
  }

  #quickest(): Subflow | undefined {
    const open = this.#subflows.filter((subflow) => subflow.state === 'up' && isOpen(subflow))
    return open.sort((a, b) => a.smoothedRttMs - b.smoothedRttMs)[0]
  }

  /** All that was due has left. */
  flushed(): void {
    this.bytesSinceFlush = 0
    this.hasNews = false
  }

  #say(code: number, subflow: Subflow): void {
    this.hasNews = true
    this.#toldOn.add(subflow)
    subflow.acks.add(code)
  }

  /** This frame was dropped, or a subflow closed inside it: unless another copy comes, it is missing. */
  cut(fn: number | undefined): void {
    if (fn !== undefined && fn > this.#cutFrame) this.#cutFrame = fn
  }

  /** A frame is missing that was seen and not kept, or that a later one shows. */
  get hasHole(): boolean {
    return this.window.outOfOrderBytes > 0 || this.window.isMissing(this.#cutFrame)
  }

  /** Little more fits in front of the reader: what the sockets bring until they stop needs the rest. */
  get isFull(): boolean {
    return this.window.unreadBytes > this.#options.maxUnreadBytes * 0.75
  }
}

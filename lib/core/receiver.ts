// SPDX-License-Identifier: Apache-2.0
/** Takes data frames in, acks them, and tells a peer of our kind when the reader is slow. */
import { CODE_GO, CODE_HOLD } from '../wire/limits.js'
import { ackerFor } from './leave.js'
import type { ResolvedConnOptions } from './options.js'
import { ReorderWindow } from './reorder.js'
import type { Subflow } from './subflow.js'
import { FRAME_COST_BYTES } from './waste.js'

/** Data received since the last flush after which acks no longer wait for the end of the turn, bytes. */
const ACK_BATCH_BYTES = 262_144

export class Receiver {
  readonly window: ReorderWindow
  readonly #subflows: readonly Subflow[]
  readonly #options: ResolvedConnOptions
  #isHolding = false
  /** Highest number of a frame that was refused, or that a closing subflow cut. */
  #cutFrame = 0
  /** Bytes of data frames that arrived since the acks were last sent. */
  bytesSinceFlush = 0
  /** Frames that were kept: neither refused nor seen before. */
  storedFrames = 0
  /** A hold or go waits to be sent. */
  hasNews = false

  constructor(subflows: readonly Subflow[], options: ResolvedConnOptions) {
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
    subflow.counters.framesReceived++
    subflow.counters.bytesReceived += size
    subflow.tracker.onRecv(size)
    const verdict = this.window.judge(fn, size)
    if (verdict === 'store' && pieces !== undefined) {
      this.window.store(fn, size, pieces)
      this.storedFrames++
    } else {
      subflow.waste.add(size)
      // Judged anew when whole: another copy may have come in first. A refused one gets no ack, as from Go.
      if (verdict !== 'duplicate') {
        this.cut(fn)
        return
      }
    }
    ackerFor(subflow, this.#subflows).acks.add(fn)
  }

  /** A slow reader asks a peer of our kind to hold at a quarter of the budget: what is on its way needs the rest. */
  announce(isCapable: boolean, gotData: boolean): void {
    if (!isCapable) return
    const unread = this.window.unreadBytes
    const { maxUnreadBytes } = this.#options
    if (unread > maxUnreadBytes / 4) {
      // Said again with each batch that still comes: the last one may have died with its subflow.
      if (!this.#isHolding || gotData) this.#say(CODE_HOLD)
      this.#isHolding = true
    } else if (this.#isHolding && unread <= maxUnreadBytes / 8) {
      this.#isHolding = false
      this.#say(CODE_GO)
    }
  }

  /** All that was due has left. */
  flushed(): void {
    this.bytesSinceFlush = 0
    this.hasNews = false
  }

  #say(code: number): void {
    this.hasNews = true
    for (const subflow of this.#subflows) if (subflow.state !== 'closed') subflow.acks.add(code)
  }

  /** This frame was refused, or a subflow closed inside it: unless another copy comes, it is missing. */
  cut(fn: number | undefined): void {
    if (fn !== undefined && fn > this.#cutFrame) this.#cutFrame = fn
  }

  /** A frame is missing that was seen and not kept, or that a later one shows. */
  get hasHole(): boolean {
    return this.window.heldBytes > 0 || this.window.isMissing(this.#cutFrame)
  }

  /** Little more fits in front of the reader: what the sockets bring until they stop needs the rest. */
  get isFull(): boolean {
    return this.window.unreadBytes > this.#options.maxUnreadBytes * 0.75
  }
}

// SPDX-License-Identifier: Apache-2.0
/** Takes data frames in, and acks them. */
import type { Millis } from '../clock.js'
import { BackPressure } from './back-pressure.js'
import { ackerFor } from './graceful-close.js'
import type { ResolvedConnOptions } from './options.js'
import type { Peer } from './peer-profile.js'
import { ReorderWindow } from './reorder.js'
import { StarvingReader } from './starving-reader.js'
import type { Subflow } from './subflow.js'
import { FRAME_COST_BYTES } from './abuse-limiter.js'

/** Data received since the last flush after which acks no longer wait for the end of the turn, bytes. */
const ACK_BATCH_BYTES = 262_144

export class Receiver {
  readonly window: ReorderWindow
  readonly pressure: BackPressure
  readonly starving: StarvingReader
  readonly #subflows: readonly Subflow[]
  readonly #options: ResolvedConnOptions
  /** Highest number of a frame that was dropped, or that a closing subflow cut. */
  #cutFrame = 0
  /** The frame that was dropped last, whole. */
  #refused: { readonly fn: number; readonly size: number } | undefined
  /** Bytes of data frames that arrived since the acks were last sent. */
  bytesSinceFlush = 0
  /** Frames that were kept: neither dropped nor seen before. */
  storedFrames = 0

  constructor(peer: Peer, subflows: readonly Subflow[], options: ResolvedConnOptions) {
    this.#subflows = subflows
    this.#options = options
    this.window = new ReorderWindow(options)
    this.pressure = new BackPressure(peer, subflows, options, this.window)
    this.starving = new StarvingReader(peer, this.window)
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
        this.#refused = { fn, size }
        this.cut(fn)
        return
      }
    }
    ackerFor(subflow, this.#subflows).acks.add(fn)
  }

  /** Tells the peer what follows from data that has come, or been taken. @param bringer - the subflow that brought it */
  announce(bringer: Subflow | undefined, now: Millis): void {
    this.pressure.announce(bringer, now)
    this.starving.review(bringer, now)
  }

  /** A word to the peer waits to be sent. */
  get hasNews(): boolean {
    return this.pressure.hasNews || this.starving.hasNews
  }

  /** All that was due has left. */
  flushed(): void {
    this.bytesSinceFlush = 0
    this.pressure.flushed()
    this.starving.flushed()
  }

  /** This frame was dropped, or a subflow closed inside it: unless another copy comes, it is missing. */
  cut(fn: number | undefined): void {
    if (fn !== undefined && fn > this.#cutFrame) this.#cutFrame = fn
  }

  /** A frame is missing that was seen and not kept, or that a later one shows. */
  get hasHole(): boolean {
    return this.window.outOfOrderBytes > 0 || this.window.isMissing(this.#cutFrame)
  }

  /** The reader has no room for the frame that it waits for: no path is to blame that it is missing. */
  get hasNoRoom(): boolean {
    if (this.isFull) return true
    const { fn, size } = this.#refused ?? { fn: 0, size: 0 }
    return fn === this.window.nextFrame && this.window.judge(fn, size) === 'drop'
  }

  /** Little more fits in front of the reader: what the sockets bring until they stop needs the rest. */
  get isFull(): boolean {
    return this.window.unreadBytes > this.#options.maxUnreadBytes * 0.75
  }
}

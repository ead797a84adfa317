// SPDX-License-Identifier: Apache-2.0
/** Frames received: in order and unread, or ahead of a missing one. Two budgets bound it. */
import { FIRST_FRAME, GO_RECEIVE_FRAMES } from '../wire/limits.js'
import { ByteQueue, isPinning } from '../wire/byte-queue.js'
import type { Range } from '../wire/have.js'
import type { Payload } from '../wire/payload.js'
import { Unfinished } from './unfinished.js'

/** What becomes of a frame that arrives. */
export type Verdict = 'store' | 'duplicate' | 'drop'

/** With more than this unread, pieces are kept long enough for that to matter. */
const SLOW_READER_BYTES = 262_144

export interface ReorderLimits {
  readonly maxUnreadBytes: number
  readonly maxReorderBytes: number
}

export class ReorderWindow {
  readonly #limits: ReorderLimits
  readonly #outOfOrder = new Map<number, Uint8Array[]>()
  #outOfOrderBytes = 0
  #next = FIRST_FRAME
  readonly #ready = new ByteQueue()
  readonly #unfinished = new Unfinished()
  #takenBytes = 0
  /** What the peer was promised room for, payload bytes from the first one on. */
  #promisedBytes: number | undefined

  constructor(limits: ReorderLimits) {
    this.#limits = limits
  }

  /** The frame that the reader waits for. */
  get nextFrame(): number {
    return this.#next
  }

  /** One above the highest frame that has come. */
  get end(): number {
    let end = this.#next
    for (const fn of this.#outOfOrder.keys()) end = Math.max(end, fn + 1)
    return end
  }

  /** What has come beyond the frame that the reader waits for, in order. */
  ranges(): Range[] {
    const ranges: [number, number][] = []
    for (const fn of [...this.#outOfOrder.keys()].sort((a, b) => a - b)) {
      const last = ranges.at(-1)
      if (last?.[1] === fn) last[1] = fn + 1
      else ranges.push([fn, fn + 1])
    }
    return ranges
  }

  /** Bytes in order that have not been taken yet. */
  get unreadBytes(): number {
    return this.#ready.bytes
  }

  /** Bytes that wait for a missing frame. */
  get outOfOrderBytes(): number {
    return this.#outOfOrderBytes
  }

  /** Bytes that the reader has taken so far. */
  get takenBytes(): number {
    return this.#takenBytes
  }

  /** Bytes of frames that have begun and not ended, as far as `maxReorderBytes` has to hold them. */
  get unfinishedBytes(): number {
    return this.#unfinished.chargedBytes
  }

  /** A frame that has not arrived has begun. */
  get hasUnfinished(): boolean {
    return !this.#unfinished.isEmpty
  }

  /** Frame `fn` begins. @returns what keeps it until it is whole; `undefined` where it is not to be kept */
  begin(fn: number, size: number): Payload | undefined {
    const joined = this.#unfinished.join(fn, size)
    if (joined !== undefined) return joined
    if (this.judge(fn, size) !== 'store') return undefined
    // The one that the reader waits for counts for what is unread, as it will: all else may wait for it.
    return this.#unfinished.begin(fn, size, fn === this.#next ? 0 : size)
  }

  /** Frame `fn` has not arrived. */
  isMissing(fn: number): boolean {
    return fn >= this.#next && !this.#outOfOrder.has(fn)
  }

  /** From now on there is room for what the peer was promised, and for nothing else. */
  promise(limitBytes: number): void {
    this.#promisedBytes = limitBytes
  }

  /** What to do with frame `fn` of `size` bytes, should all of it arrive. */
  judge(fn: number, size: number): Verdict {
    if (fn < this.#next || this.#outOfOrder.has(fn)) return 'duplicate'
    if (this.#promisedBytes !== undefined) return this.#isPromised(fn, size) ? 'store' : 'drop'
    if (fn === this.#next) return this.#fits(size) ? 'store' : 'drop'
    const isFar = fn >= this.#next + this.#reach()
    return isFar || this.#aheadBytes + size > this.#limits.maxReorderBytes ? 'drop' : 'store'
  }

  /** One that was cut before the peer had heard of a limit may be larger than all of it: it passes alone. */
  #isPromised(fn: number, size: number): boolean {
    if (fn === this.#next && this.#ready.bytes === 0) return true
    const begunBytes = this.#unfinished.chargedBytes - this.#unfinished.chargeOf(fn)
    const receivedBytes = this.#takenBytes + this.#ready.bytes + this.#outOfOrderBytes + begunBytes
    return receivedBytes + size <= this.#promisedBytes! && fn < this.#next + GO_RECEIVE_FRAMES
  }

  /** What `maxReorderBytes` holds: frames ahead, and those that were, as far as they are too many to be unread. */
  get #aheadBytes(): number {
    const excess = Math.max(0, this.#ready.bytes - this.#limits.maxUnreadBytes)
    return this.#outOfOrderBytes + this.#unfinished.chargedBytes + excess
  }

  /**
   * How far ahead frames are kept. What is kept is acked and can't be dropped again: filled in any order, as
   * a Go peer resends, the room would go to frames far ahead, and those in between would come one a round.
   */
  #reach(): number {
    const { maxReorderBytes } = this.#limits
    if (this.#outOfOrderBytes <= maxReorderBytes / 2) return GO_RECEIVE_FRAMES
    return Math.max(1, Math.floor((maxReorderBytes * this.#outOfOrder.size) / this.#outOfOrderBytes))
  }

  /** A frame larger than the whole budget still passes alone: else it never would. */
  #fits(size: number): boolean {
    return this.#ready.bytes === 0 || this.#ready.bytes + size <= this.#limits.maxUnreadBytes
  }

  /** Keeps a frame that was judged worth it, and moves what is in order now to the front. */
  store(fn: number, size: number, pieces: Uint8Array[]): void {
    this.#unfinished.forget(fn)
    if (fn !== this.#next) {
      this.#outOfOrder.set(fn, pieces.map(unpinned))
      this.#outOfOrderBytes += size
      return
    }
    this.#append(pieces)
    for (
      let next = this.#outOfOrder.get(this.#next);
      next !== undefined;
      next = this.#outOfOrder.get(this.#next)
    ) {
      this.#outOfOrder.delete(this.#next)
      const bytes = next.reduce((sum, piece) => sum + piece.length, 0)
      this.#outOfOrderBytes -= bytes
      this.#append(next)
    }
  }

  #append(pieces: Uint8Array[]): void {
    const isSlow = this.#ready.bytes > SLOW_READER_BYTES
    for (const piece of pieces) this.#ready.append(isSlow ? unpinned(piece) : piece, !isSlow)
    this.#next++
  }

  /** The next bytes in order; the caller owns them. `undefined` if there are none, or if the next piece has `shorterThan` bytes or more. */
  take(shorterThan: number = Infinity): Uint8Array | undefined {
    if (this.#ready.firstBytes >= shorterThan) return undefined
    const piece = this.#ready.takeSlice()
    this.#takenBytes += piece?.length ?? 0
    return piece
  }

  /** Drops all that is kept. */
  clear(): void {
    this.#outOfOrder.clear()
    this.#outOfOrderBytes = 0
    this.#unfinished.clear()
    this.#ready.clear()
  }
}

/** A piece that is kept for long is copied where it would pin all of its buffer. */
function unpinned(piece: Uint8Array): Uint8Array {
  // Not slice(): of a Buffer, which sockets bring, that is a view.
  return isPinning(piece) ? new Uint8Array(piece) : piece
}

// SPDX-License-Identifier: Apache-2.0
/** The send window: frames that were cut and are not acked yet, in order, within their limits. */
import { encodeDataHeader } from '../wire/frame.js'
import { FIRST_FRAME } from '../wire/limits.js'
import type { Carrier, SentFrame } from './flight.js'
import type { ResolvedConnOptions } from './options.js'
import { PassingMap } from './passing-map.js'

/** Numbers between the lowest unacked frame and the next new one: a Go receiver drops what is 4,096 ahead. */
const MAX_SPAN = 3072

const NOTHING: readonly Uint8Array[] = []

/** A frame as its writer, `InFlight`, sees it. */
export interface WindowFrame extends SentFrame {
  wire: readonly Uint8Array[]
  readonly carriers: Set<Carrier>
  sends: number
}

export class SendWindow {
  readonly #options: ResolvedConnOptions
  readonly #frames = new PassingMap<number, WindowFrame>()
  /** Of those, the ones that every path is to carry. */
  #shared: Map<number, WindowFrame> | undefined
  #nextFn = FIRST_FRAME
  #bytes = 0
  #cutBytes = 0

  constructor(options: ResolvedConnOptions) {
    this.#options = options
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Number of the next frame that will be cut. */
  get nextFn(): number {
    return this.#nextFn
  }

  /** Payload of all frames so far, bytes. */
  get cutBytes(): number {
    return this.#cutBytes
  }

  get count(): number {
    return this.#frames.size
  }

  /** The frame with number `fn`; `undefined` once it is acked. */
  get(fn: number): WindowFrame | undefined {
    return this.#frames.get(fn)
  }

  /** No more may be cut until some are acked. */
  get isFull(): boolean {
    return (
      this.#bytes >= this.#options.maxUnackedBytes ||
      this.#frames.size >= this.#options.maxUnackedFrames ||
      this.#isSpanFull()
    )
  }

  /** The limit in bytes is not reached, were so many more unacked. */
  hasRoomBeside(bytes: number): boolean {
    return this.#bytes + bytes < this.#options.maxUnackedBytes
  }

  /** Distance from the lowest unacked frame, which a Go receiver bounds. */
  #isSpanFull(): boolean {
    const lowest = this.lowest()
    return lowest !== undefined && this.#nextFn - lowest.fn >= MAX_SPAN
  }

  lowest(): WindowFrame | undefined {
    return this.#frames.values().next().value
  }

  /** Makes a frame of `pieces`. */
  add(pieces: readonly Uint8Array[]): WindowFrame {
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const fn = this.#nextFn++
    const frame: WindowFrame = {
      fn,
      size,
      wire: [encodeDataHeader(size, fn), ...pieces],
      carriers: new Set(),
      sends: 0,
    }
    this.#frames.set(fn, frame)
    this.#bytes += size
    this.#cutBytes += size
    return frame
  }

  /** Every path is to carry it. */
  share(frame: WindowFrame): void {
    this.#shared ??= new Map()
    this.#shared.set(frame.fn, frame)
  }

  get hasShared(): boolean {
    return this.#shared !== undefined && this.#shared.size > 0
  }

  /** The lowest shared frame from number `from` on; `undefined` where there is none. */
  sharedFrom(from: number): WindowFrame | undefined {
    const first = this.#shared?.keys().next().value
    if (first === undefined) return undefined
    for (let fn = Math.max(first, from); fn < this.#nextFn; fn++) {
      const frame = this.#shared?.get(fn)
      if (frame !== undefined) return frame
    }
    return undefined
  }

  /** The payload is no longer needed, though the frame may fly on where its ack has not come. */
  acked(frame: WindowFrame): void {
    frame.wire = NOTHING
    this.#frames.delete(frame.fn)
    this.#shared?.delete(frame.fn)
    this.#bytes -= frame.size
  }

  clear(): void {
    this.#frames.clear()
    this.#shared?.clear()
    this.#bytes = 0
  }
}

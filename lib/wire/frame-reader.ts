// SPDX-License-Identifier: Apache-2.0
/** Chunks of a subflow in, whole frames out. Keeps at most one unfinished frame. */
import { RemoteProtocolError } from '../errors.js'
import {
  CODE_PONG,
  DATAGRAM_FRAME,
  FIRST_FRAME,
  MAX_DATAGRAM_FRAME_BYTES,
  MAX_EXTENSION_BYTES,
  MAX_PAYLOAD_BYTES,
} from './limits.js'
import { Payload } from './payload.js'
import { varIntSizeAt, varIntValueAt } from './varint.js'

/** Gets what a {@link FrameReader} finds. */
export interface FrameSink {
  /** A data frame has begun, and its end is yet to come. @returns what keeps it; `undefined`: it will not be needed */
  begin(fn: number, size: number): Payload | undefined
  /** A whole data frame. `pieces` add up to `size` bytes (none where they were not kept) and may be kept. */
  onData(fn: number, size: number, pieces: Uint8Array[] | undefined): void
  onAck(fn: number): void
  /** A number under 10 in the place of an ack's: ping, pong, and those reserved. */
  onCode(code: number): void
  /** A whole extension frame, with a number from 2 to 9. Without this method, such a frame is a violation. */
  onExtension?(number: number, bytes: Uint8Array): void
}

/** Two varints. */
const MAX_HEADER_BYTES = 16
const NO_BYTES = new Uint8Array(0)

export class FrameReader {
  readonly #sink: FrameSink
  /** The bytes of a header that a chunk's end cut through. */
  #head = NO_BYTES
  #headBytes = 0
  #fn = 0
  #size = 0
  #missing = 0
  /** The payload that is missing did not come with its header. */
  #hasBegun = false
  #payload: Payload | undefined

  constructor(sink: FrameSink) {
    this.#sink = sink
  }

  /** Number of the data frame whose payload has begun and not ended: an end of the stream here cuts it. */
  get unfinishedFrame(): number | undefined {
    return this.#missing > 0 && this.#fn >= FIRST_FRAME ? this.#fn : undefined
  }

  /** The payload of a data frame that is kept has begun and not ended. */
  get isTakingData(): boolean {
    return this.#missing > 0 && this.#payload !== undefined
  }

  /** The header of a data frame has begun and not ended: an end of the stream here cuts a frame, but which? */
  get isInDataHeader(): boolean {
    return this.#headBytes > 0 && this.#head[0] !== 0
  }

  /**
   * Takes the next bytes of the subflow.
   *
   * @param chunk - kept by reference where it holds payload: the caller must not change it later
   * @param maxFrames - begun at most: a chunk may hold tens of thousands
   * @returns how many bytes were taken
   * @throws {RemoteProtocolError} where the bytes are no frames; the subflow cannot be read any further
   */
  push(chunk: Uint8Array, maxFrames: number = Infinity): number {
    let at = 0
    let left = maxFrames
    while (at < chunk.length) {
      if (this.#missing > 0) at = this.#goOn(chunk, at)
      else if (left-- > 0) at = this.#header(chunk, at)
      else break
    }
    return at
  }

  /** No more comes: what has begun will not end here. */
  close(): void {
    this.#payload?.leave()
    this.#payload = undefined
  }

  #header(chunk: Uint8Array, at: number): number {
    if (this.#headBytes > 0) return this.#cutHeader(chunk, at)
    const length = headerBytes(chunk, at, chunk.length)
    if (length > 0) {
      this.#open(chunk, at, chunk.length - at - length)
      return this.#missing > 0 && !this.#hasBegun ? this.#whole(chunk, at + length) : at + length
    }
    if (this.#head.length === 0) this.#head = new Uint8Array(MAX_HEADER_BYTES)
    this.#head.set(chunk.subarray(at))
    this.#headBytes = chunk.length - at
    return chunk.length
  }

  /** Goes on with a header that began in an earlier chunk, a byte at a time: this is rare. */
  #cutHeader(chunk: Uint8Array, at: number): number {
    this.#head[this.#headBytes++] = chunk[at]!
    if (headerBytes(this.#head, 0, this.#headBytes) > 0) {
      this.#headBytes = 0
      this.#open(this.#head, 0, 0)
    }
    return at + 1
  }

  /** Acts on a header that is there in full. `available`: bytes behind it in the same chunk. */
  #open(bytes: Uint8Array, at: number, available: number): void {
    const sizeBytes = varIntSizeAt(bytes, at)
    const size = varIntValueAt(bytes, at, sizeBytes)
    const fn = varIntValueAt(bytes, at + sizeBytes, varIntSizeAt(bytes, at + sizeBytes))
    if (size === 0) {
      if (fn < FIRST_FRAME) this.#sink.onCode(fn)
      else this.#sink.onAck(fn)
      return
    }
    if (size > MAX_PAYLOAD_BYTES)
      throw new RemoteProtocolError(`frame ${fn} of ${size} bytes, more than ${MAX_PAYLOAD_BYTES}`)
    if (fn < FIRST_FRAME) this.#assertExtension(fn, size)
    this.#fn = fn
    this.#size = size
    this.#missing = size
    this.#hasBegun = available < size
    if (!this.#hasBegun) this.#payload = undefined
    else this.#payload = fn < FIRST_FRAME ? new Payload(size) : this.#sink.begin(fn, size)
  }

  #assertExtension(number: number, size: number): void {
    if (number <= CODE_PONG || this.#sink.onExtension === undefined)
      throw new RemoteProtocolError(`data frame with the reserved number ${number}`)
    const most = number === DATAGRAM_FRAME ? MAX_DATAGRAM_FRAME_BYTES : MAX_EXTENSION_BYTES
    if (size > most) throw new RemoteProtocolError(`extension frame of ${size} bytes, more than ${most}`)
  }

  /** A payload that is there with its header needs no keeping. */
  #whole(chunk: Uint8Array, at: number): number {
    const end = at + this.#size
    this.#missing = 0
    this.#deliver([chunk.subarray(at, end)])
    return end
  }

  #goOn(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + this.#missing)
    const piece = at === 0 && end === chunk.length ? chunk : chunk.subarray(at, end)
    this.#payload?.add(piece, this.#size - this.#missing)
    this.#missing -= end - at
    if (this.#missing === 0) {
      const pieces = this.#payload?.finish()
      this.#payload = undefined
      this.#deliver(pieces)
    }
    return end
  }

  #deliver(pieces: Uint8Array[] | undefined): void {
    if (this.#fn >= FIRST_FRAME) this.#sink.onData(this.#fn, this.#size, pieces)
    else this.#sink.onExtension!(this.#fn, joined(pieces!, this.#size))
  }
}

/** Bytes of the two integers at `at`, or 0 where `end` cuts them. */
function headerBytes(bytes: Uint8Array, at: number, end: number): number {
  const first = at < end ? varIntSizeAt(bytes, at) : 0
  if (first === 0 || at + first >= end) return 0
  const length = first + varIntSizeAt(bytes, at + first)
  return at + length <= end ? length : 0
}

/** The caller's own: a piece may be a view of a large buffer. */
function joined(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.length
  }
  return bytes
}

// SPDX-License-Identifier: Apache-2.0
/** Cuts what comes in into frames. Payloads are passed on in the pieces they come in: no frame is held back whole. */
import type { FrameHeader } from './frame.js'
import { decodeHeader, FrameType, HEADER_BYTES } from './frame.js'

/** Gets frames; what it throws ends the reading. */
export interface FrameHandler {
  /** A header; for data frames its payload follows, in any number of pieces, and {@link onPayloadEnd}. */
  onFrame(header: FrameHeader): void
  /** A view into what was read. */
  onPayload(piece: Uint8Array): void
  onPayloadEnd(): void
}

export class FrameReader {
  readonly #handler: FrameHandler
  readonly #partial = new Uint8Array(HEADER_BYTES)
  #partialBytes = 0
  #payloadLeft = 0
  #isInPayload = false

  constructor(handler: FrameHandler) {
    this.#handler = handler
  }

  /** Nothing of an unfinished frame has come. */
  get isBetweenFrames(): boolean {
    return this.#partialBytes === 0 && !this.#isInPayload
  }

  /** @throws ERR_MULTIPATH_MUX_PROTOCOL, and whatever the handler throws */
  read(bytes: Uint8Array): void {
    let at = 0
    while (at < bytes.length) at = this.#isInPayload ? this.#payload(bytes, at) : this.#header(bytes, at)
  }

  #header(bytes: Uint8Array, at: number): number {
    if (this.#partialBytes === 0 && at + HEADER_BYTES <= bytes.length) {
      this.#begin(decodeHeader(bytes, at))
      return at + HEADER_BYTES
    }
    const taken = Math.min(HEADER_BYTES - this.#partialBytes, bytes.length - at)
    this.#partial.set(bytes.subarray(at, at + taken), this.#partialBytes)
    this.#partialBytes += taken
    if (this.#partialBytes === HEADER_BYTES) {
      this.#partialBytes = 0
      this.#begin(decodeHeader(this.#partial))
    }
    return at + taken
  }

  #begin(header: FrameHeader): void {
    this.#handler.onFrame(header)
    if (header.type !== FrameType.data) return
    this.#isInPayload = true
    this.#payloadLeft = header.length
    if (header.length === 0) this.#endPayload()
  }

  #payload(bytes: Uint8Array, at: number): number {
    const taken = Math.min(this.#payloadLeft, bytes.length - at)
    this.#payloadLeft -= taken
    const isWhole = taken === bytes.length
    this.#handler.onPayload(isWhole ? bytes : bytes.subarray(at, at + taken))
    if (this.#payloadLeft === 0) this.#endPayload()
    return at + taken
  }

  #endPayload(): void {
    this.#isInPayload = false
    this.#handler.onPayloadEnd()
  }
}

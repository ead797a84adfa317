// SPDX-License-Identifier: Apache-2.0
/** Bytes in, WebSocket frames out: binary messages, as few as may be. No input and no output here. */
import { FIN, MASKED, MAX_HEADER_BYTES, OPCODE } from './websocket-frame.js'
import { applyMask } from './websocket-mask.js'

/** Largest message that is sent; a receiver may keep a message until it is whole. */
const SENT_MESSAGE_BYTES = 262_144
/** Up to so many bytes leave as one piece: below that, a vectored write costs more than a copy. */
const JOIN_BYTES = 16_384
/** So many masks are drawn at once: each draw costs more than its bytes. */
const MASKS_AT_ONCE = 256
const SLAB_BYTES = SENT_MESSAGE_BYTES + MAX_HEADER_BYTES
/** At most so many slabs are kept, 2 MiB in all. */
const SPARE_SLABS = 8

/** What a client has to add to its frames. One serves all WebSockets of a process. */
export class Masking {
  readonly #fillRandom: (bytes: Uint8Array) => void
  readonly #masks = new Uint8Array(4 * MASKS_AT_ONCE)
  #used = this.#masks.length
  readonly #spare: Uint8Array[] = []

  /** @param fillRandom - with unpredictable bytes */
  constructor(fillRandom: (bytes: Uint8Array) => void) {
    this.#fillRandom = fillRandom
  }

  /** Good until the next call. */
  nextMask(): Uint8Array {
    if (this.#used === this.#masks.length) {
      this.#fillRandom(this.#masks)
      this.#used = 0
    }
    this.#used += 4
    return this.#masks.subarray(this.#used - 4, this.#used)
  }

  /** Memory for a message of this size. Fresh memory for all bulk would cost more than the mask. */
  take(bytes: number): Uint8Array {
    // One that waits for a slow reader should not hold much more than it needs.
    if (bytes <= SENT_MESSAGE_BYTES / 2) return Buffer.allocUnsafeSlow(MAX_HEADER_BYTES + bytes)
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES)
  }

  /** For reuse: it must not be read any more. */
  giveBack(taken: readonly Uint8Array[]): void {
    for (const slab of taken)
      if (slab.length === SLAB_BYTES && this.#spare.length < SPARE_SLABS) this.#spare.push(slab)
  }
}

/** What is to be written, in order. */
export interface Encoded {
  readonly parts: Uint8Array[]
  /** Memory below the parts, for {@link Masking.giveBack} once they are written. */
  readonly taken: Uint8Array[]
}

/**
 * `chunks` as messages. Without a mask, large chunks are not copied.
 *
 * @param bytes - of all chunks, at least one
 * @param masking - of a client
 */
export function encodeMessages(chunks: readonly Uint8Array[], bytes: number, masking?: Masking): Encoded {
  const encoded: Encoded = { parts: [], taken: [] }
  if (bytes <= JOIN_BYTES) {
    encoded.parts.push(joinedFrame(OPCODE.binary, chunks, bytes, masking))
    return encoded
  }
  let missing = bytes
  forEachMessage(chunks, (pieces) => {
    const size = Math.min(missing, SENT_MESSAGE_BYTES)
    missing -= size
    if (masking === undefined) encoded.parts.push(headerOf(size), ...pieces)
    else {
      const slab = masking.take(size)
      encoded.taken.push(slab)
      encoded.parts.push(putFrame(slab, OPCODE.binary, pieces, size, masking.nextMask()))
    }
  })
  return encoded
}

/** A frame as one piece of memory. */
export function joinedFrame(
  opcode: number,
  chunks: readonly Uint8Array[],
  bytes: number,
  masking?: Masking,
): Uint8Array {
  return putFrame(new Uint8Array(MAX_HEADER_BYTES + bytes), opcode, chunks, bytes, masking?.nextMask())
}

function putFrame(
  into: Uint8Array,
  opcode: number,
  chunks: readonly Uint8Array[],
  bytes: number,
  mask: Uint8Array | undefined,
): Uint8Array {
  const start = putHeader(into, opcode, bytes, mask)
  let at = start
  for (const chunk of chunks) {
    into.set(chunk, at)
    at += chunk.length
  }
  if (mask !== undefined) applyMask(mask, into.subarray(start, at), 0)
  return into.subarray(0, at)
}

function headerOf(bytes: number): Uint8Array {
  const header = new Uint8Array(MAX_HEADER_BYTES)
  return header.subarray(0, putHeader(header, OPCODE.binary, bytes, undefined))
}

/** @returns its length */
function putHeader(into: Uint8Array, opcode: number, bytes: number, mask: Uint8Array | undefined): number {
  const masked = mask === undefined ? 0 : MASKED
  into[0] = FIN | opcode
  let length = 2
  if (bytes <= 125) into[1] = masked | bytes
  else if (bytes < 65_536) {
    into[1] = masked | 126
    into[2] = bytes >>> 8
    into[3] = bytes
    length = 4
  } else {
    // Messages end long before the upper four bytes of the length.
    into.fill(0, 2, 6)
    into[1] = masked | 127
    for (let n = 0; n < 4; n++) into[6 + n] = bytes >>> (24 - 8 * n)
    length = 10
  }
  if (mask === undefined) return length
  into.set(mask, length)
  return length + 4
}

/** Cuts `chunks` so that each message has as many bytes as it may. */
function forEachMessage(chunks: readonly Uint8Array[], give: (pieces: Uint8Array[]) => void): void {
  let pieces: Uint8Array[] = []
  let room = SENT_MESSAGE_BYTES
  for (const chunk of chunks) {
    let at = 0
    while (chunk.length - at >= room) {
      pieces.push(chunk.subarray(at, at + room))
      give(pieces)
      at += room
      pieces = []
      room = SENT_MESSAGE_BYTES
    }
    if (at === chunk.length) continue
    pieces.push(at === 0 ? chunk : chunk.subarray(at))
    room -= chunk.length - at
  }
  if (pieces.length > 0) give(pieces)
}

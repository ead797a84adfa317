// SPDX-License-Identifier: Apache-2.0
/** Frames as bytes. Data frames carry a header of their own; acks and codes are `00` and an integer. */
import { FIRST_FRAME, MAX_PAYLOAD_BYTES } from './limits.js'
import { varIntLen, writeVarInt } from './varint.js'

/** Cuts small byte arrays out of large ones, so that a header costs no allocation of its own. */
const SLAB_BYTES = 8192
let slab = new Uint8Array(SLAB_BYTES)
let used = 0

/**
 * Size and frame number of a data frame, to be followed by the payload.
 *
 * @throws {RangeError} for an empty payload (it would read as an ack), one above 1 MiB, or a number under 10
 */
export function encodeDataHeader(payloadBytes: number, fn: number): Uint8Array {
  if (payloadBytes < 1 || payloadBytes > MAX_PAYLOAD_BYTES)
    throw new RangeError(`a data frame carries 1 to ${MAX_PAYLOAD_BYTES} bytes, got ${payloadBytes}`)
  if (fn < FIRST_FRAME) throw new RangeError(`frame numbers start at ${FIRST_FRAME}, got ${fn}`)
  const size = varIntLen(payloadBytes) + varIntLen(fn)
  if (used + size > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES)
    used = 0
  }
  const start = used
  used += writeVarInt(slab, payloadBytes, used)
  used += writeVarInt(slab, fn, used)
  return slab.subarray(start, used)
}

/** Room for some twenty acks. */
const FIRST_BYTES = 64
const NO_BYTES = Buffer.alloc(0)

/** Collects acks, codes and extension frames of one subflow until they are sent in one piece. Empty, it holds no memory. */
export class AckWriter {
  #bytes = NO_BYTES
  #used = 0

  /** Bytes waiting to be taken. */
  get length(): number {
    return this.#used
  }

  /** Adds an ack for frame `value` (10 and above) or a control code (under 10). */
  add(value: number): void {
    const size = 1 + varIntLen(value)
    if (this.#used + size > this.#bytes.length) this.#grow()
    this.#bytes[this.#used] = 0
    writeVarInt(this.#bytes, value, this.#used + 1)
    this.#used += size
  }

  /** Adds a whole frame. */
  addBytes(frame: Uint8Array): void {
    while (this.#used + frame.length > this.#bytes.length) this.#grow()
    this.#bytes.set(frame, this.#used)
    this.#used += frame.length
  }

  /** Everything added since the last call; the caller owns it. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#used)
    this.#bytes = NO_BYTES
    this.#used = 0
    return taken
  }

  #grow(): void {
    // From Node's pool: an array of its own would cost more than the bytes.
    const larger = Buffer.allocUnsafe(Math.max(FIRST_BYTES, 2 * this.#bytes.length))
    larger.set(this.#bytes.subarray(0, this.#used))
    this.#bytes = larger
  }
}

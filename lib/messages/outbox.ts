// SPDX-License-Identifier: Apache-2.0
/** Cuts messages without an order into parts, as far as the peer takes them. */
import { costOf, encodeEnd, encodePiece, encodeWhole, PIECE_BYTES } from './part.js'

/**
 * The limit until the receiver has sent one: what a connection keeps of datagrams before the application asks for them, less room
 * for parts that do not count.
 */
export const FIRST_LIMIT_BYTES = 64_512

export class Outbox {
  #message: Uint8Array | undefined
  /** Of the next piece. */
  #index = 0
  /** Messages begun so far. */
  #count = 0
  #limitBytes = FIRST_LIMIT_BYTES
  #sentBytes = 0

  /** All that was given has left it. */
  get isEmpty(): boolean {
    return this.#message === undefined
  }

  /** The peer has raised the limit to this many bytes of parts in all. A limit may overtake an earlier one. */
  opened(limitBytes: number): void {
    this.#limitBytes = Math.max(this.#limitBytes, limitBytes)
  }

  /** Takes the next message, once it is empty. */
  add(message: Uint8Array): void {
    this.#message = message
    this.#index = 0
    this.#count++
  }

  /** The next part; `undefined` where there is none, or the peer does not take it yet. */
  next(): Uint8Array | undefined {
    const message = this.#message
    if (message === undefined) return undefined
    const part = this.#part(message)
    if (this.#sentBytes + costOf(part) > this.#limitBytes) return undefined
    this.#sentBytes += costOf(part)
    if (++this.#index * PIECE_BYTES >= message.length) this.#message = undefined
    return part
  }

  /** What says that no more follow. */
  end(): Uint8Array {
    return encodeEnd(this.#count)
  }

  #part(message: Uint8Array): Uint8Array {
    if (message.length <= PIECE_BYTES) return encodeWhole(message)
    const at = this.#index * PIECE_BYTES
    const bytes = message.subarray(at, at + PIECE_BYTES)
    return encodePiece({ message: this.#count - 1, length: message.length, index: this.#index, bytes })
  }
}

// SPDX-License-Identifier: Apache-2.0
/** Cuts a byte stream into messages: each behind its length as a varint (RFC 9000, section 16). */
import { varIntSizeAt, varIntValueAt } from '../wire/varint.js'
import { tooLongError } from './message-bytes.js'

/** A message grows with its bytes, never with what its length claims. */
const FIRST_BYTES = 65_536
/** Of the longest varint. */
const MAX_HEAD_BYTES = 8

export class MessageReader {
  readonly #maxMessageBytes: number
  readonly #head = new Uint8Array(MAX_HEAD_BYTES)
  #headBytes = 0
  #body: Buffer | undefined
  #bodyLength = 0
  #bodyBytes = 0

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes
  }

  /** Nothing of an unfinished message has come. */
  get isBetweenMessages(): boolean {
    return this.#headBytes === 0 && this.#body === undefined
  }

  /**
   * @param bytes - not kept
   * @returns the messages that `bytes` completes: copies, which belong to the caller
   * @throws ERR_MULTIPATH_LIMIT for a message that is too long; ERR_MULTIPATH_FRAME for a length above 2^53 - 1
   */
  *read(bytes: Uint8Array): Generator<Buffer, void, undefined> {
    for (let at = 0; at < bytes.length; ) {
      at = this.#body === undefined ? this.#readHead(bytes, at) : this.#readBody(bytes, at, this.#body)
      if (this.#body === undefined || this.#bodyBytes < this.#bodyLength) continue
      const message = this.#body
      this.#body = undefined
      yield message
    }
  }

  #readHead(bytes: Uint8Array, at: number): number {
    this.#head[this.#headBytes++] = bytes[at]!
    const size = varIntSizeAt(this.#head, 0)
    if (this.#headBytes < size) return at + 1
    this.#headBytes = 0
    const length = varIntValueAt(this.#head, 0, size)
    if (length > this.#maxMessageBytes) throw tooLongError(length, this.#maxMessageBytes)
    this.#bodyLength = length
    this.#bodyBytes = 0
    this.#body = Buffer.allocUnsafe(Math.min(length, FIRST_BYTES))
    return at + 1
  }

  #readBody(bytes: Uint8Array, at: number, body: Buffer): number {
    const taken = Math.min(this.#bodyLength - this.#bodyBytes, bytes.length - at)
    const needed = this.#bodyBytes + taken
    const target = needed <= body.length ? body : this.#grown(body, needed)
    target.set(bytes.subarray(at, at + taken), this.#bodyBytes)
    this.#bodyBytes = needed
    this.#body = target
    return at + taken
  }

  #grown(body: Buffer, needed: number): Buffer {
    const grown = Buffer.allocUnsafe(Math.min(this.#bodyLength, Math.max(needed, body.length * 2)))
    grown.set(body.subarray(0, this.#bodyBytes))
    return grown
  }
}

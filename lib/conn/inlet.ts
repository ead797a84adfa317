// SPDX-License-Identifier: Apache-2.0
/** The reading half of a connection: moves bytes in order to the reader for as long as it wants them. */
import type { Readable } from 'node:stream'
import type { Driver } from './driver.js'
import { callForeign } from '../stream/foreign.js'

/** Smaller pieces that arrive together become one `data` event of about this many bytes: copying costs less than an event for each. */
const JOINED_BYTES = 16_384

export class Inlet {
  readonly #stream: Readable
  readonly #driver: Driver<unknown>
  #wantsBytes = false
  #bytesRead = 0

  constructor(stream: Readable, driver: Driver<unknown>) {
    this.#stream = stream
    this.#driver = driver
  }

  get bytesRead(): number {
    return this.#bytesRead
  }

  /** Nothing is left that the reader could still get. */
  get isDrained(): boolean {
    return this.#stream.readableLength === 0 && this.#driver.core.unreadBytes === 0
  }

  /** The reader asks for more. */
  want(): void {
    this.#wantsBytes = true
  }

  /** @returns whether the reader got anything */
  pull(): boolean {
    let hasTaken = false
    while (this.#wantsBytes) {
      const piece = this.#next()
      if (piece === undefined) break
      hasTaken = true
      this.#bytesRead += piece.length
      // A listener of `data` may throw: neither the subflow that brought the bytes nor the next ones mind.
      callForeign(() => {
        this.#wantsBytes = this.#stream.push(asBuffer(piece))
      })
    }
    if (hasTaken && (this.#driver.core.isUrgent || this.#driver.isReadingStopped)) this.#driver.flushSoon()
    return hasTaken
  }

  /** As a reader of a socket would get it: frames leave no boundaries where there is more. */
  #next(): Uint8Array | undefined {
    const { core } = this.#driver
    const first = core.take()
    if (first === undefined) return undefined
    const pieces = [first]
    let { length } = first
    while (length < JOINED_BYTES) {
      const piece = core.take(JOINED_BYTES)
      if (piece === undefined) break
      pieces.push(piece)
      length += piece.length
    }
    return pieces.length === 1 ? first : Buffer.concat(pieces, length)
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

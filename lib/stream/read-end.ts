// SPDX-License-Identifier: Apache-2.0
/** When the reader of a stream hears of its end. */
import type { Readable } from 'node:stream'

/**
 * Once, and in a turn of its own behind the last bytes, as with net: who gets those may still put some back. Not before
 * somebody has the stream, since what is only half open by its peer's end may be closed by it.
 */
export class ReadEnd {
  readonly #stream: Readable
  #hasCome = false
  #isHeld = false
  #isTold = false

  constructor(stream: Readable) {
    this.#stream = stream
  }

  /** Everything has been pushed, and no more will come. */
  come(): void {
    if (this.#hasCome) return
    this.#hasCome = true
    setImmediate(this.#tell)
  }

  /** The stream waits for somebody to take it. */
  hold(): void {
    this.#isHeld = true
  }

  /** Somebody has the stream, and listens by the end of this turn. */
  release(): void {
    setImmediate(() => {
      this.#isHeld = false
      this.#tell()
    })
  }

  readonly #tell = (): void => {
    if (!this.#hasCome || this.#isHeld || this.#isTold || this.#stream.destroyed) return
    this.#isTold = true
    this.#stream.push(null)
    // With nothing left to read, `end` needs no reader.
    this.#stream.read(0)
  }
}

// SPDX-License-Identifier: Apache-2.0
/** What the application wrote on one stream and the connection below has not taken yet. */

interface Chunk {
  readonly bytes: Uint8Array
  /** The caller may reuse it once its write has called back: what is taken of it is copied. */
  readonly isLent: boolean
}

/** What has been taken is kept no longer: a stream that always has more to send is never empty. */
const TAKEN: Chunk = { bytes: new Uint8Array(0), isLent: false }
/** Places of such chunks in front of the first one, at most. */
const MOST_TAKEN = 64

export class Outgoing {
  #chunks: Chunk[] = []
  #first = 0
  /** Of the first chunk. */
  #taken = 0
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  append(bytes: Uint8Array, isLent: boolean): void {
    if (bytes.length === 0) return
    this.#chunks.push({ bytes, isLent })
    this.#bytes += bytes.length
  }

  /** Takes `bytes` from the front, or all that there is; in pieces, as they were written. */
  take(bytes: number): Uint8Array[] {
    const pieces: Uint8Array[] = []
    let missing = Math.min(bytes, this.#bytes)
    this.#bytes -= missing
    while (missing > 0) {
      const { bytes: chunk, isLent } = this.#chunks[this.#first]!
      const end = Math.min(chunk.length, this.#taken + missing)
      missing -= end - this.#taken
      const isWhole = end - this.#taken === chunk.length
      const piece = isWhole ? chunk : chunk.subarray(this.#taken, end)
      pieces.push(isLent ? new Uint8Array(piece) : piece)
      this.#taken = end
      if (end === chunk.length) this.#dropFirst()
    }
    return pieces
  }

  /** Copies what is lent: its caller has it back from now on. */
  keep(): void {
    this.#chunks = this.#chunks.map(({ bytes, isLent }) => ({
      bytes: isLent ? new Uint8Array(bytes) : bytes,
      isLent: false,
    }))
  }

  clear(): void {
    this.#chunks = []
    this.#first = 0
    this.#taken = 0
    this.#bytes = 0
  }

  #dropFirst(): void {
    this.#taken = 0
    this.#chunks[this.#first++] = TAKEN
    if (this.#first < MOST_TAKEN && this.#first < this.#chunks.length) return
    this.#chunks.splice(0, this.#first)
    this.#first = 0
  }
}

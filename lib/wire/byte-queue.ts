// SPDX-License-Identifier: Apache-2.0
/** Bytes in order: taken in as chunks, given out in slices. Small chunks are copied together. */

/** Chunks under this many bytes are copied: a slice costs more than its bytes. */
const SMALL_BYTES = 4096
/** A chunk keeps its whole buffer in memory. If the buffer has more than this many times the bytes of the chunk, the chunk is copied. */
const PINNED_SHARE = 4
/** Once this many chunks wait, small ones are copied even if they are ours: each object takes about 200 bytes. */
const FEW_CHUNKS = 256
/** Slabs grow while the queue holds bytes, so that a lone small message does not pin a large one. */
const FIRST_SLAB_BYTES = 1024
const LAST_SLAB_BYTES = 65_536
const EMPTY = new Uint8Array(0)

/** Whether `chunk` would keep several times its bytes in memory. */
export function isPinning(chunk: Uint8Array): boolean {
  return chunk.length * PINNED_SHARE < chunk.buffer.byteLength
}

export class ByteQueue {
  #chunks: Uint8Array[] = []
  /** Index of the first chunk that still holds bytes. */
  #first = 0
  #bytes = 0
  #slab = EMPTY
  #slabUsed = 0

  get bytes(): number {
    return this.#bytes
  }

  /**
   * Appends; a larger chunk is kept by reference and must not change while it is in use.
   *
   * @param isOurs - a small one may be kept by reference too, while few wait and it pins little
   */
  append(chunk: Uint8Array, isOurs: boolean = false): void {
    if (chunk.length === 0) return
    const isKept = chunk.length >= SMALL_BYTES || (isOurs && this.#keeps(chunk))
    this.#bytes += chunk.length
    if (isKept) this.#chunks.push(chunk)
    else this.#copy(chunk)
  }

  #keeps(chunk: Uint8Array): boolean {
    return this.#bytes === 0 || (this.#chunks.length - this.#first < FEW_CHUNKS && !isPinning(chunk))
  }

  #copy(chunk: Uint8Array): void {
    if (this.#slabUsed + chunk.length > this.#slab.length) this.#newSlab(chunk.length)
    const start = this.#slabUsed
    this.#slab.set(chunk, start)
    this.#slabUsed += chunk.length
    const lastIndex = this.#chunks.length - 1
    const last = lastIndex >= this.#first ? this.#chunks[lastIndex]! : EMPTY
    const isNeighbour = last.buffer === this.#slab.buffer && last.byteOffset + last.length === start
    if (isNeighbour) this.#chunks[lastIndex] = this.#slab.subarray(last.byteOffset, this.#slabUsed)
    else this.#chunks.push(this.#slab.subarray(start, this.#slabUsed))
  }

  #newSlab(atLeast: number): void {
    const grown = this.#first < this.#chunks.length ? this.#slab.length * 4 : 0
    const bytes = Math.min(Math.max(grown, FIRST_SLAB_BYTES, atLeast), LAST_SLAB_BYTES)
    this.#slab = new Uint8Array(bytes)
    this.#slabUsed = 0
  }

  /** Length of the first chunk; 0 where there is none. */
  get firstBytes(): number {
    return this.#chunks[this.#first]?.length ?? 0
  }

  /** Takes up to `bytes` from the front. */
  take(bytes: number): Uint8Array[] {
    const taken: Uint8Array[] = []
    let missing = Math.min(bytes, this.#bytes)
    while (missing > 0) {
      const slice = this.takeSlice(missing)!
      taken.push(slice)
      missing -= slice.length
    }
    return taken
  }

  /** Takes the first chunk, or as much of it as `atMost` allows. */
  takeSlice(atMost: number = Infinity): Uint8Array | undefined {
    const chunk = this.#chunks[this.#first]
    if (chunk === undefined) return undefined
    if (chunk.length > atMost) {
      this.#bytes -= atMost
      this.#chunks[this.#first] = chunk.subarray(atMost)
      return chunk.subarray(0, atMost)
    }
    this.#bytes -= chunk.length
    // What has been taken is kept no longer, though its place is.
    this.#chunks[this.#first++] = EMPTY
    if (this.#bytes === 0) this.clear()
    else if (this.#first >= 64) {
      this.#chunks.splice(0, this.#first)
      this.#first = 0
    }
    return chunk
  }

  /** Drops everything. */
  clear(): void {
    this.#chunks = []
    this.#first = 0
    this.#bytes = 0
    // The rest of a small one serves the next small messages.
    if (this.#slab.length <= FIRST_SLAB_BYTES) return
    this.#slab = EMPTY
    this.#slabUsed = 0
  }
}

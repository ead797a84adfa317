// SPDX-License-Identifier: Apache-2.0
/**
 * The seeded byte sequence that both sides can produce: the key stream of AES-128 in counter mode, its key the
 * seed as a big-endian integer, its first counter block zero. The Go twin is go/data.go.
 */
import { createCipheriv, createHash, type Cipher, type Hash } from 'node:crypto'

/** What the key stream is taken from. */
const ZEROS = Buffer.alloc(65_536)

export class SeededStream {
  readonly #cipher: Cipher

  constructor(seed: number) {
    const key = Buffer.alloc(16)
    key.writeBigUInt64BE(BigInt(seed), 8)
    this.#cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16))
  }

  /** The next `size` bytes, in a buffer of their own. */
  next(size: number): Buffer {
    return this.#cipher.update(size <= ZEROS.length ? ZEROS.subarray(0, size) : Buffer.alloc(size))
  }
}

/** What {@link Checker} found. */
export interface Received {
  readonly bytes: number
  readonly sha256: string
  /** Offset of the first byte that differs from the seeded stream, or -1. */
  readonly mismatchAt: number
}

/** Compares what arrives with the seeded stream, counts and hashes it. */
export class Checker {
  readonly #want: SeededStream
  readonly #hash: Hash = createHash('sha256')
  #bytes = 0
  #mismatchAt = -1

  constructor(seed: number) {
    this.#want = new SeededStream(seed)
  }

  get bytes(): number {
    return this.#bytes
  }

  add(chunk: Uint8Array): void {
    if (this.#mismatchAt < 0) {
      const want = this.#want.next(chunk.length)
      if (want.compare(chunk) !== 0) this.#mismatchAt = this.#bytes + want.findIndex((b, i) => b !== chunk[i])
    }
    this.#hash.update(chunk)
    this.#bytes += chunk.length
  }

  /** Call once. */
  result(): Received {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex'), mismatchAt: this.#mismatchAt }
  }
}

/** SHA-256 of the first `bytes` of the seeded stream, in hex. */
export function seededSha256(seed: number, bytes: number): string {
  const stream = new SeededStream(seed)
  const hash = createHash('sha256')
  for (let left = bytes; left > 0; left -= 1 << 20) hash.update(stream.next(Math.min(left, 1 << 20)))
  return hash.digest('hex')
}

/** A seeded list of write sizes from `min` to `max` bytes, spread over the orders of magnitude between. */
export function mixedSizes(seed: number, count: number, min: number = 1, max: number = 1 << 20): number[] {
  const random = new SeededStream(seed)
  return Array.from({ length: count }, () => {
    const share = random.next(4).readUInt32BE() / 2 ** 32
    return Math.floor(min * (max / min) ** share)
  })
}

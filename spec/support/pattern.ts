// SPDX-License-Identifier: Apache-2.0
/** Bytes that show where they belong: a long pseudo-random block, over and over. */
import { SeededRandom } from '../../lib/testing/seeded-random.js'

/** A prime, so that no power of two of an offset goes unnoticed. */
const BLOCK_BYTES = 65_521
const blocks = new Map<number, Buffer>()

function blockOf(seed: number): Buffer {
  const block = blocks.get(seed) ?? Buffer.from(new SeededRandom(seed).bytes(BLOCK_BYTES))
  blocks.set(seed, block)
  return block
}

/** Bytes `from` up to `from + length` of the pattern. */
export function patternAt(seed: number, from: number, length: number): Uint8Array {
  const block = blockOf(seed)
  const bytes = Buffer.allocUnsafe(length)
  for (let at = 0; at < length; ) {
    const start = (from + at) % BLOCK_BYTES
    at += block.copy(bytes, at, start, Math.min(BLOCK_BYTES, start + length - at))
  }
  return bytes
}

/** Compares what arrives with the pattern. */
export class PatternChecker {
  readonly #seed: number
  bytes = 0
  /** Offset of the first chunk that differs; `undefined` while all is well. */
  wrongAt: number | undefined

  constructor(seed: number) {
    this.#seed = seed
  }

  add(chunk: Uint8Array): void {
    const expected = patternAt(this.#seed, this.bytes, chunk.length)
    if (this.wrongAt === undefined && Buffer.compare(expected, chunk) !== 0) this.wrongAt = this.bytes
    this.bytes += chunk.length
  }
}

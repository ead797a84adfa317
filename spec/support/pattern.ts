// SPDX-License-Identifier: Apache-2.0
/** Bytes that show where they belong: a long pseudo-random block, over and over. */
import { SeededRandom } from '../../lib/testing/seeded-random.js'

/** A prime, so that no power of two of an offset goes unnoticed. */
const BLOCK_BYTES = 65_521
/** So often in a row: what is asked for is mostly one slice. */
const COPIES = 3
const blocks = new Map<number, Buffer>()

function blockOf(seed: number): Buffer {
  let block = blocks.get(seed)
  if (block === undefined) {
    const once = Buffer.from(new SeededRandom(seed).bytes(BLOCK_BYTES))
    block = Buffer.concat(Array.from({ length: COPIES }, () => once))
    blocks.set(seed, block)
  }
  return block
}

/** Bytes `from` up to `from + length` of the pattern, not to be changed. */
export function patternAt(seed: number, from: number, length: number): Uint8Array {
  const block = blockOf(seed)
  const start = from % BLOCK_BYTES
  if (start + length <= block.length) return block.subarray(start, start + length)
  const bytes = Buffer.allocUnsafe(length)
  for (let at = 0; at < length; ) {
    const next = (from + at) % BLOCK_BYTES
    at += block.copy(bytes, at, next, Math.min(block.length, next + length - at))
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
    if (this.wrongAt === undefined && !this.#isExpected(chunk)) this.wrongAt = this.bytes
    this.bytes += chunk.length
  }

  #isExpected(chunk: Uint8Array): boolean {
    const block = blockOf(this.#seed)
    const start = this.bytes % BLOCK_BYTES
    const end = start + chunk.length
    if (end <= block.length) return block.compare(chunk, 0, chunk.length, start, end) === 0
    return Buffer.compare(patternAt(this.#seed, this.bytes, chunk.length), chunk) === 0
  }
}

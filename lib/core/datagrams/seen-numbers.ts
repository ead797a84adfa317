// SPDX-License-Identifier: Apache-2.0
/** Which of the newest numbers have come: a bit for each, so that memory is the same however many there were. */

/** 64,000 numbers: at 100,000 datagrams a second, paths may differ by more than half a second. */
const MOST_BYTES = 8000

export class SeenNumbers {
  /** A ring: the byte of number `n` is that of `n / 8`. */
  #ring: Uint8Array | undefined
  /** Of the newest byte, whatever round of the ring it is in. */
  #newest = 0

  /** @returns whether `number` comes for the first time; `old`: too far behind the newest to tell */
  see(number: number): 'new' | 'known' | 'old' {
    const ring = (this.#ring ??= new Uint8Array(MOST_BYTES))
    const byte = Math.floor(number / 8)
    if (byte <= this.#newest - MOST_BYTES) return 'old'
    if (byte > this.#newest) this.#goOn(ring, byte)
    const bit = 1 << (number % 8)
    const at = byte % MOST_BYTES
    const isKnown = (ring[at]! & bit) !== 0
    ring[at]! |= bit
    return isKnown ? 'known' : 'new'
  }

  /** Bytes that the ring comes to for the first time in this round still tell of the one before. */
  #goOn(ring: Uint8Array, byte: number): void {
    const from = (this.#newest + 1) % MOST_BYTES
    const to = from + Math.min(byte - this.#newest, MOST_BYTES)
    ring.fill(0, from, to)
    if (to > MOST_BYTES) ring.fill(0, 0, to - MOST_BYTES)
    this.#newest = byte
  }
}

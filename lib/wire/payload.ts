// SPDX-License-Identifier: Apache-2.0
/** The payload of a data frame that has begun and not ended. Several subflows may bring copies of the same one. */

/** A frame that arrives in more pieces than this is copied together: a piece costs more than its bytes. */
const MAX_PIECES = 32

/** Keeps account of payloads. */
export interface PayloadOwner {
  /** One of those that bring `payload` has come to its end, or is gone. */
  released(payload: Payload, isWhole: boolean): void
}

export class Payload {
  /** Bytes that it will have. */
  readonly size: number
  readonly #owner: PayloadOwner | undefined
  #pieces: Uint8Array[] = []
  /** Set once it came in too many pieces. */
  #copy: Uint8Array | undefined
  #bytes = 0
  #isDropped = false

  constructor(size: number, owner?: PayloadOwner) {
    this.size = size
    this.#owner = owner
  }

  /**
   * Takes what one subflow brings, in order. What another has brought before is passed over.
   *
   * @param at - index of the first byte of `piece` in the payload
   */
  add(piece: Uint8Array, at: number): void {
    const known = this.#bytes - at
    if (this.#isDropped || known >= piece.length) return
    this.#keep(known === 0 ? piece : piece.subarray(known))
  }

  /** A subflow has brought all of it. @returns its pieces; `undefined` where it was dropped, or has been taken */
  finish(): Uint8Array[] | undefined {
    const isWhole = !this.#isDropped && this.#bytes === this.size
    const pieces = this.#copy === undefined ? this.#pieces : [this.#copy]
    if (isWhole) this.drop()
    this.#owner?.released(this, isWhole)
    return isWhole ? pieces : undefined
  }

  /** A subflow that was bringing it is gone. */
  leave(): void {
    this.#owner?.released(this, false)
  }

  /** Keeps nothing any more. */
  drop(): void {
    this.#isDropped = true
    this.#pieces = []
    this.#copy = undefined
  }

  #keep(piece: Uint8Array): void {
    if (this.#copy === undefined && this.#pieces.length === MAX_PIECES) {
      this.#copy = new Uint8Array(this.size)
      let at = 0
      for (const earlier of this.#pieces) {
        this.#copy.set(earlier, at)
        at += earlier.length
      }
      this.#pieces = []
    }
    if (this.#copy === undefined) this.#pieces.push(piece)
    else this.#copy.set(piece, this.#bytes)
    this.#bytes += piece.length
  }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Frames that have begun and not ended, each kept once, whichever subflows bring it. All of a frame's bytes are
 * charged as soon as it begins: however many begin, what they come to fits.
 */
import type { PayloadOwner } from '../wire/payload.js'
import { Payload } from '../wire/payload.js'

interface Begun {
  readonly fn: number
  readonly payload: Payload
  readonly chargedBytes: number
  /** Subflows that bring it. */
  bringers: number
}

export class Unfinished implements PayloadOwner {
  /**
   * At most one for each subflow, so a list is searched as fast as a map. A map that takes and drops a frame at a time
   * is rebuilt every few of them, and V8 lets what its former tables point to live on: that is the payload.
   */
  readonly #frames: Begun[] = []
  #chargedBytes = 0

  /** Bytes of all that has begun, but for those that were let in without a charge. */
  get chargedBytes(): number {
    return this.#chargedBytes
  }

  /** Of these, what frame `fn` is charged. */
  chargeOf(fn: number): number {
    return this.#frames.find((frame) => frame.fn === fn)?.chargedBytes ?? 0
  }

  get isEmpty(): boolean {
    return this.#frames.length === 0
  }

  /** The same frame, should another subflow bring it. One that has another size is not the same: it is forgotten. */
  join(fn: number, size: number): Payload | undefined {
    const begun = this.#frames.find((frame) => frame.fn === fn)
    if (begun === undefined) return undefined
    if (begun.payload.size !== size) {
      this.forget(fn)
      return undefined
    }
    begun.bringers++
    return begun.payload
  }

  begin(fn: number, size: number, chargedBytes: number): Payload {
    const payload = new Payload(size, this)
    this.#frames.push({ fn, payload, chargedBytes, bringers: 1 })
    this.#chargedBytes += chargedBytes
    return payload
  }

  /** A copy was faster. */
  forget(fn: number): void {
    this.#forgetAt(this.#frames.findIndex((frame) => frame.fn === fn))
  }

  clear(): void {
    while (this.#frames.length > 0) this.#forgetAt(0)
  }

  released(payload: Payload, isWhole: boolean): void {
    const at = this.#frames.findIndex((frame) => frame.payload === payload)
    const begun = this.#frames[at]
    if (begun === undefined) return
    begun.bringers--
    if (isWhole || begun.bringers === 0) this.#forgetAt(at)
  }

  #forgetAt(at: number): void {
    const begun = this.#frames[at]
    if (begun === undefined) return
    begun.payload.drop()
    this.#frames.splice(at, 1)
    this.#chargedBytes -= begun.chargedBytes
  }
}

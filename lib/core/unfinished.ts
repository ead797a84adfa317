// SPDX-License-Identifier: Apache-2.0
/**
 * Frames that have begun and not ended, each kept once, whichever subflows bring it. All of a frame's bytes are
 * charged as soon as it begins: however many begin, what they come to fits.
 */
import { Payload } from '../wire/payload.js'

interface Begun {
  readonly payload: Payload
  readonly chargedBytes: number
  /** Subflows that bring it. */
  bringers: number
}

export class Unfinished {
  readonly #frames = new Map<number, Begun>()
  #chargedBytes = 0

  /** Bytes of all that has begun, but for those that were let in without a charge. */
  get chargedBytes(): number {
    return this.#chargedBytes
  }

  get isEmpty(): boolean {
    return this.#frames.size === 0
  }

  /** The same frame, should another subflow bring it. One that has another size is not the same: it is forgotten. */
  join(fn: number, size: number): Payload | undefined {
    const begun = this.#frames.get(fn)
    if (begun === undefined) return undefined
    if (begun.payload.size !== size) {
      this.forget(fn)
      return undefined
    }
    begun.bringers++
    return begun.payload
  }

  begin(fn: number, size: number, chargedBytes: number): Payload {
    const payload = new Payload(size, (isWhole) => {
      this.#released(fn, payload, isWhole)
    })
    this.#frames.set(fn, { payload, chargedBytes, bringers: 1 })
    this.#chargedBytes += chargedBytes
    return payload
  }

  /** A copy was faster. */
  forget(fn: number): void {
    const begun = this.#frames.get(fn)
    if (begun === undefined) return
    begun.payload.drop()
    this.#frames.delete(fn)
    this.#chargedBytes -= begun.chargedBytes
  }

  clear(): void {
    for (const fn of this.#frames.keys()) this.forget(fn)
  }

  #released(fn: number, payload: Payload, isWhole: boolean): void {
    const begun = this.#frames.get(fn)
    if (begun?.payload !== payload) return
    begun.bringers--
    if (isWhole || begun.bringers === 0) this.forget(fn)
  }
}

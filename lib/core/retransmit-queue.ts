// SPDX-License-Identifier: Apache-2.0
/** Frames that must leave again, lowest number first. */
import type { SentFrame } from './flight.js'

/** So many that have left are kept in front of the others until they are more than half of all. */
const LEFT_FRAMES = 64

export class RetransmitQueue {
  /** In order; those that are not in `#waiting` have been removed meanwhile. */
  #frames: SentFrame[] = []
  /** None before it is waiting. */
  #head = 0
  #waiting: Set<SentFrame> | undefined

  get length(): number {
    return this.#waiting?.size ?? 0
  }

  add(frame: SentFrame): void {
    this.#waiting ??= new Set()
    if (this.#waiting.has(frame)) return
    this.#waiting.add(frame)
    let at = this.#frames.length
    while (at > 0 && this.#frames[at - 1]!.fn > frame.fn) at--
    // One that was removed may still be in the list.
    if (this.#frames[at - 1] === frame) at--
    else this.#frames.splice(at, 0, frame)
    this.#head = Math.min(this.#head, at)
  }

  /** The lowest frame, left in the queue. */
  first(): SentFrame | undefined {
    if (this.length === 0) return undefined
    while (!this.#waiting!.has(this.#frames[this.#head]!)) this.#head++
    if (this.#head > LEFT_FRAMES && 2 * this.#head > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head)
      this.#head = 0
    }
    return this.#frames[this.#head]
  }

  /** Its ack has come, or it leaves. */
  remove(frame: SentFrame): void {
    if (this.#waiting?.delete(frame) !== true || this.#waiting.size > 0) return
    this.#frames = []
    this.#head = 0
  }

  /** Removes all frames for which `isNeedless` holds. */
  removeWhere(isNeedless: (frame: SentFrame) => boolean): void {
    for (const frame of this.#waiting ?? []) if (isNeedless(frame)) this.remove(frame)
  }
}

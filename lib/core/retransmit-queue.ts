// SPDX-License-Identifier: Apache-2.0
/** Frames that must leave again, lowest number first. */
import type { SentFrame } from './flight.js'

export class RetransmitQueue {
  /** In order; those that are not in `#waiting` have been removed meanwhile. */
  #frames: SentFrame[] = []
  #waiting: Set<SentFrame> | undefined

  get length(): number {
    return this.#waiting?.size ?? 0
  }

  add(frame: SentFrame): void {
    this.#waiting ??= new Set()
    if (this.#waiting.has(frame)) return
    this.#compact()
    this.#waiting.add(frame)
    let at = this.#frames.length
    while (at > 0 && this.#frames[at - 1]!.fn > frame.fn) at--
    this.#frames.splice(at, 0, frame)
  }

  /** The lowest frame, left in the queue. */
  first(): SentFrame | undefined {
    this.#compact()
    return this.#frames[0]
  }

  /** Its ack has come, or it leaves. */
  remove(frame: SentFrame): void {
    this.#waiting?.delete(frame)
  }

  /** Removes all frames for which `isNeedless` holds. */
  removeWhere(isNeedless: (frame: SentFrame) => boolean): void {
    for (const frame of this.#waiting ?? []) if (isNeedless(frame)) this.remove(frame)
  }

  /** A frame that was removed may be added again, and must not be in the list twice. */
  #compact(): void {
    if (this.#frames.length !== this.length)
      this.#frames = this.#frames.filter((frame) => this.#waiting?.has(frame))
  }
}

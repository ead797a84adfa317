// SPDX-License-Identifier: Apache-2.0
/** What the reader of one connection got, and when. */
import { nowMs } from './output.js'

/** Width of the timeline's buckets in milliseconds. */
const BUCKET_MS = 10
/** Shorter silences of the reader are not listed, in milliseconds. */
const GAP_AT_LEAST_MS = 20

export class Meter {
  readonly local: string
  readonly #detail: boolean
  #bytes = 0
  #first = 0
  #last = 0
  readonly #buckets: number[] = []
  readonly #gaps: [since: number, ms: number][] = []

  constructor(local: string, detail: boolean) {
    this.local = local
    this.#detail = detail
  }

  add(bytes: number): void {
    const now = nowMs()
    this.#bytes += bytes
    if (this.#first === 0) this.#first = this.#last = now
    if (this.#detail) {
      if (now - this.#last >= GAP_AT_LEAST_MS) this.#gaps.push([this.#last, now - this.#last])
      const at = Math.floor((now - this.#first) / BUCKET_MS)
      while (this.#buckets.length <= at) this.#buckets.push(0)
      this.#buckets[at] = (this.#buckets[at] ?? 0) + bytes
    }
    this.#last = now
  }

  report(): Record<string, unknown> {
    const total = { bytes: this.#bytes, first: this.#first, last: this.#last, local: this.local }
    return this.#detail ? { ...total, bucketMs: BUCKET_MS, buckets: this.#buckets, gaps: this.#gaps } : total
  }
}

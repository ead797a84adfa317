// SPDX-License-Identifier: Apache-2.0
/** What paths have spent of their caps of a day or a month: pure arithmetic, the clock's date comes in. */

export type Period = 'day' | 'month'

export interface Cap {
  readonly limitBytes: number
  readonly period: Period
}

/** Of one path, as it stands in the file. */
export interface Spent {
  /** `2026-11` or `2026-11-29`, in the time zone of this machine. */
  readonly period: string
  readonly bytes: number
}

/** A path under a cap, over several connections and several runs of the command. */
export class CapCount {
  readonly #cap: Cap
  #period: string
  /** Of this period, before this run or before the period changed. */
  #bytesBefore: number
  /** What the path had counted when this period began. */
  #countedBefore = 0
  #counted = 0

  constructor(cap: Cap, stored: Spent | undefined, now: Date) {
    this.#cap = cap
    this.#period = periodOf(cap.period, now)
    this.#bytesBefore = stored?.period === this.#period ? stored.bytes : 0
  }

  get spent(): Spent {
    return { period: this.#period, bytes: this.#bytesBefore + this.#counted - this.#countedBefore }
  }

  /** For `maxBytes` of the path, which counts from the beginning of this run. */
  get maxBytes(): number {
    return Math.max(0, this.#cap.limitBytes - this.#bytesBefore) + this.#countedBefore
  }

  /**
   * @param counted - bytes that the path has counted in this run
   * @returns whether a new period has begun: `maxBytes` has changed
   */
  count(counted: number, now: Date): boolean {
    const period = periodOf(this.#cap.period, now)
    this.#counted = Math.max(this.#counted, counted)
    if (period === this.#period) return false
    this.#period = period
    this.#bytesBefore = 0
    this.#countedBefore = this.#counted
    return true
  }
}

/** In local time: a provider's day and month begin at midnight. */
function periodOf(period: Period, now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const month = `${now.getFullYear()}-${two(now.getMonth() + 1)}`
  return period === 'month' ? month : `${month}-${two(now.getDate())}`
}

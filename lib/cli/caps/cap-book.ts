// SPDX-License-Identifier: Apache-2.0
/** What paths have spent of their caps of a day or a month: pure arithmetic, the clock's date comes in. */

export type Period = 'day' | 'month'

export interface Cap {
  readonly limitBytes: number
  readonly period: Period
  /** Paths with the same one share the cap: an interface has a path for each of its addresses, which come and go. */
  readonly account: string
}

/** Of one account, as it stands in the file. */
export interface Spent {
  /** `2026-11` or `2026-11-29`, in the time zone of this machine. */
  readonly period: string
  readonly bytes: number
}

/** The date at which a machine without a clock begins is that of its system. */
const MOST_YEARS_BEHIND = 2

interface Counted {
  /** Of paths that were called so before. */
  readonly before: number
  readonly now: number
}

/** Paths under a cap, over several connections and several runs of the command. */
export class CapCount {
  readonly #cap: Cap
  #period: string
  /** Of this period, before this run, before the period changed, or by others. */
  #bytesBefore: number
  /** What the paths had counted when this period began. */
  #countedBefore = 0
  /** What stands in the file. */
  #saved: number
  /** By label. */
  readonly #counted = new Map<string, Counted>()

  constructor(cap: Cap, stored: Spent | undefined, now: Date) {
    this.#cap = cap
    const today = periodOf(cap.period, now)
    // A machine without a clock of its own begins in the past, until it has heard of the time. A later year was a mistake.
    const last = periodOf(
      cap.period,
      new Date(now.getFullYear() + MOST_YEARS_BEHIND, now.getMonth(), now.getDate()),
    )
    const isNow = stored?.period.length === today.length && stored.period >= today && stored.period <= last
    this.#period = isNow ? stored.period : today
    this.#bytesBefore = isNow ? stored.bytes : 0
    this.#saved = this.#bytesBefore
  }

  /** The clock says less than it said when the file was written. */
  isAhead(now: Date): boolean {
    return this.#period > periodOf(this.#cap.period, now)
  }

  get spent(): Spent {
    return { period: this.#period, bytes: this.#bytesBefore + this.#total - this.#countedBefore }
  }

  /** For `maxBytes` of a path, which counts from the beginning of its life. @param sharers - how many paths share what is left */
  maxBytesOf(label: string, sharers = 1): number {
    const left = Math.max(0, this.#cap.limitBytes - this.spent.bytes)
    return (this.#counted.get(label)?.now ?? 0) + Math.floor(left / sharers)
  }

  /** @param bytes - what paths called `label` have counted: less than before where one was removed */
  count(label: string, bytes: number, now: Date): void {
    const { before, now: last } = this.#counted.get(label) ?? { before: 0, now: 0 }
    this.#counted.set(label, { before: before + Math.max(0, last - bytes), now: bytes })
    const period = periodOf(this.#cap.period, now)
    if (period <= this.#period) return
    this.#period = period
    this.#bytesBefore = 0
    this.#saved = 0
    this.#countedBefore = this.#total
  }

  /** It is about to be saved. @param stored - what stands in the file: others may have spent as well @returns what is to stand there */
  save(stored: Spent | undefined): Spent {
    if (stored?.period === this.#period) this.#bytesBefore += Math.max(0, stored.bytes - this.#saved)
    const { spent } = this
    this.#saved = spent.bytes
    return spent
  }

  get #total(): number {
    let total = 0
    for (const { before, now } of this.#counted.values()) total += before + now
    return total
  }
}

/** In local time: a provider's day and month begin at midnight. */
function periodOf(period: Period, now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const month = `${now.getFullYear()}-${two(now.getMonth() + 1)}`
  return period === 'month' ? month : `${month}-${two(now.getDate())}`
}

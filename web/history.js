// SPDX-License-Identifier: Apache-2.0
/**
 * Numbers of the last 24 hours, in bounded memory: the newest minutes as they came, then means of 5 seconds, then of
 * 2 minutes. A row is a time and a number for each column; a column that a row lacks is null there.
 */

/** How long rows stay, and how far apart they are, seconds; the first level keeps them as they come. */
const LEVELS = [
  { keep: 120, step: 0 },
  { keep: 3600, step: 5 },
  { keep: 86_400, step: 120 },
]
/** At four updates a second; a clock that stands still must not pile up rows. */
const MOST_ROWS = 1024
/** Columns beyond these are forgotten, those that were filled longest ago first. */
export const MOST_COLUMNS = 128

class Level {
  times = []
  columns = new Map()

  push(time, row) {
    const before = this.times.length
    this.times.push(time)
    for (const [key, value] of row) {
      if (!this.columns.has(key)) this.columns.set(key, new Array(before).fill(null))
      this.columns.get(key).push(value)
    }
    for (const column of this.columns.values()) if (column.length === before) column.push(null)
  }

  shift() {
    const row = new Map()
    for (const [key, column] of this.columns) {
      const value = column.shift()
      if (value !== null) row.set(key, value)
    }
    return { time: this.times.shift(), row }
  }
}

/** Rows of one step of a level, on their way there. */
class Mean {
  #step
  #slot
  #sums = new Map()

  constructor(step) {
    this.#step = step
  }

  /** The row of the step before, once a row of the next one comes. */
  add(time, row) {
    const slot = Math.floor(time / this.#step)
    const done = this.#slot !== undefined && slot !== this.#slot ? this.#take() : undefined
    this.#slot = slot
    for (const [key, value] of row) {
      const sum = this.#sums.get(key) ?? { total: 0, count: 0 }
      sum.total += value
      sum.count++
      this.#sums.set(key, sum)
    }
    return done
  }

  #take() {
    const row = new Map([...this.#sums].map(([key, { total, count }]) => [key, total / count]))
    this.#sums.clear()
    return { time: (this.#slot + 0.5) * this.#step, row }
  }

  forget(key) {
    this.#sums.delete(key)
  }
}

export class History {
  #levels = LEVELS.map(() => new Level())
  #means = LEVELS.map(({ step }) => new Mean(step))
  /** When each column got a number last, the longest ago first. */
  #filled = new Map()

  /** @param time - seconds @param row - a Map of numbers by the keys of their columns */
  push(time, row) {
    for (const key of row.keys()) {
      this.#filled.delete(key)
      this.#filled.set(key, time)
    }
    this.#push(0, time, row)
    for (const [key, at] of this.#filled)
      if (this.#filled.size > MOST_COLUMNS || time - at > LEVELS.at(-1).keep) this.#forget(key)
      else break
  }

  /** As uPlot takes it: times since `from`, and the numbers of each of `keys`. */
  data(keys, from) {
    const table = [[], ...keys.map(() => [])]
    for (const { times, columns } of this.#levels.toReversed()) {
      const first = times.findIndex((time) => time >= from)
      if (first < 0) continue
      append(table[0], times, first)
      for (const [index, key] of keys.entries())
        append(table[index + 1], columns.get(key) ?? new Array(times.length).fill(null), first)
    }
    return table
  }

  /** Numbers that are kept. */
  get size() {
    const sizeOf = ({ times, columns }) => times.length * (1 + columns.size)
    return this.#levels.reduce((sum, level) => sum + sizeOf(level), 0)
  }

  #push(index, time, row) {
    const level = this.#levels[index]
    level.push(time, row)
    while (level.times.length > MOST_ROWS || time - level.times[0] > LEVELS[index].keep) {
      const old = level.shift()
      const done = index + 1 < LEVELS.length ? this.#means[index + 1].add(old.time, old.row) : undefined
      if (done !== undefined) this.#push(index + 1, done.time, done.row)
    }
  }

  #forget(key) {
    this.#filled.delete(key)
    for (const { columns } of this.#levels) columns.delete(key)
    for (const mean of this.#means) mean.forget(key)
  }
}

function append(to, from, first) {
  for (let at = first; at < from.length; at++) to.push(from[at])
}

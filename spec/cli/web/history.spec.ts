// SPDX-License-Identifier: Apache-2.0
/** The history of the page, which runs in browsers; here in Node, in virtual time. */
import { describe, expect, it } from 'vitest'

interface History {
  push(time: number, row: ReadonlyMap<string, number>): void
  data(keys: readonly string[], from: number): (number | null)[][]
  readonly size: number
}

const page = (await import(new URL('../../../web/history.js', import.meta.url).href)) as {
  readonly History: new () => History
  readonly MOST_COLUMNS: number
}

const DAY_S = 86_400

/** Four rows a second, of a value that is the time. */
function filled(history: History, from: number, to: number, key = 'a'): void {
  for (let time = from; time < to; time += 0.25) history.push(time, new Map([[key, time]]))
}

describe('the history of the page', () => {
  it('keeps two minutes as they came, an hour in steps of 5 s and a day in steps of 2 min', () => {
    const history = new page.History()
    filled(history, 0, DAY_S)
    const [times, values] = history.data(['a'], 0) as [number[], number[]]
    const within = (from: number, to: number): number =>
      times.filter((time) => time >= from && time < to).length
    expect(within(DAY_S - 120, DAY_S)).toBe(480)
    expect(within(DAY_S - 3600, DAY_S - 120)).toBeCloseTo(3480 / 5, -1)
    expect(within(0, DAY_S - 3720)).toBeCloseTo((DAY_S - 3720) / 120, -1)
    // In order, and each the mean of its time.
    for (const [index, time] of times.entries()) {
      expect(Math.abs(values[index]! - time)).toBeLessThan(1)
      if (index > 0) expect(time).toBeGreaterThan(times[index - 1]!)
    }
  })

  it('is no larger after three days than after one, and forgets paths that are gone', () => {
    const history = new page.History()
    filled(history, 0, DAY_S + 3600)
    const { size } = history
    filled(history, DAY_S + 3600, 3 * DAY_S)
    expect(history.size).toBeLessThanOrEqual(size + 10)
    filled(history, 3 * DAY_S, 3 * DAY_S + 60, 'b')
    expect(history.data(['a', 'b'], 3 * DAY_S)[1]).toEqual(new Array(240).fill(null))
    filled(history, 3 * DAY_S + 60, 4 * DAY_S + 3600, 'b')
    expect(history.size).toBeLessThanOrEqual(size + 10)
  })

  it('holds a number of columns, however many paths come and go', () => {
    const history = new page.History()
    let most = 0
    for (let time = 0; time < 3600; time++) {
      history.push(time, new Map([[`path ${time}`, 1]]))
      most = Math.max(most, history.size)
    }
    filled(history, 3600, 3601, 'new')
    expect(most).toBeLessThan((page.MOST_COLUMNS + 2) * 3000)
    expect(history.data(['path 0'], 0)[1]!.every((value) => value === null)).toBe(true)
    expect(history.data(['path 3599'], 3599)[1]![0]).toBe(1)
  })

  it('does not grow while the clock stands still', () => {
    const history = new page.History()
    for (let n = 0; n < 5000; n++) history.push(0, new Map([['a', 1]]))
    expect(history.size).toBeLessThanOrEqual(2 * 1024)
  })
})

// SPDX-License-Identifier: Apache-2.0
/** The delay of a simulated link that comes and goes. */
import { describe, expect, it } from 'vitest'
import { Jitter } from '../../lib/testing/jitter.js'
import { SeededRandom } from '../../lib/testing/seeded-random.js'

/** Delays of what leaves every `everyMs` during `ms`, where the largest is 20 ms. */
function delays(everyMs: number, ms: number): number[] {
  const jitter = new Jitter(new SeededRandom(1))
  return Array.from({ length: ms / everyMs }, (_, n) => jitter.lateMs(n * everyMs, 20))
}

const mean = (of: readonly number[]): number => of.reduce((sum, ms) => sum + ms, 0) / of.length

describe('the jitter of a link', () => {
  it.each([0.1, 7, 90])('is from nothing to the most, and half of it on average, every %d ms', (everyMs) => {
    const all = delays(everyMs, Math.max(20_000, 4000 * everyMs)).sort((a, b) => a - b)
    expect(all[0]).toBeLessThan(4)
    expect(all.at(-1)).toBeGreaterThan(16)
    expect(all.at(-1)).toBeLessThanOrEqual(20)
    expect(Math.abs(mean(all) - 10)).toBeLessThan(1)
  })

  it.each([0.1, 7, 19, 21, 39, 41])('lets nothing overtake what left %d ms before', (everyMs) => {
    const all = delays(everyMs, 1000 * everyMs)
    all.forEach((late, n) => {
      if (n > 0) expect(late + everyMs).toBeGreaterThanOrEqual(all[n - 1]! - 1e-9)
    })
  })

  it('is nothing where none is wanted', () => {
    expect(new Jitter(new SeededRandom(1)).lateMs(5, 0)).toBe(0)
  })
})

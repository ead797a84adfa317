// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { CARRIERS, drive, fade, pause, PERIOD_MS } from '../../bench/links/recordings.js'

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8]
const OPPORTUNITY_BITS = 1500 * 8

const mbits = (times: readonly number[]): number => (times.length * OPPORTUNITY_BITS) / 1000 / times.at(-1)!

/** Times between two neighbours, and between the last round's end and the first of the next. */
const gaps = (times: readonly number[]): number[] => times.map((time, i) => time - (times[i - 1] ?? 0))

/** Mbit/s of each second. */
function perSecond(times: readonly number[]): number[] {
  const counts = new Array<number>(PERIOD_MS / 1000).fill(0)
  for (const time of times) counts[Math.min(counts.length - 1, Math.floor(time / 1000))]!++
  return counts.map((count) => (count * OPPORTUNITY_BITS) / 1e6)
}

describe.each([
  ['a carrier in a car', drive],
  ['a Wi-Fi that fades', fade],
])('the recording of %s', (_, make) => {
  it('is the same for the same seed, and another for another', () => {
    expect(make(5, 1)).toEqual(make(5, 1))
    expect(make(5, 1)).not.toEqual(make(5, 2))
  })

  it.each([5, 15, 30])('has a mean of %d Mbit/s', (mean) => {
    for (const seed of SEEDS) expect(Math.abs(mbits(make(mean, seed)) / mean - 1)).toBeLessThan(0.02)
  })

  it('has whole milliseconds that never decrease, up to the period', () => {
    for (const seed of SEEDS) {
      const times = make(15, seed)
      expect(times.every(Number.isInteger)).toBe(true)
      expect(gaps(times).filter((ms) => ms < 0)).toEqual([])
      expect(times.at(-1)).toBe(PERIOD_MS)
    }
  })
})

describe('a carrier in a car', () => {
  it('is silent now and then, for 0.2 s to 5 s', () => {
    for (const seed of SEEDS) {
      // The slowest rate takes 12 ms for an opportunity: before and behind an outage one may be under way.
      const outages = gaps(drive(5, seed)).filter((ms) => ms > 30)
      expect(outages.length).toBeGreaterThan(2)
      expect(Math.min(...outages)).toBeGreaterThanOrEqual(200)
      expect(Math.max(...outages)).toBeLessThanOrEqual(5000 + 30)
    }
  })

  it('has another rate each second, from a third to over twice the mean', () => {
    const rates = SEEDS.flatMap((seed) => perSecond(drive(5, seed)))
    expect(rates.filter((rate) => rate > 10).length).toBeGreaterThan(10)
    expect(rates.filter((rate) => rate > 0.5 && rate < 2.5).length).toBeGreaterThan(10)
  })

  it('is none like the other two of the car', () => {
    const files = CARRIERS.map(({ times }) => JSON.stringify(times()))
    expect(new Set(files).size).toBe(3)
  })
})

describe('a Wi-Fi that fades', () => {
  it('falls under a tenth of its mean and rises above its double, and is never silent for long', () => {
    const rates = perSecond(fade(30, 1))
    expect(Math.min(...rates)).toBeLessThan(3)
    expect(Math.max(...rates)).toBeGreaterThan(60)
    expect(gaps(fade(30, 1)).filter((ms) => ms >= 200)).toEqual([])
  })
})

describe('a path that pauses', () => {
  it('delivers nothing for 200 ms of each second, and then evenly', () => {
    const times = pause(20)
    expect(times.at(-1)).toBe(1000)
    expect(Math.abs(mbits(times) / 20 - 1)).toBeLessThan(0.02)
    expect(gaps(times).filter((ms) => ms > 1)).toEqual([expect.closeTo(200, -1)])
  })
})

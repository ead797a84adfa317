// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test } from 'vitest'
import { DeliveryRate, MaxFilter } from '../../../lib/core/congestion/delivery-rate.js'
import { SeededRandom } from '../../../lib/testing/seeded-random.js'
import { seeds } from '../../support/seeds.js'

describe('a windowed maximum', () => {
  it('is zero before the first sample', () => {
    expect(new MaxFilter().value).toBe(0)
  })

  it('keeps the largest sample of the span, and forgets it after', () => {
    const filter = new MaxFilter()
    filter.update(100, 0, 1000)
    for (let at = 10; at <= 1000; at += 10) filter.update(50, at, 1000)
    expect(filter.value).toBe(100)
    for (let at = 1010; at <= 2000; at += 10) filter.update(40, at, 1000)
    expect(filter.value).toBeLessThanOrEqual(50)
    expect(filter.value).toBeGreaterThanOrEqual(40)
  })

  it('forgets everything after a silence longer than the span', () => {
    const filter = new MaxFilter()
    filter.update(100, 0, 1000)
    filter.update(90, 10, 1000)
    filter.update(5, 5000, 1000)
    expect(filter.value).toBe(5)
  })

  it('takes a new maximum at once', () => {
    const filter = new MaxFilter()
    filter.update(10, 0, 1000)
    filter.update(20, 1, 1000)
    expect(filter.value).toBe(20)
  })

  test.each(seeds(20))('is never above the true maximum, nor under the newest sample (seed %i)', (seed) => {
    const random = new SeededRandom(seed)
    const filter = new MaxFilter()
    const samples: { at: number; value: number }[] = []
    let at = 0
    for (let round = 0; round < 500; round++) {
      at += random.integer(0, 60)
      const value = random.integer(1, 1000)
      samples.push({ at, value })
      filter.update(value, at, 1000)
      const now = at
      const recent = samples.filter((sample) => now - sample.at <= 1000)
      expect(filter.value).toBeLessThanOrEqual(Math.max(...recent.map((sample) => sample.value)))
      expect(filter.value).toBeGreaterThanOrEqual(value)
    }
  })
})

describe('a round trip', () => {
  it('ends once at a time, and always has a rate, even where nothing was delivered', () => {
    const rate = new DeliveryRate()
    const flights = [0, 0, 1000].map((size) => ({ sentAt: 0, frame: { size }, ...rate.stamp(0, size) }))
    const times = { isTrusted: true, minRtt: 20, span: 2000 }
    const rounds = flights.map((flight, at) => rate.acked(flight, { now: at < 2 ? 20 : 40, ...times }))
    expect(rounds).toEqual([{ rate: 0, wasFull: true }, undefined, { rate: 50, wasFull: true }])
  })
})

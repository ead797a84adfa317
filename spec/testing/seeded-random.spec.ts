// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../lib/testing/seeded-random.js'

describe('seeded chance', () => {
  it('repeats with its seed and differs with another', () => {
    const draw = (seed: number): number[] => Array.from({ length: 5 }, new SeededRandom(seed).random)
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
    expect(draw(0)).not.toEqual(draw(1))
  })

  it('spreads evenly over its range', () => {
    const random = new SeededRandom(3)
    const hits = new Array<number>(10).fill(0)
    for (let round = 0; round < 10_000; round++) hits[random.integer(0, 9)]! += 1
    for (const count of hits) expect(count).toBeGreaterThan(850)
  })

  it('picks from a list, and refuses an empty one', () => {
    const random = new SeededRandom(3)
    expect(['a', 'b']).toContain(random.pick(['a', 'b']))
    expect(() => random.pick([])).toThrow(RangeError)
  })

  it('gives bytes', () => {
    const bytes = new SeededRandom(9).bytes(4096)
    expect(new Set(bytes).size).toBe(256)
  })
})

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { SeenNumbers } from '../../../lib/core/datagrams/seen-numbers.js'
import { SeededRandom } from '../../../lib/testing/seeded-random.js'

const SPAN = 64_000

describe('the numbers that have come', () => {
  it('are known when they come again, in whatever order', () => {
    const seen = new SeenNumbers()
    expect([5, 3, 5, 4, 3, 2 ** 40, 2 ** 40].map((number) => seen.see(number))).toEqual(
      'new new known new known new known'.split(' '),
    )
  })

  it('are too old to tell once so many newer ones have come', () => {
    const seen = new SeenNumbers()
    seen.see(SPAN + 100)
    expect(seen.see(100)).toBe('old')
    expect(seen.see(108)).toBe('new')
    expect(seen.see(108)).toBe('known')
  })

  it('are what a set would say they are, with gaps and copies at random', () => {
    const random = new SeededRandom(7)
    const [seen, known] = [new SeenNumbers(), new Set<number>()]
    let [newest, wrong] = [0, 0]
    for (let n = 0; n < 100_000; n++) {
      const jump = random.integer(0, 999) === 0 ? random.integer(0, 2 * SPAN) : random.integer(0, 3)
      newest += jump
      const number = Math.max(0, newest - random.integer(0, random.pick([3, 100, SPAN - 10])))
      const sight = seen.see(number)
      if (sight !== 'old' && sight !== (known.has(number) ? 'known' : 'new')) wrong++
      known.add(number)
    }
    expect(wrong).toBe(0)
  })
})

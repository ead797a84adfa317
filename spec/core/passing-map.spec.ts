// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { PassingMap } from '../../lib/core/passing-map.js'
import { SeededRandom } from '../../lib/testing/seeded-random.js'

describe('a map whose entries come and go', () => {
  it('holds what an ordinary one would hold, in the same order', () => {
    const random = new SeededRandom(5)
    const [passing, ordinary] = [new PassingMap<number, string>(), new Map<number, string>()]
    for (let step = 0; step < 20_000; step++) {
      const key = random.integer(0, 200)
      if (random.integer(0, 1) === 0) {
        passing.set(key, `${step}`)
        ordinary.set(key, `${step}`)
      } else expect(passing.delete(key)).toBe(ordinary.delete(key))
      expect([passing.size, passing.has(key), passing.get(key)]).toEqual([
        ordinary.size,
        ordinary.has(key),
        ordinary.get(key),
      ])
    }
    expect([...passing.values()]).toEqual([...ordinary.values()])
  })

  it('is empty once cleared', () => {
    const passing = new PassingMap<number, string>()
    passing.set(1, 'one')
    passing.clear()
    expect([passing.size, passing.get(1), ...passing.values()]).toEqual([0, undefined])
  })
})

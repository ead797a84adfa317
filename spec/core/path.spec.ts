// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test } from 'vitest'
import type { PathPolicy } from '../../lib/core/path.js'
import { PATH_TABLE, Path, POLICY_NAMES, TIERS } from '../../lib/core/path.js'
import { OptionError } from '../../lib/errors.js'
import { SeededRandom } from '../../lib/testing/seeded-random.js'

/** A million bytes per second: 1,000 per millisecond, 10,000 at once. */
const CAPPED: PathPolicy = { maxBytesPerSecond: 1_000_000 }
const FRAME = 1000

/** Frames that leave at `now`. */
function burst(path: Path, now: number): number {
  let frames = 0
  while (path.readyAt(now) <= now && frames < 1000) {
    path.spend(FRAME, now)
    frames++
  }
  return frames
}

/** Bytes that leave from `from` to `until`, as soon as they may. */
function carries(path: Path, from: number, until: number, frame = FRAME): number {
  let bytes = 0
  for (let now = path.readyAt(from); now <= until; now = path.readyAt(now)) {
    path.spend(frame, now)
    bytes += frame
  }
  return bytes
}

describe('the policy of a path', () => {
  it('is by default that of a primary path without limits', () => {
    const path = new Path()
    expect([path.tier, path.rank, path.weight]).toEqual(['primary', 0, 1])
    expect([path.leftBytes, path.bytesPerMs, path.spentBytes]).toEqual([Infinity, Infinity, 0])
    expect(path.readyAt(5)).toBe(5)
  })

  it('ranks the tiers in the order in which they are used', () => {
    expect(TIERS.map((tier) => new Path({ tier }).rank)).toEqual([0, 1, 2])
  })

  it('changes in what is named alone', () => {
    const path = new Path({ tier: 'backup', weight: 3, maxBytes: 500, maxBytesPerSecond: 2000 })
    path.set({})
    path.set({ tier: undefined, weight: undefined, maxBytes: undefined, maxBytesPerSecond: undefined })
    expect([path.tier, path.weight, path.leftBytes, path.bytesPerMs]).toEqual(['backup', 3, 500, 2])
    path.set({ tier: 'secondary' })
    path.set({ weight: 5 })
    expect([path.tier, path.weight, path.leftBytes, path.bytesPerMs]).toEqual(['secondary', 5, 500, 2])
    path.set({ maxBytes: Infinity, maxBytesPerSecond: Infinity })
    expect([path.tier, path.weight, path.leftBytes, path.bytesPerMs]).toEqual([
      'secondary',
      5,
      Infinity,
      Infinity,
    ])
  })

  it('takes both ends of each range', () => {
    for (const [name, { min, max }] of Object.entries(PATH_TABLE))
      for (const value of [min, max]) expect(() => new Path({ [name]: value })).not.toThrow()
    expect(POLICY_NAMES).toEqual(['tier', 'parallel', 'weight', 'maxBytes', 'maxBytesPerSecond'])
  })

  test.each([
    [{ tier: 'first' }, 'tier must be one of primary, secondary, backup, got "first"'],
    [{ tier: 0 }, 'tier must be one of primary, secondary, backup, got 0'],
    [{ tier: null }, 'tier must be one of primary, secondary, backup, got null'],
    [{ weight: 0 }, 'weight must be an integer from 1 to 1000000, got 0'],
    [{ weight: 1.5 }, 'weight must be an integer from 1 to 1000000, got 1.5'],
    [{ weight: Infinity }, 'weight must be an integer from 1 to 1000000, got Infinity'],
    [{ maxBytes: -1 }, 'maxBytes must be an integer from 0 to Infinity, got -1'],
    [{ maxBytes: '5' }, 'maxBytes must be an integer from 0 to Infinity, got "5"'],
    [{ maxBytesPerSecond: 0 }, 'maxBytesPerSecond must be an integer from 1 to Infinity, got 0'],
    [{ maxBytesPerSecond: NaN }, 'maxBytesPerSecond must be an integer from 1 to Infinity, got NaN'],
    [{ maxByte: 5 }, 'unknown option maxByte; did you mean maxBytes?'],
    ['backup', 'options must be an object, got "backup"'],
    [null, 'options must be an object, got null'],
  ])('refuses %j', (policy, message) => {
    expect(() => new Path(policy as PathPolicy)).toThrow(OptionError)
    expect(() => new Path(policy as PathPolicy)).toThrow(message)
  })

  it('stays as it is where a part of the change is refused', () => {
    const path = new Path({ tier: 'secondary', weight: 2, maxBytes: 10, maxBytesPerSecond: 1000 })
    for (const wrong of [{ weight: -1 }, { maxBytesPerSecond: -1 }, { label: 'x' }])
      expect(() => {
        path.set({ tier: 'backup', weight: 9, maxBytes: 99, maxBytesPerSecond: 9000, ...wrong })
      }).toThrow(OptionError)
    expect([path.tier, path.weight, path.leftBytes, path.bytesPerMs]).toEqual(['secondary', 2, 10, 1])
  })
})

describe('a byte cap', () => {
  it('counts all that is sent, and never goes below nothing', () => {
    const path = new Path({ maxBytes: 2500 })
    path.spend(FRAME, 0)
    expect([path.spentBytes, path.leftBytes]).toEqual([1000, 1500])
    path.spend(2000, 0)
    expect([path.spentBytes, path.leftBytes, path.maxBytes]).toEqual([3000, 0, 2500])
  })

  it('counts what was sent before it was set, and can be raised and lifted', () => {
    const path = new Path()
    path.spend(2000, 0)
    path.set({ maxBytes: 1500 })
    expect(path.leftBytes).toBe(0)
    path.set({ maxBytes: 5000 })
    expect(path.leftBytes).toBe(3000)
    path.set({ maxBytes: Infinity })
    expect(path.leftBytes).toBe(Infinity)
  })

  it('of 0 lets nothing pass', () => {
    expect(new Path({ maxBytes: 0 }).leftBytes).toBe(0)
  })
})

describe('a rate cap', () => {
  it('lets ten milliseconds of it leave at once, however long the path was idle', () => {
    const path = new Path(CAPPED)
    expect(burst(path, 0)).toBe(10)
    expect(burst(path, 0)).toBe(0)
    expect(burst(path, 3_600_000)).toBe(10)
  })

  it('says when the next frame may leave', () => {
    const path = new Path(CAPPED)
    path.spend(10_000, 50)
    expect(path.readyAt(50)).toBeCloseTo(50, 1)
    path.spend(64_000, 50)
    expect(path.readyAt(50)).toBeCloseTo(114, 1)
    expect(path.readyAt(80)).toBeCloseTo(114, 1)
    expect(path.readyAt(115)).toBe(115)
  })

  it('is kept and used up over time, whatever the size of frames', () => {
    for (const frame of [10, 100, 1400, 65_536]) {
      const bytes = carries(new Path(CAPPED), 0, 10_000, frame)
      expect(bytes).toBeGreaterThan(9_990_000)
      expect(bytes).toBeLessThan(10_010_001 + frame)
    }
  })

  it('lets something pass however low it is', () => {
    expect(carries(new Path({ maxBytesPerSecond: 1 }), 0, 60_000, 1)).toBe(61)
  })

  it('gives a time at which the frame may really leave', () => {
    const random = new SeededRandom(1)
    for (let round = 0; round < 500; round++) {
      const path = new Path({ maxBytesPerSecond: 10 ** random.integer(0, 9) })
      const now = random.random() * 1e9
      path.spend(random.integer(1, 1_000_000), now)
      const at = path.readyAt(now)
      expect(path.readyAt(at)).toBeLessThanOrEqual(at + 0.001)
    }
  })

  it('holds what leaves after a change at the new rate', () => {
    const path = new Path(CAPPED)
    burst(path, 0)
    path.set({ maxBytesPerSecond: 100_000 })
    const slow = carries(path, 0, 1000)
    expect(slow).toBeGreaterThan(95_000)
    expect(slow).toBeLessThan(105_000)
    path.set({ maxBytesPerSecond: 10_000_000 })
    expect(carries(path, 1000, 1100)).toBeGreaterThan(950_000)
  })

  it('cannot be passed by setting it again and again', () => {
    const path = new Path(CAPPED)
    burst(path, 0)
    path.set(CAPPED)
    expect(burst(path, 0)).toBe(0)
    path.spend(64_000, 0)
    path.set(CAPPED)
    expect(path.readyAt(0)).toBeCloseTo(64, 1)
  })

  it('says nothing of what left before there was one', () => {
    const path = new Path()
    for (let frame = 0; frame < 3; frame++) path.spend(5_000_000, 0)
    path.set(CAPPED)
    expect(burst(path, 10)).toBe(10)
  })

  it('holds nothing any more once it is lifted', () => {
    const path = new Path(CAPPED)
    path.spend(5_000_000, 0)
    path.set({ maxBytesPerSecond: Infinity })
    expect(path.readyAt(0)).toBe(0)
    path.spend(5_000_000, 0)
    expect(path.spentBytes).toBe(10_000_000)
  })
})

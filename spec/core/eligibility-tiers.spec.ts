// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { PathPolicy } from '../../lib/core/path.js'
import type { Subflow } from '../../lib/core/subflow.js'
import { openTiers } from '../../lib/core/eligibility.js'
import { subflowOf } from '../support/flights.js'

/** 8 Mbit/s. */
const BYTES_PER_MS = 1000

interface Given extends PathPolicy {
  readonly isStartup?: boolean
  readonly rate?: number
}

/** Subflows whose rates have been found, where nothing else is said. */
function subflowsOf(...given: readonly Given[]): Subflow[] {
  return given.map(({ isStartup = false, rate = BYTES_PER_MS, ...policy }, index) => {
    const subflow = subflowOf(20, index + 1, policy)
    Object.defineProperties(subflow.window, { isStartup: { value: isStartup }, rate: { value: rate } })
    return subflow
  })
}

/** Ids of the subflows that may carry the next frame; none of `full` has room. */
function open(subflows: readonly Subflow[], queuedBytes: number, full: readonly number[] = []): number[] {
  return openTiers(subflows, queuedBytes, ({ id }) => !full.includes(id)).map(({ id }) => id)
}

const WATERFALL: readonly Given[] = [
  { tier: 'backup' },
  { tier: 'primary' },
  { tier: 'secondary' },
  { tier: 'primary' },
]
const SHORT = 150 * BYTES_PER_MS
const LONG = 400 * BYTES_PER_MS

describe('of the tiers of paths', () => {
  it('all are open where there is one alone, full or not', () => {
    for (const tier of ['primary', 'backup'] as const) {
      const subflows = subflowsOf({ tier }, { tier })
      expect(open(subflows, 0)).toEqual([1, 2])
      expect(open(subflows, Infinity, [1, 2])).toEqual([1, 2])
    }
    expect(open([], Infinity)).toEqual([])
  })

  it('the first is open while one of its paths has room, whatever waits', () => {
    const subflows = subflowsOf(...WATERFALL)
    expect(open(subflows, Infinity)).toEqual([2, 4])
    expect(open(subflows, Infinity, [2])).toEqual([2, 4])
  })

  it('the first is open alone while what waits would not take it long', () => {
    const subflows = subflowsOf(...WATERFALL)
    expect(open(subflows, 200, [2, 4])).toEqual([2, 4])
    // Two paths carry twice as much in the time.
    expect(open(subflows, 2 * SHORT, [2, 4])).toEqual([2, 4])
  })

  it('the secondary opens too when the primary is full', () => {
    const subflows = subflowsOf(...WATERFALL)
    expect(open(subflows, 2 * LONG, [2, 4])).toEqual([2, 3, 4])
    expect(open(subflows, Infinity, [2, 4])).toEqual([2, 3, 4])
  })

  it('the backup stays closed however much waits, while one path of another tier is there', () => {
    const subflows = subflowsOf(...WATERFALL)
    expect(open(subflows, 3 * LONG, [2, 3, 4])).toEqual([2, 3, 4])
    expect(open(subflows, Infinity, [1, 2, 3, 4])).toEqual([2, 3, 4])
    for (const tier of ['primary', 'secondary'] as const)
      expect(open(subflowsOf({ tier: 'backup' }, { tier }), Infinity, [2])).toEqual([2])
  })

  it('the first that is there is used where the better ones are gone', () => {
    const subflows = subflowsOf({ tier: 'backup' }, { tier: 'secondary' })
    expect(open(subflows, 200)).toEqual([2])
    expect(open(subflows.slice(0, 1), 200)).toEqual([1])
  })

  it('a tier that is still growing is not full', () => {
    const growing = subflowsOf({ isStartup: true }, { tier: 'secondary' })
    expect(open(growing, Infinity, [1])).toEqual([1])
    const unknown = subflowsOf({ isStartup: true, rate: 0 }, { tier: 'secondary' })
    expect(open(unknown, Infinity, [1])).toEqual([1])
  })

  it('a tier whose growth a rate cap holds is full', () => {
    const held = subflowsOf(
      { isStartup: true, rate: 2 * BYTES_PER_MS, maxBytesPerSecond: 1_000_000 },
      { tier: 'secondary' },
    )
    expect(open(held, LONG, [1])).toEqual([1, 2])
    expect(open(held, SHORT, [1])).toEqual([1])
  })

  it('change with the policy of a path', () => {
    const subflows = subflowsOf({}, {})
    expect(open(subflows, 200)).toEqual([1, 2])
    subflows[1]!.path.set({ tier: 'secondary' })
    expect(open(subflows, 200)).toEqual([1])
    subflows[0]!.path.set({ tier: 'backup' })
    expect(open(subflows, 200)).toEqual([2])
  })
})

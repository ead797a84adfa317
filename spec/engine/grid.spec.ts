// SPDX-License-Identifier: Apache-2.0
/** An excerpt of `npm run grid`: neither RTT nor loss nor jitter has a threshold that decides much. */
import { describe, expect, it, vi } from 'vitest'
import { keyOf } from '../../bench/grid/cell.js'
import { EXCERPT } from '../../bench/grid/excerpt.js'
import { cliffs } from '../../bench/grid/judge.js'
import { simulate } from '../../bench/grid/simulate.js'

// Minutes of virtual time are seconds of a busy machine's.
vi.setConfig({ testTimeout: 240_000 })

describe('the window', () => {
  it('fills every path to a good part, and neighbouring ones alike, with queues of like length', () => {
    const all = EXCERPT.map((cell) => ({ cell, outcome: simulate(cell) }))
    expect(all.filter(({ outcome }) => outcome.share < 0.6).map(({ cell }) => keyOf(cell))).toEqual([])
    const found = cliffs(all).map(
      ({ what, axis, from, to }) => `${what}, ${axis}: ${keyOf(from.cell)} to ${to.cell[axis]}`,
    )
    expect(found).toEqual([])
  })
})

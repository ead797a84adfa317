// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { roundRobin } from '../../../lib/core/schedulers/round-robin.js'
import { subflowOf } from '../../support/flights.js'
import { Sending } from '../../support/sending.js'
import { chosenBy, viewOf } from '../../support/views.js'

const THREE = [viewOf(2, 300), viewOf(3, 10), viewOf(7, 50)]

describe('round-robin', () => {
  it('has a name', () => {
    expect(roundRobin.name).toBe('round-robin')
  })

  it('begins with the first', () => {
    expect(chosenBy(roundRobin, THREE)).toBe(2)
  })

  it('goes on to the next, and from the last to the first', () => {
    expect([2, 3, 7].map((lastId) => chosenBy(roundRobin, THREE, { lastId }))).toEqual([3, 7, 2])
  })

  it('goes on behind one that is gone', () => {
    expect(chosenBy(roundRobin, THREE, { lastId: 5 })).toBe(7)
    expect(chosenBy(roundRobin, THREE, { lastId: 9 })).toBe(2)
  })

  it('passes over who has no room', () => {
    expect(chosenBy(roundRobin, THREE, { lastId: 2, full: [3] })).toBe(7)
    expect(chosenBy(roundRobin, THREE, { lastId: 2, full: [3, 7] })).toBe(2)
    expect(chosenBy(roundRobin, THREE, { full: [2, 3, 7] })).toBeUndefined()
  })

  it('gives each a frame in turn, whatever their round trips', () => {
    const sending = new Sending(roundRobin, [subflowOf(200, 1), subflowOf(10, 2), subflowOf(50, 3)])
    sending.writes(7000)
    expect(sending.underWay).toEqual([
      [10, 13, 16],
      [11, 14],
      [12, 15],
    ])
  })
})

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { lowestRtt } from '../../../lib/core/schedulers/lowest-rtt.js'
import { weighted } from '../../../lib/core/schedulers/weighted.js'
import { subflowOf } from '../../support/flights.js'
import { Sending } from '../../support/sending.js'
import { chosenBy, viewOf } from '../../support/views.js'

const view = (id: number, served: number) => viewOf(id, 20, { served })

/** Subflows with these weights; the first has the longest round trip. */
function weighing(...weights: readonly number[]): Sending {
  return new Sending(
    weighted,
    weights.map((weight, index) => subflowOf(100 - index, index + 1, { weight })),
  )
}

/** Writes frame by frame, each of which is acked at once. */
function sends(sending: Sending, frames: number): void {
  for (let frame = 0; frame < frames; frame++) {
    sending.writes(1000)
    sending.now += 5
    sending.subflows.forEach((subflow, index) => sending.acks(subflow, ...sending.underWay[index]!))
  }
}

describe('weighted', () => {
  it('has a name', () => {
    expect(weighted.name).toBe('weighted')
  })

  it('chooses the one that was served least for its weight; of two alike, the first', () => {
    expect(chosenBy(weighted, [view(1, 500), view(2, 300), view(3, 400)])).toBe(2)
    expect(chosenBy(weighted, [view(1, 500), view(2, 300), view(3, 300)])).toBe(2)
  })

  it('waits for that one where it has no room: the others would get more than their share', () => {
    expect(chosenBy(weighted, [view(1, 500), view(2, 300)], { full: [2] })).toBeUndefined()
    expect(chosenBy(weighted, [view(1, 500), view(2, 300)], { full: [1] })).toBe(2)
    expect(chosenBy(weighted, [])).toBeUndefined()
  })

  it.each([
    [
      [1, 1],
      [60, 60],
    ],
    [
      [3, 1],
      [90, 30],
    ],
    [
      [1, 2, 3],
      [20, 40, 60],
    ],
  ])('shares by weights %j', (weights, frames) => {
    const sending = weighing(...weights)
    sends(sending, 120)
    expect(sending.counts('framesSent')).toEqual(frames)
  })

  it('goes by a weight that has changed, from then on', () => {
    const sending = weighing(1, 1)
    sends(sending, 40)
    sending.subflows[0]!.path.set({ weight: 3 })
    sends(sending, 40)
    expect(sending.counts('framesSent')).toEqual([20 + 30, 20 + 10])
  })

  it('gives a path that comes back its share, and nothing for the time before', () => {
    const sending = weighing(1, 1)
    const [first] = sending.subflows
    first!.moveTo('suspect')
    sends(sending, 100)
    expect(sending.counts('framesSent')).toEqual([0, 100])
    first!.moveTo('up')
    sends(sending, 20)
    expect(sending.counts('framesSent')).toEqual([10, 110])
  })

  it('counts from the moment on at which it was chosen as scheduler', () => {
    const sending = new Sending(lowestRtt, [subflowOf(10, 1), subflowOf(50, 2)])
    sends(sending, 100)
    expect(sending.counts('framesSent')).toEqual([100, 0])
    sending.sender.scheduler = weighted
    sends(sending, 20)
    expect(sending.counts('framesSent')).toEqual([110, 10])
  })
})

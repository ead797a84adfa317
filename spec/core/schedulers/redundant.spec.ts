// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import { redundant } from '../../../lib/core/schedulers/redundant.js'
import { subflowOf } from '../../support/flights.js'
import { range } from '../../support/scripted-core.js'
import { Sending } from '../../support/sending.js'
import { chosenBy, snapshotOf, viewOf } from '../../support/views.js'

const FAST = viewOf(1, 10)
const SLOW = viewOf(2, 300)

describe('redundant', () => {
  it('has a name', () => {
    expect(redundant.name).toBe('redundant')
  })

  it('begins with the one whose ack comes soonest of those that have room', () => {
    expect(chosenBy(redundant, [SLOW, FAST])).toBe(1)
    expect(chosenBy(redundant, [SLOW, viewOf(1, 290, { rttVarianceMs: 20 })])).toBe(2)
  })

  it('never waits for a faster one: that gets its copy later', () => {
    expect(chosenBy(redundant, [SLOW, FAST], { full: [1], queuedBytes: 200 })).toBe(2)
    expect(chosenBy(redundant, [SLOW, FAST], { full: [1, 2] })).toBeUndefined()
    expect(chosenBy(redundant, [])).toBeUndefined()
  })

  it('does not go to and fro between two that are nearly alike', () => {
    expect(chosenBy(redundant, [viewOf(1, 21), viewOf(2, 20)], { lastId: 1 })).toBe(1)
    expect(chosenBy(redundant, [viewOf(1, 25), viewOf(2, 20)], { lastId: 1 })).toBe(2)
  })

  it('sends every frame on every path', () => {
    for (const queuedBytes of [1, 1_000_000, Infinity])
      expect(redundant.isShared?.(snapshotOf([FAST, SLOW], { queuedBytes }))).toBe(true)
  })
})

describe('a frame of redundant', () => {
  let sending: Sending
  beforeEach(() => {
    sending = new Sending(redundant, [subflowOf(10, 1), subflowOf(50, 2), subflowOf(90, 3)])
  })

  it('goes on each path once, and counts as sent on one and copied on the others', () => {
    sending.writes(3000)
    sending.writes(0)
    expect(sending.underWay).toEqual([range(10, 12), range(10, 12), range(10, 12)])
    expect(sending.counts('framesSent')).toEqual([3, 3, 3])
    expect(sending.counts('framesCopied')).toEqual([0, 3, 3])
    expect(sending.counts('bytesCopied')).toEqual([0, 3000, 3000])
    expect(sending.counts('framesRetransmitted')).toEqual([0, 0, 0])
  })

  it('is done with the first ack, and goes on no path any more', () => {
    sending.subflows[2]!.blocked(0)
    sending.writes(3000)
    expect(sending.underWay).toEqual([range(10, 12), range(10, 12), []])
    sending.acks(sending.subflows[0]!, 10, 11)
    sending.subflows[2]!.drained()
    sending.writes(0)
    expect(sending.underWay[2]).toEqual([12])
    expect(sending.inFlight.bytes).toBe(1000)
  })

  it('waits for no path that has no room', () => {
    sending.subflows[1]!.blocked(0)
    sending.writes(14_000)
    expect(sending.underWay.map((fns) => fns.length)).toEqual([14, 0, 14])
    sending.now += 10
    sending.acks(sending.subflows[0]!, ...range(10, 20))
    sending.writes(11_000)
    expect(sending.underWay[0]).toEqual(range(21, 34))
  })

  it('goes on none whose byte cap it would pass', () => {
    sending.subflows[1]!.path.set({ maxBytes: 2500 })
    sending.writes(3000)
    expect(sending.underWay).toEqual([range(10, 12), [10, 11], range(10, 12)])
  })

  it('goes on none of a later tier', () => {
    sending.subflows[2]!.path.set({ tier: 'backup' })
    sending.writes(1000)
    expect(sending.underWay).toEqual([[10], [10], []])
  })

  it('is not copied while the receiver takes nothing', () => {
    for (const subflow of sending.subflows.slice(1)) subflow.blocked(0)
    sending.writes(1000)
    sending.inFlight.peerWindow.hold(sending.now)
    for (const subflow of sending.subflows) subflow.drained()
    sending.writes(0)
    expect(sending.underWay).toEqual([[10], [], []])
  })

  it('goes out again nowhere when one of its paths is lost', () => {
    sending.writes(1000)
    sending.inFlight.lost(sending.subflows[0]!)
    sending.writes(0)
    expect(sending.counts('framesRetransmitted')).toEqual([0, 0, 0])
  })
})

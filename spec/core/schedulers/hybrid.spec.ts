// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { hybrid } from '../../../lib/core/schedulers/hybrid.js'
import { lowestRtt } from '../../../lib/core/schedulers/lowest-rtt.js'
import { drawSnapshots } from '../../../lib/testing/snapshots.js'
import { subflowOf } from '../../support/flights.js'
import { Sending } from '../../support/sending.js'
import { snapshotOf } from '../../support/views.js'

const isShared = (queuedBytes: number, unackedBytes: number): boolean | undefined =>
  hybrid.isShared?.(snapshotOf([], { queuedBytes, unackedBytes }))

describe('hybrid', () => {
  it('has a name', () => {
    expect(hybrid.name).toBe('hybrid')
  })

  it('chooses as lowest-rtt does', () => {
    for (const snapshot of drawSnapshots({ count: [0, 6], room: 'some' }))
      expect(hybrid.choose(snapshot)).toBe(lowestRtt.choose(snapshot))
  })

  it('sends on every path while no more than a first flight is on its way', () => {
    expect(isShared(200, 0)).toBe(true)
    expect(isShared(200, 16_184)).toBe(true)
    expect(isShared(200, 16_185)).toBe(false)
    expect(isShared(16_385, 0)).toBe(false)
    expect(isShared(Infinity, 0)).toBe(false)
  })

  it('copies a lone message, and nothing of bulk', () => {
    const sending = new Sending(hybrid, [subflowOf(10, 1), subflowOf(50, 2)])
    sending.writes(1000)
    expect(sending.underWay).toEqual([[10], [10]])
    expect(sending.counts('framesCopied')).toEqual([0, 1])
    sending.writes(22_000)
    expect(sending.counts('framesCopied')).toEqual([0, 1])
    expect(sending.underWay.flat()).toHaveLength(2 + 22)
  })
})

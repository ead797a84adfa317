// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test } from 'vitest'
import type { SubflowView } from '../../../lib/core/scheduler.js'
import { lowestRtt } from '../../../lib/core/schedulers/lowest-rtt.js'
import { chosenBy, viewOf as view } from '../../support/views.js'

function choose(
  subflows: readonly SubflowView[],
  queuedBytes: number,
  full: readonly number[] = [],
  lastId?: number,
): number | undefined {
  return chosenBy(lowestRtt, subflows, { queuedBytes, full, lastId })
}

const FAST = view(1, 10)
const SLOW = view(2, 300)

describe('lowest-rtt', () => {
  it('has a name', () => {
    expect(lowestRtt.name).toBe('lowest-rtt')
  })

  it('chooses the lowest RTT of those that have room', () => {
    const three = [view(3, 40), FAST, view(2, 20)]
    expect(choose(three, Infinity)).toBe(1)
    expect(choose(three, Infinity, [1])).toBe(2)
    expect(choose(three, Infinity, [1, 2])).toBe(3)
  })

  it('prefers the steadier of two whose mean is the same', () => {
    const shaky = view(1, 20, { rttVarianceMs: 15 })
    const steady = view(2, 20, { rttVarianceMs: 1 })
    expect(choose([shaky, steady], Infinity)).toBe(2)
    expect(choose([shaky, view(2, 30)], Infinity)).toBe(2)
  })

  it('stays on the subflow used last while another is hardly faster', () => {
    const [used, other] = [view(1, 21), view(2, 20)]
    expect(choose([used, other], Infinity, [], 1)).toBe(1)
    expect(choose([used, other], Infinity, [], 2)).toBe(2)
    expect(choose([used, other], Infinity)).toBe(2)
  })

  it('leaves the subflow used last for one that is clearly faster, or when it is full or gone', () => {
    const [used, other] = [view(1, 25), view(2, 20)]
    expect(choose([used, other], Infinity, [], 1)).toBe(2)
    expect(choose([view(1, 21), other], Infinity, [1], 1)).toBe(2)
    expect(choose([other, view(3, 40)], Infinity, [], 1)).toBe(2)
  })

  it('chooses none where none has room', () => {
    expect(choose([FAST, SLOW], Infinity, [1, 2])).toBeUndefined()
    expect(choose([FAST], Infinity, [1])).toBeUndefined()
    expect(choose([], Infinity)).toBeUndefined()
  })

  it('never puts a lone small message on a slow path: the fast one is free sooner', () => {
    expect(choose([FAST, SLOW], 200, [1])).toBeUndefined()
  })

  it('uses the slow path as well where the fast one would take longer for all that is left', () => {
    expect(choose([FAST, SLOW], 6000 * 400, [1])).toBe(2)
  })

  it('spreads a message over paths that would deliver a frame equally soon', () => {
    const [busy, free] = [view(1, 20, { inFlightBytes: 60_000 }), view(2, 20)]
    expect(choose([busy, free], 100_000, [], 1)).toBe(2)
    expect(choose([busy, free], Infinity, [], 1)).toBe(1)
  })

  it('waits where another path than the first one to deliver would be done with all sooner', () => {
    const [slow, fast] = [view(1, 20, { bytesPerMs: 100 }), view(2, 60)]
    const far = view(3, 300)
    expect(choose([slow, fast, far], 60_000, [1, 2])).toBeUndefined()
    expect(choose([slow, fast, far], 6_000_000, [1, 2])).toBe(3)
  })

  it('uses every worthwhile path while the application waits for room', () => {
    expect(choose([FAST, SLOW], Infinity, [1])).toBe(2)
  })

  it('leaves a path out of bulk that adds next to nothing', () => {
    expect(choose([FAST, view(2, 300, { bytesPerMs: 60 })], Infinity, [1])).toBeUndefined()
  })

  it('goes on to the next where the one with the lowest RTT that has room adds next to nothing', () => {
    const three = [FAST, view(2, 20, { bytesPerMs: 60 }), view(3, 40)]
    expect(choose(three, Infinity, [1])).toBe(3)
  })

  it('tries a path whose rate is still unknown', () => {
    expect(choose([FAST, view(2, 300, { bytesPerMs: 0, isStartup: true })], Infinity, [1])).toBe(2)
  })

  test.each([
    ['rate', view(1, 10, { bytesPerMs: 0 })],
    ['RTT', view(1, Infinity)],
  ])('waits for nobody whose %s is unknown', (_what, unknown) => {
    expect(choose([unknown, view(2, 20)], 200, [1])).toBe(2)
  })

  it('uses one that has no RTT yet where it is the only one', () => {
    expect(choose([view(1, Infinity, { bytesPerMs: 0 })], 200)).toBe(1)
    expect(choose([view(1, Infinity), view(2, Infinity)], 200)).toBe(1)
  })

  it('changes nothing in what it is given', () => {
    const subflows = Object.freeze([Object.freeze(view(2, 20)), Object.freeze(view(1, 10))])
    expect(choose(subflows, Infinity)).toBe(1)
  })
})

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { ReceiveWindow } from '../../lib/mux/receive-window.js'
import { KIB } from '../support/mux-core.js'

const MIB = KIB * KIB
const INITIAL = 256 * KIB

/** Reads as fast as the peer may send, `ms` for a window, until nothing changes. */
function settled(rttMs: number | undefined, ms: number, maxBytes = 64 * MIB, left = 64 * MIB): number {
  const window = new ReceiveWindow(0)
  const budget = { left }
  let credit = INITIAL
  for (let now = ms; now < ms * 40; now += ms) {
    window.spend(credit)
    credit = window.grant(0, now, { rttMs, budget, maxBytes })
  }
  expect(left - budget.left).toBe(window.size - INITIAL)
  window.release(budget)
  expect(budget.left).toBe(left)
  return credit
}

describe('a receive window', () => {
  it('begins with the 256 KiB of yamux, and refuses a byte more', () => {
    const window = new ReceiveWindow(0)
    window.spend(INITIAL)
    expect(() => window.spend(1)).toThrow(expect.objectContaining({ code: 'ERR_MULTIPATH_MUX_PROTOCOL' }))
  })

  it('tells the peer once a half of it was read', () => {
    const window = new ReceiveWindow(0)
    window.spend(INITIAL)
    expect(window.isDue(INITIAL / 2 + 1)).toBe(false)
    expect(window.grant(INITIAL / 2, 1e6, { rttMs: 1, budget: { left: 0 }, maxBytes: MIB })).toBe(INITIAL / 2)
  })

  it('stays as it is while the peer needs more than two round trips for a half of it', () => {
    expect(settled(100, 200)).toBe(INITIAL)
  })

  it('stays as it is while nobody knows the round trip', () => {
    expect(settled(undefined, 1)).toBe(INITIAL)
  })

  it('doubles while it is used up faster, up to the limit of a stream', () => {
    expect(settled(100, 199)).toBe(64 * MIB)
    expect(settled(100, 199, 5 * MIB)).toBe(5 * MIB)
  })

  it('leaves the others of the session their part', () => {
    expect(settled(100, 199, 64 * MIB, MIB)).toBe(MIB + INITIAL)
  })
})

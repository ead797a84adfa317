// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { Repairs } from '../../lib/core/repairs.js'

const RTT = 20

/** Acks, one each millisecond for what left a round trip ago, until each of `stalls` holds them up for `stallMs`. */
function after(stalls: readonly number[], stallMs: number, until: number): { repairs: Repairs; now: number } {
  const repairs = new Repairs()
  let stalled: number | undefined
  for (let sent = 0; sent + RTT <= until; sent++) {
    const due = sent + RTT
    const start = stalls.find((at) => due >= at && due < at + stallMs)
    stalled = start === undefined ? undefined : start + stallMs
    repairs.acked(sent, stalled ?? due, RTT)
  }
  return { repairs, now: until }
}

describe('repairs', () => {
  const OFTEN = [200, 360, 520, 680]

  it('show losses where they are frequent', () => {
    const { repairs, now } = after(OFTEN, 21, 750)
    expect(repairs.isLossy(now, RTT)).toBe(true)
  })

  it('show none once they are a while ago', () => {
    const { repairs } = after(OFTEN, 21, 750)
    expect(repairs.isLossy(200 + 50 * RTT + 50, RTT)).toBe(false)
  })

  it('show none where they are rare, or follow one another at once', () => {
    const rare = after([200, 700, 1200, 1700], 21, 2000)
    expect(rare.repairs.isLossy(rare.now, RTT)).toBe(false)
    const one = after([200, 225, 250, 275], 21, 500)
    expect(one.repairs.isLossy(one.now, RTT)).toBe(false)
  })

  it('are not what delays by less than a round trip', () => {
    const { repairs, now } = after(OFTEN, 14, 750)
    expect(repairs.isLossy(now, RTT)).toBe(false)
  })
})

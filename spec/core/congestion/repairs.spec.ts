// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { Repairs } from '../../../lib/core/congestion/repairs.js'

const RTT = 20

/** Acks, one each millisecond for what left a round trip ago, until each of `stalls` holds them up for `stallMs`. */
function after(
  stalls: readonly number[],
  stallMs: number,
  until: number,
  retransmits: () => number | undefined = () => undefined,
): { repairs: Repairs; now: number } {
  const repairs = new Repairs()
  repairs.watch(retransmits)
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
  const OFTEN = [200, 360, 520, 680, 840, 1000]

  it('show losses where they are frequent', () => {
    const { repairs, now } = after(OFTEN, 21, 1100)
    expect(repairs.isLossy(now, RTT)).toBe(true)
  })

  it('show none once they are a while ago', () => {
    const { repairs } = after(OFTEN, 21, 1100)
    expect(repairs.isLossy(OFTEN.at(-5)! + 100 * RTT + 50, RTT)).toBe(false)
  })

  it('show none where they are rare, or follow one another at once', () => {
    const rare = after([200, 700, 1200, 1700, 2200, 2700], 21, 3000)
    expect(rare.repairs.isLossy(rare.now, RTT)).toBe(false)
    const one = after([200, 225, 250, 275, 300, 325], 21, 500)
    expect(one.repairs.isLossy(one.now, RTT)).toBe(false)
  })

  it('tell when the last one was, whoever counts', () => {
    const none = after([], 0, 500)
    expect(none.repairs.lastAt).toBe(-Infinity)
    const one = after([200], 21, 500, () => 7)
    expect(one.repairs.lastAt).toBe(221)
  })

  it('are frequent where acks show three in a hundred round trips, whoever counts', () => {
    const three = after([200, 1200, 2150], 21, 2210, () => 7)
    expect(three.repairs.isFrequent(three.now, RTT)).toBe(true)
    const rare = after([200, 1200, 2250], 21, 2400, () => 7)
    expect(rare.repairs.isFrequent(rare.now, RTT)).toBe(false)
  })

  it('are not what a kernel holds back of the first flight', () => {
    const repairs = new Repairs()
    for (let sent = 0; sent < RTT; sent++) repairs.acked(sent, sent < 10 ? RTT : 2 * RTT, RTT)
    expect(repairs.lastAt).toBe(-Infinity)
  })

  it('are not what delays by less than a round trip', () => {
    const { repairs, now } = after(OFTEN, 14, 1100)
    expect(repairs.isLossy(now, RTT)).toBe(false)
  })

  it('are not what the kernel has sent nothing again for, and are what it has', () => {
    let count = 0
    const none = after(OFTEN, 21, 1100, () => 7)
    expect(none.repairs.isLossy(none.now, RTT)).toBe(false)
    const each = after(OFTEN, 21, 1100, () => count++)
    expect(each.repairs.isLossy(each.now, RTT)).toBe(true)
    expect(each.repairs.isCounted).toBe(true)
    expect(count).toBe(7)
  })

  it('are as many as acks show where nobody counts, or the count fails', () => {
    const { repairs, now } = after(OFTEN, 21, 1100, () => undefined)
    expect(repairs.isLossy(now, RTT)).toBe(true)
    expect(repairs.isCounted).toBe(false)
  })
})

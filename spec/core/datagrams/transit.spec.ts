// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { Transit } from '../../../lib/core/datagrams/transit.js'

describe('how long something was under way', () => {
  it('is what it took more than the fastest so far, and what that takes', () => {
    const transit = new Transit(2 ** 30)
    expect(transit.took(0, 5000, 10)).toBe(10)
    expect(transit.took(20, 5050, 10)).toBe(40)
    expect(transit.took(60, 5050, 10)).toBe(10)
    expect(transit.took(100, 5100, 10)).toBe(20)
  })

  it('goes on when stamps begin again', () => {
    const transit = new Transit(1000)
    transit.took(990, 50_000, 5)
    expect(transit.took(0, 50_010, 5)).toBe(5)
    expect(transit.took(998, 50_020, 5)).toBe(17)
    for (let at = 50_020; at < 60_000; at += 100) expect(transit.took((at - 49_010) % 1000, at, 5)).toBe(5)
  })

  it('forgets the fastest within a second after a long silence, in which a machine may have slept', () => {
    const transit = new Transit(2 ** 30)
    transit.took(0, 0, 10)
    // The sender's clock stood still for 30 s.
    for (let at = 1000; at <= 2000; at += 100) expect(transit.took(at, at + 30_000, 10)).toBe(30_010)
    expect(transit.took(2100, 32_100, 10)).toBe(10)
    expect(transit.took(2120, 32_150, 10)).toBe(40)
  })

  it('is told of what was held up for all of a long silence', () => {
    const transit = new Transit(2 ** 30)
    transit.took(0, 0, 10)
    for (const at of [100, 5000, 10_000]) expect(transit.took(at, 20_000, 10)).toBe(20_010 - at)
  })

  it('forgets the fastest after a while, as clocks drift and paths go', () => {
    const transit = new Transit(2 ** 30)
    transit.took(0, 0, 10)
    let took = 0
    for (let at = 100; at < 25_000; at += 100) took = transit.took(at, at + 50, 10)
    expect(took).toBe(10)
  })
})

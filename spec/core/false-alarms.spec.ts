// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import { FalseAlarms } from '../../lib/core/false-alarms.js'

const WAIT = 60
let alarms: FalseAlarms
beforeEach(() => {
  alarms = new FalseAlarms()
})

const waitAt = (now: number): number => alarms.wait(WAIT, now)

describe('the silence that makes a path suspect', () => {
  it('is the usual one for a path without a history', () => {
    expect(waitAt(1000)).toBe(60)
  })

  it('is a quarter longer than the longest that the path has ended by itself', () => {
    alarms.ended(120, WAIT, 1000)
    alarms.ended(160, WAIT, 2000)
    alarms.ended(80, WAIT, 3000)
    expect(waitAt(3000)).toBe(200)
  })

  it('is not made longer by silences that nobody would have suspected, nor by outages', () => {
    expect(alarms.ended(59, WAIT, 1000)).toBe(false)
    expect(alarms.ended(301, WAIT, 2000)).toBe(true)
    expect(waitAt(2000)).toBe(60)
  })

  it('is the usual one again after half a minute of calm', () => {
    alarms.ended(160, WAIT, 1000)
    expect(waitAt(30_999)).toBe(200)
    expect(waitAt(31_000)).toBe(60)
  })

  it('stays as long while the path goes on to pause nearly so long', () => {
    alarms.ended(160, WAIT, 1000)
    alarms.ended(140, WAIT, 20_000)
    expect(waitAt(45_000)).toBe(200)
  })

  it('is shorter once the pauses have become shorter', () => {
    alarms.ended(160, WAIT, 1000)
    for (let now = 2000; now < 40_000; now += 1000) alarms.ended(80, WAIT, now)
    expect(waitAt(40_000)).toBe(100)
  })
})

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { RttEstimator } from '../../../lib/core/congestion/rtt.js'

describe('an RTT estimator', () => {
  it('knows nothing before the first sample, and waits long then', () => {
    const rtt = new RttEstimator()
    expect(rtt.smoothed).toBeUndefined()
    expect(rtt.min).toBe(Infinity)
    expect(rtt.timeout(60)).toBeGreaterThanOrEqual(1000)
  })

  // RFC 6298, section 2.2 and 2.3.
  it('takes the first sample as it is, with half of it as variance', () => {
    const rtt = new RttEstimator()
    rtt.sample(80, 1)
    expect(rtt.smoothed).toBe(80)
    expect(rtt.variance).toBe(40)
  })

  it('weighs later samples by an eighth, and their distance by a quarter', () => {
    const rtt = new RttEstimator()
    rtt.sample(80, 1)
    rtt.sample(160, 2)
    expect(rtt.smoothed).toBe(90)
    expect(rtt.variance).toBe(50)
  })

  it('comes down to the floor on a steady path', () => {
    const rtt = new RttEstimator()
    for (let at = 0; at < 200; at++) rtt.sample(20, at)
    expect(rtt.timeout(60)).toBe(60)
    expect(rtt.timeout(5)).toBeCloseTo(20, 0)
  })

  it('waits longer where the path jitters', () => {
    const rtt = new RttEstimator()
    for (let at = 0; at < 200; at++) rtt.sample(at % 2 === 0 ? 20 : 100, at)
    expect(rtt.timeout(60)).toBeGreaterThan(150)
  })

  it('remembers the smallest and the newest sample, and when it saw the smallest', () => {
    const rtt = new RttEstimator()
    rtt.sample(30, 1)
    rtt.sample(20, 2)
    rtt.sample(20, 3)
    rtt.sample(50, 4)
    expect(rtt).toMatchObject({ min: 20, minAt: 3 })
    rtt.resetMin(40, 5)
    expect(rtt).toMatchObject({ min: 40, minAt: 5 })
  })

  it('knows the smallest of the last eight samples at least, and of sixteen at most', () => {
    const rtt = new RttEstimator()
    expect(rtt.recentMin).toBe(Infinity)
    rtt.sample(20, 1)
    for (let at = 2; at <= 8; at++) rtt.sample(50, at)
    for (let at = 9; at <= 16; at++) {
      rtt.sample(60, at)
      expect(rtt.recentMin).toBe(20)
    }
    rtt.sample(60, 17)
    expect(rtt.recentMin).toBe(60)
    rtt.sample(30, 18)
    expect(rtt.recentMin).toBe(30)
  })
})

// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import { Jitter } from '../../lib/core/jitter.js'

const RATE = 5000
const LOOK = 200

let jitter: Jitter
let now: number
beforeEach(() => {
  jitter = new Jitter()
  now = 1000
})

/** Looks in which acks come every millisecond at `rate`, but all of a pause of `pause` ms in one go after it. */
function looks(count: number, { pause = 0, rate = RATE, minRtt = 20, every = 50 } = {}): void {
  const end = now + count * Math.max(LOOK, 8 * minRtt)
  while (now < end) {
    if (pause > 0 && now % every === 0) {
      now += pause
      for (let late = 0; late < pause; late++) jitter.acked(now, rate, RATE, minRtt)
    } else {
      now++
      jitter.acked(now, rate, RATE, minRtt)
    }
  }
}

/** The rate is the most that was seen: mostly acks come a little more slowly. */
const calm = (count: number): void => looks(count, { rate: 0.9 * RATE })

describe('jitter', () => {
  it('asks for nothing while acks come as the path delivers', () => {
    calm(10)
    expect(jitter.slack).toBe(0)
  })

  it('asks for one and a half times the bunches that come again and again', () => {
    looks(4, { pause: 6 })
    expect(jitter.slack).toBeGreaterThan(1.3 * 6)
    expect(jitter.slack).toBeLessThan(1.7 * 6)
  })

  it('is not what comes once', () => {
    looks(1, { pause: 20 })
    calm(1)
    expect(jitter.slack).toBe(0)
    calm(2)
    expect(jitter.slack).toBe(0)
  })

  it('is not the few milliseconds that processes delay', () => {
    looks(6, { pause: 3 })
    expect(jitter.slack).toBe(0)
  })

  it('is looked at for eight round trips on long paths', () => {
    looks(1, { pause: 20, minRtt: 200 })
    now -= 1
    expect(jitter.slack).toBe(0)
    looks(2, { pause: 20, minRtt: 200 })
    expect(jitter.slack).toBeGreaterThan(20)
  })

  it('ends when the bunches do', () => {
    looks(4, { pause: 6 })
    calm(3)
    expect(jitter.slack).toBe(0)
  })

  it('gets no more than 0.6 round trips at once, and half of it more on trial', () => {
    looks(2, { pause: 40, every: 100 })
    expect(jitter.slack).toBeLessThanOrEqual(12)
    looks(1, { pause: 40, every: 100 })
    expect(jitter.slack).toBeCloseTo(18, 5)
  })
})

describe('more for jitter than is free', () => {
  const bunched = (count: number, rate: number): void => looks(count, { pause: 40, every: 100, rate })

  it('is kept, and more given, up to 40 ms, while it pays', () => {
    for (let rate = 1000, round = 0; round < 8; round++, rate *= 1.3) bunched(2, rate)
    expect(jitter.slack).toBeGreaterThan(30)
    expect(jitter.slack).toBeLessThanOrEqual(40)
  })

  it('is taken back when it brings nothing, and tried again after five seconds', () => {
    bunched(6, RATE)
    expect(jitter.slack).toBeCloseTo(12, 5)
    let most = 0
    for (let look = 0; look < 20; look++) {
      bunched(1, RATE)
      most = Math.max(most, jitter.slack)
    }
    expect(most).toBeCloseTo(12, 5)
    for (let look = 0; look < 10; look++) {
      bunched(1, RATE)
      most = Math.max(most, jitter.slack)
    }
    expect(most).toBeCloseTo(18, 5)
  })

  it('is given again when taking it back costs as much', () => {
    bunched(4, RATE)
    // The step was tried and is taken back: the rate falls.
    bunched(3, 0.8 * RATE)
    expect(jitter.slack).toBeGreaterThanOrEqual(18)
  })
})

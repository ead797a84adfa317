// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import { AckAggregation } from '../../../lib/core/congestion/ack-aggregation.js'

const RATE = 5000

let aggregation: AckAggregation
let now: number
beforeEach(() => {
  aggregation = new AckAggregation()
  now = 1000
})

/** Acks come every millisecond at `rate`, but all of a pause of `pause` ms in one go after it. */
function passes(ms: number, { pause = 0, rate = RATE, rtt = 20, every = 50 } = {}): void {
  const end = now + ms
  while (now < end) {
    const isPause = pause > 0 && now % every === 0
    now += isPause ? pause : 1
    for (let late = 0; late < (isPause ? pause : 1); late++) aggregation.acked(now, rate, RATE, rtt)
  }
}

describe('the longest bunch of acks', () => {
  it('is next to nothing while acks come as the path delivers, or more slowly', () => {
    passes(2000)
    expect(aggregation.bunchMs).toBeLessThanOrEqual(1)
    passes(2000, { rate: 0.5 * RATE })
    expect(aggregation.bunchMs).toBeLessThanOrEqual(1)
  })

  it('is as long as the path takes for what comes in one go', () => {
    passes(300, { pause: 12 })
    expect(aggregation.bunchMs).toBeCloseTo(12, 0)
  })

  it('counts bunches together that follow each other sooner than the path could deliver them', () => {
    for (let ack = 0; ack < 20; ack++) aggregation.acked(now, RATE, RATE, 20)
    now += 5
    for (let ack = 0; ack < 20; ack++) aggregation.acked(now, RATE, RATE, 20)
    expect(aggregation.bunchMs).toBeCloseTo(34.5, 1)
  })

  it('ends although acks come at the very rate of the path after it', () => {
    passes(60, { pause: 12 })
    passes(200)
    aggregation.reset()
    passes(500)
    expect(aggregation.bunchMs).toBeLessThanOrEqual(1)
  })

  it('is forgotten after a second, on long paths after ten round trips', () => {
    passes(300, { pause: 12 })
    passes(1500)
    expect(aggregation.bunchMs).toBeLessThanOrEqual(1)
    passes(300, { pause: 12, rtt: 300 })
    passes(1500, { rtt: 300 })
    expect(aggregation.bunchMs).toBeCloseTo(12, 0)
  })

  it('is forgotten at once where it is to be measured anew', () => {
    passes(300, { pause: 12 })
    aggregation.reset()
    expect(aggregation.bunchMs).toBe(0)
  })
})

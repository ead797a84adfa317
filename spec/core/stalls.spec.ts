// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import { RttEstimator } from '../../lib/core/rtt.js'
import { StallCounter } from '../../lib/core/stalls.js'

let stalls: StallCounter
let rtt: RttEstimator
let now: number
beforeEach(() => {
  stalls = new StallCounter()
  rtt = rttOf(20)
  now = 1000
  // Past the time in which a path counts as young.
  calm(60)
})

function rttOf(ms: number): RttEstimator {
  const estimator = new RttEstimator()
  estimator.sample(ms, 0)
  return estimator
}

/** Slices of 150 ms, each with acks every 5 ms after a silence of `gap`. */
function slices(count: number, gap: number, isTelling = true, ms = 150): void {
  for (let slice = 0; slice < count; slice++) {
    const end = now + ms
    now += gap
    stalls.acked(now, rtt, isTelling)
    while (now < end) {
      now = Math.min(end, now + 5)
      stalls.acked(now, rtt, true)
    }
  }
}

const calm = (count: number): void => slices(count, 5)
const stalled = (count: number): void => slices(count, 60)
const isLossy = (): boolean => stalls.isLossy(now)

/** Milliseconds for which the path is taken for lossy from now on, while nothing stalls. */
function held(): number {
  const from = now
  while (isLossy()) calm(1)
  return now - from
}

describe('a path', () => {
  it('is lossy after four stalled slices in a row', () => {
    stalled(3)
    expect(isLossy()).toBe(false)
    stalled(1)
    expect(isLossy()).toBe(true)
  })

  it('is lossy after two while it is young, and not after one', () => {
    stalls = new StallCounter()
    calm(2)
    stalled(1)
    expect(isLossy()).toBe(false)
    stalled(1)
    expect(isLossy()).toBe(true)
  })

  it('is not lossy where slices between were calm', () => {
    for (let time = 0; time < 5; time++) {
      stalled(3)
      calm(1)
    }
    expect(isLossy()).toBe(false)
  })

  it('is not lossy where acks are missing for a tenth of the time only', () => {
    slices(20, 20)
    expect(isLossy()).toBe(false)
  })

  it('is lossy where they are missing for a third of it', () => {
    slices(4, 50)
    expect(isLossy()).toBe(true)
  })

  it('is not lossy because of one long silence', () => {
    slices(1, 5000)
    calm(1)
    expect(isLossy()).toBe(false)
  })

  it('is not lossy where we rested before each silence ended', () => {
    for (let slice = 0; slice < 20; slice++) {
      now += 60
      stalls.rested(now)
      slices(1, 10)
    }
    expect(isLossy()).toBe(false)
  })

  it('is not lossy where no acks were to be expected', () => {
    slices(20, 60, false)
    expect(isLossy()).toBe(false)
  })

  it('is not lossy where acks come in batches shorter than its round trip', () => {
    rtt = rttOf(80)
    for (let ack = 0; ack < 200; ack++) stalls.acked((now += 50), rtt, true)
    expect(isLossy()).toBe(false)
    for (let ack = 0; ack < 200 && !isLossy(); ack++) stalls.acked((now += 70), rtt, true)
    expect(isLossy()).toBe(true)
  })

  it('is not lossy where a short one is served every ten milliseconds', () => {
    rtt = rttOf(1)
    for (let ack = 0; ack < 200; ack++) stalls.acked((now += 10), rtt, true)
    expect(isLossy()).toBe(false)
  })

  it('is judged over four round trips where those are longer than a slice', () => {
    rtt = rttOf(100)
    slices(8, 80)
    expect(isLossy()).toBe(false)
    slices(4, 140, true, 400)
    expect(isLossy()).toBe(true)
  })

  it('is not judged within a slice: each of many small silences would count', () => {
    for (let time = 0; time < 20; time++) {
      slices(1, 16, true, 20)
      slices(1, 5, true, 130)
    }
    expect(isLossy()).toBe(false)
  })

  it('is never taken for lossy where its round trip is long', () => {
    rtt = rttOf(160)
    slices(20, 400, true, 640)
    expect(isLossy()).toBe(false)
  })
})

describe('a lossy path', () => {
  beforeEach(() => {
    stalled(4)
  })

  it('has the longer window for two seconds', () => {
    expect(Math.round(held() / 1000)).toBe(2)
  })

  it('is believed by the first slice after the longer window has drained', () => {
    while (isLossy()) slices(1, 5, true, 5)
    slices(1, 5, true, 30)
    stalled(1)
    expect(isLossy()).toBe(true)
  })

  it('has it twice as long each time, up to sixteen seconds', () => {
    const holds = [held()]
    for (let time = 0; time < 5; time++) {
      calm(1)
      stalled(1)
      holds.push(held())
    }
    expect(holds.map((ms) => Math.round(ms / 1000))).toEqual([2, 4, 8, 16, 16, 16])
  })

  it('is as any other after four calm slices', () => {
    held()
    calm(1)
    stalled(1)
    held()
    calm(5)
    stalled(3)
    expect(isLossy()).toBe(false)
    stalled(1)
    expect(Math.round(held() / 1000)).toBe(2)
  })

  it('is not judged by what stalls until the longer window has drained', () => {
    rtt = rttOf(140)
    held()
    slices(1, 150)
    slices(4, 5, true, 560)
    expect(isLossy()).toBe(false)
  })

  it('is not judged by what stalled while it had the longer window', () => {
    stalled(12)
    expect(held()).toBeLessThan(400)
  })
})

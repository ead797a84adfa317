// SPDX-License-Identifier: Apache-2.0
/** A path that is filled for the first time, and whose kernel repairs losses meanwhile. */
import { describe, expect, it } from 'vitest'
import { PhasedWindow } from '../../../lib/core/congestion/phased-window.js'
import { Repairs } from '../../../lib/core/congestion/repairs.js'
import { RttEstimator } from '../../../lib/core/congestion/rtt.js'
import { WindowPath } from '../../support/window-path.js'

describe('the window of a path that is filled by a kernel with a model', () => {
  it.each([
    [20, 4],
    [60, 4],
    [80, 2.77],
    [100, 1.61],
    [300, 1.85],
  ])(
    'has what such a kernel has under way, but at %i ms no more than %f pipes: others would wait for it',
    (rttMs, pipes) => {
      const path = new WindowPath({ rate: 2000, rttMs, isModelBased: true })
      path.runsUntil(() => path.window.rate > 1900)
      expect(path.window.isStartup).toBe(true)
      expect(path.bytes / path.pipe).toBeCloseTo(pipes, 1)
    },
  )

  it('has no more than others where the first round trips differ by much', () => {
    const path = new WindowPath({ rate: 2000, rttMs: 90, isModelBased: true }).runs(20)
    path.rttMs = 40
    path.runsUntil(() => path.window.rate > 1900)
    expect(path.bytes / path.pipe).toBeLessThan(1.5)
  })

  it('has no more than others when it begins anew: such a kernel does not', () => {
    const path = new WindowPath({ rate: 2000, rttMs: 40, isModelBased: true }).runs(1000)
    path.window.restart()
    path.runsUntil(() => path.window.rate > 1900)
    expect(path.window.isStartup).toBe(true)
    expect(path.bytes / path.pipe).toBeLessThan(1.5)
  })

  it('has no more behind repairs than windows of other kernels have', () => {
    const path = new WindowPath({ rate: 2000, rttMs: 50, isModelBased: true })
    path.runsUntil(() => path.window.rate > 1900)
    let most = 0
    for (let flight = 0; flight < 3; flight++) {
      path.repairs(60)
      for (let ms = 0; ms < 70; ms++) most = Math.max(most, path.runs(1).bytes / path.pipe)
    }
    expect(path.window.isStartup).toBe(true)
    expect(most).toBeGreaterThan(5)
    expect(most).toBeLessThan(4 + 1.5 * 3)
  })

  it('stays so although a queue shows, until three rounds have brought no more', () => {
    const path = new WindowPath({ rate: 2000, rttMs: 40, isModelBased: true })
    path.runsUntil(() => path.window.rate > 1900)
    path.runs(150)
    expect(path.rtt.recentMin).toBeGreaterThan(1.5 * 40)
    expect(path.window.isStartup).toBe(true)
    path.runs(3 * 4 * 40)
    expect(path.window.isStartup).toBe(false)
    expect(path.bytes / path.pipe).toBeLessThan(1.5)
  })
})

describe('the kernel below a path', () => {
  const asking = (): { rtt: RttEstimator; window: PhasedWindow; asked: () => number } => {
    const rtt = new RttEstimator()
    let asked = 0
    const isModelBased = (): boolean => ++asked > 0
    const window = new PhasedWindow(rtt, () => new Repairs(), { isModelBased })
    return { rtt, window, asked: () => asked }
  }

  it('is asked how it sends once, when more than half of a first flight is under way', () => {
    const { rtt, window, asked } = asking()
    rtt.sample(40, 0)
    window.stamp(0, 0, 7000)
    expect(asked()).toBe(0)
    window.stamp(0, 7000, 1)
    window.stamp(0, 7001, 7000)
    window.restart()
    window.stamp(0, 14_000, 7000)
    expect(asked()).toBe(1)
  })

  it('is not asked before anything has come back, since its own window has not begun to grow', () => {
    const { rtt, window, asked } = asking()
    window.stamp(0, 0, 14_000)
    expect(asked()).toBe(0)
    rtt.sample(40, 0)
    window.stamp(0, 14_000, 1)
    expect(asked()).toBe(1)
  })
})

describe('the window of a path that loses while it is filled', () => {
  /** Some rounds, and then a repair of a round trip. */
  const losing = (): WindowPath => {
    const path = new WindowPath({ rate: 2000, rttMs: 60 }).runs(310)
    path.repairs(70)
    return path.runs(75)
  }

  it('has room for what repairs hold up, so that the kernel always has something to send', () => {
    const path = losing()
    let most = 0
    let isOver = false
    while (!isOver) {
      path.runs(1)
      isOver = !path.window.isStartup
      if (!isOver) most = Math.max(most, path.bytes / path.pipe)
    }
    expect(most).toBeGreaterThan(3)
    expect(most).toBeLessThan(5)
  })

  it('has no more than has been delivered, since a kernel may have become slow', () => {
    const path = losing()
    const delivered = path.sent - path.inFlight
    expect(path.bytes).toBeLessThan(1.5 * path.pipe + delivered)
  })

  it('grows although each of its flights waits for a repair', () => {
    const path = new WindowPath({ rate: 100_000, rttMs: 60 }).runs(310)
    const before = path.bytes
    for (let flight = 0; flight < 4; flight++) {
      path.repairs(70)
      path.runs(120)
    }
    expect(path.bytes).toBeGreaterThan(8 * before)
  })

  it('has no such room for a stall after which acks come one by one', () => {
    const path = new WindowPath({ rate: 2000, rttMs: 60 }).runs(310)
    path.rttMs += 50
    path.runs(150)
    expect(path.window.isStartup).toBe(true)
    expect(path.bytes).toBeLessThan(1.5 * path.pipe)
  })

  it('has no such room once a queue shows', () => {
    const path = losing()
    path.runs(80)
    expect(path.bytes).toBeGreaterThan(3 * path.pipe)
    path.runs(20)
    expect(path.bytes).toBeLessThan(1.4 * path.pipe)
  })

  it('is short again once it is filled', () => {
    const path = losing()
    path.runsUntil(() => !path.window.isStartup)
    path.runs(4000)
    expect(path.bytes).toBeLessThan(1.5 * path.pipe)
  })

  it('begins anew without them', () => {
    const path = losing()
    path.window.restart()
    path.runs(310)
    expect(path.bytes).toBeLessThan(2 * path.pipe)
  })
})

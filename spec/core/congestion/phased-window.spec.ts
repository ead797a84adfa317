// SPDX-License-Identifier: Apache-2.0
/** The window of one path, driven by acks alone. How it does over simulated links: spec/engine/window.spec.ts. */
import { describe, expect, it, test } from 'vitest'
import { MAX_FRAME, WindowPath } from '../../support/window-path.js'

const KIB = 1024

const settled = (rate: number, rttMs: number): WindowPath => new WindowPath({ rate, rttMs }).settles()

describe('the window of a path not filled yet', () => {
  it('is what a kernel sends in its first flight, before anything is known', () => {
    expect(new WindowPath({ rate: 1000, rttMs: 50 }).bytes).toBe(14_000)
  })

  test.each([
    [400, 1.7, 1.9],
    [60, 1.35, 1.55],
  ])('grows round by round while no queue shows (%i ms)', (rttMs, least, most) => {
    const path = new WindowPath({ rate: 100_000, rttMs }).runs(2.5 * rttMs)
    for (let round = 0; round < 4; round++) {
      const before = path.bytes
      path.runs(rttMs + 2)
      expect(path.bytes / before).toBeGreaterThan(least)
      expect(path.bytes / before).toBeLessThan(most)
    }
  })

  it('holds back while acks are late, and no longer', () => {
    const path = new WindowPath({ rate: 2000, rttMs: 60 })
    path.runsUntil(() => path.inFlight > 110_000)
    const grows = (ms: number): void => {
      for (let passed = 0; passed < Math.abs(ms); passed++) {
        path.rttMs += Math.sign(ms)
        path.runs(1)
      }
    }
    grows(25)
    path.runs(100)
    expect(path.bytes / path.pipe).toBeCloseTo(1.3)
    // A third of a round trip is what a kernel's pacing costs.
    grows(-20)
    path.runs(60)
    expect(path.bytes / path.pipe).toBeCloseTo(1.45)
  })

  it('takes a few milliseconds for chance where the path is short', () => {
    const path = new WindowPath({ rate: 100_000, rttMs: 4 }).runs(30)
    const pipes = path.bytes / path.pipe
    path.rttMs += 3
    path.runs(8)
    expect(path.bytes / path.pipe).toBe(pipes)
  })

  it('stops growing soon after a queue shows', () => {
    const path = new WindowPath({ rate: 1000, rttMs: 200 })
    path.runsUntil(() => path.inFlight > 200_000)
    expect(path.runsUntil(() => !path.window.isStartup)).toBeLessThan(4.6 * 200)
  })

  it('overflows no queue of a pipe on a long path either', () => {
    const path = new WindowPath({ rate: 1000, rttMs: 400 })
    path.runsUntil(() => !path.window.isStartup)
    expect(path.most).toBeLessThan(2 * 400_000)
  })
})

describe('a path whose socket takes no more', () => {
  /** Whether the path is taken for full where each round can send `growth` times what the last could. */
  function isFull(growth: number): boolean {
    const path = new WindowPath({ rate: 1_000_000, rttMs: 60 })
    path.socketBytes = 400_000
    path.runsUntil(() => path.inFlight >= 400_000)
    for (let round = 0; round < 10 && path.window.isStartup; round++) {
      path.socketBytes *= growth
      path.runs(61)
    }
    return !path.window.isStartup
  }

  it('is full after three rounds that brought hardly more', () => {
    const path = new WindowPath({ rate: 100_000, rttMs: 60 })
    path.socketBytes = 10_000
    const full = path.runsUntil(() => !path.window.isStartup)
    expect(full).toBeGreaterThan(4 * 60)
    expect(full).toBeLessThan(6 * 62)
  })

  it('is full where three rounds bring an eighth more together, and not where they bring half', () => {
    expect(isFull(1.04)).toBe(true)
    expect(isFull(1.15)).toBe(false)
  })

  it('is not full because the kernel hardly sends for some rounds', () => {
    const path = new WindowPath({ rate: 100_000, rttMs: 60 }).runs(250)
    path.socketBytes = 3000
    path.runs(600)
    expect(path.window.isStartup).toBe(true)
  })

  it('is not full because there was too little to send', () => {
    const path = new WindowPath({ rate: 100_000, rttMs: 60 })
    path.socketBytes = 10_000
    path.isAppLimited = true
    path.runs(2000)
    expect(path.window.isStartup).toBe(true)
  })
})

describe('the window of a path once filled', () => {
  const slackMs = (path: WindowPath): number => (path.bytes - path.pipe) / path.window.rate

  it('keeps it full', () => {
    const path = settled(1000, 50)
    expect(path.window.rate).toBeCloseTo(1000, 0)
    expect(path.rtt.min).toBeLessThan(53)
  })

  it('adds milliseconds to the pipe on short paths, a share on longer ones', () => {
    expect(slackMs(settled(10_000, 8))).toBeCloseTo(5, 1)
    expect(slackMs(settled(1000, 100)) / 100).toBeGreaterThan(0.2)
    expect(slackMs(settled(1000, 100)) / 100).toBeLessThan(0.4)
  })

  it('adds no more than is needed on long paths, except where their queue is empty', () => {
    const path = settled(1000, 400)
    for (let ack = 0; ack < 16; ack++) path.rtt.sample(path.rtt.min + 25, path.now)
    expect(slackMs(path)).toBeCloseTo(40, 0)
    for (let ack = 0; ack < 16; ack++) path.rtt.sample(path.rtt.min + 5, path.now)
    expect(slackMs(path)).toBeGreaterThan(100)
  })

  it('is a few frames at least, however slow the path', () => {
    const path = settled(50, 20)
    path.rtt.resetMin(20, path.now)
    expect(path.bytes).toBe(8 * KIB)
  })

  it('is what processes do at a time where the path is faster than they are, and a slow link has no more for being short', () => {
    expect(settled(1_000_000, 0.5).bytes).toBeCloseTo(1024 * KIB + 500_000, -6)
    expect(settled(1000, 1).bytes).toBeLessThan(16 * KIB)
  })

  test.each([1, 2, 4, 8, 16, 50, 60, 100, 150, 160, 300])(
    'changes little where the path is a tenth longer or shorter (%i ms)',
    (rttMs) => {
      const [shorter, longer] = [settled(10_000, 0.95 * rttMs).bytes, settled(10_000, 1.05 * rttMs).bytes]
      expect(longer / shorter).toBeLessThan(1.2)
      expect(longer / shorter).toBeGreaterThan(0.95)
    },
  )

  test.each([1.5, 20])('grows for acks that come in bunches, by one and a half of them (%d ms)', (rttMs) => {
    const path = settled(10_000, rttMs)
    let most = 0
    for (let bunch = 0; bunch < 40; bunch++) {
      path.repairs(12)
      path.runs(40)
      most = Math.max(most, slackMs(path))
    }
    expect(most).toBeGreaterThan(8)
    expect(most).toBeLessThan(1.5 * 22)
  })
})

describe('the minimum RTT of a full path', () => {
  it('is measured anew every ten seconds, with the queue drained', () => {
    const path = settled(1000, 50)
    path.rttMs = 60
    path.runs(8000)
    expect(path.drains).toBe(0)
    expect(path.rtt.min).toBeLessThan(53)
    path.runs(4000)
    expect(path.drains).toBe(1)
    expect(path.rtt.min).toBeGreaterThan(60)
    expect(path.rtt.min).toBeLessThan(63)
  })

  it('is found although it was taken for longer than it is', () => {
    const path = settled(1000, 50)
    path.rtt.resetMin(90, path.now)
    path.runs(12_000)
    expect(path.rtt.min).toBeLessThan(56)
  })

  it('is measured less often on long paths', () => {
    const path = settled(1000, 400).runs(12_000)
    expect(path.drains).toBe(0)
    path.runs(12_000)
    expect(path.drains).toBe(1)
  })

  test.each([
    [20, 60],
    [20, 80],
    [20, 100],
    [20, 150],
    [50, 150],
  ])('is measured anew soon after the path got much longer (%i to %i ms)', (before, rttMs) => {
    const path = settled(1000, before)
    path.rttMs = rttMs
    path.runs(2500)
    expect(path.rtt.min).toBeGreaterThan(rttMs)
    expect(path.rtt.min).toBeLessThan(1.25 * rttMs)
  })

  test.each([
    [20, 800],
    [300, 2500],
  ])('stands while something delays acks only for a moment (%i ms)', (rttMs, ms) => {
    const path = settled(1000, rttMs)
    path.rttMs = 2.5 * rttMs
    path.runs(ms)
    path.rttMs = rttMs
    path.runs(rttMs)
    expect(path.drains).toBe(0)
  })

  it('stands under the queue that the window itself makes', () => {
    const path = settled(10_000, 6).runs(8000)
    expect(path.drains).toBe(0)
  })

  it('stands as long as the path has not been filled', () => {
    const path = new WindowPath({ rate: 1000, rttMs: 20 })
    path.socketBytes = 3000
    path.isAppLimited = true
    path.runs(1000)
    path.rttMs = 26
    path.runs(15_000)
    expect(path.rtt.min).toBeLessThan(23)
  })

  it('stands after the path was filled for the first time, however long that took', () => {
    const path = new WindowPath({ rate: 1000, rttMs: 20 })
    path.socketBytes = 3000
    path.isAppLimited = true
    path.runs(5000)
    path.isAppLimited = false
    path.socketBytes = Infinity
    path.runsUntil(() => !path.window.isStartup)
    path.runs(300)
    expect(path.drains).toBe(0)
  })

  it('costs no burst: the window is filled again no faster than twice what is delivered', () => {
    const path = settled(10_000, 50).runs(12_000)
    expect(path.drains).toBe(1)
    expect(path.longestBurst).toBeLessThan(0.1 * path.pipe)
  })
})

describe('the rate of a path', () => {
  it('is that of its line although acks come in bursts', () => {
    const path = settled(1000, 50)
    for (let loss = 0; loss < 3; loss++) {
      path.repairs(40)
      path.runs(300)
    }
    expect(path.window.rate).toBeLessThan(1150)
  })

  it('is that of its line although much is sent at once', () => {
    expect(new WindowPath({ rate: 100, rttMs: 20 }).runs(160).window.rate).toBeLessThan(110)
  })

  it('counts neither the time before the first frame nor a silence before the next', () => {
    const path = new WindowPath({ rate: 100_000, rttMs: 60 }).runs(61)
    expect(path.window.rate).toBeGreaterThan(0.9 * (14_000 / 61))
  })

  test.each([
    [20, 800],
    [400, 3000],
  ])('stands while the path is slower only for a moment (%i ms)', (rttMs, ms) => {
    const path = settled(1000, rttMs)
    path.rate = 500
    path.runs(ms)
    expect(path.window.rate).toBeGreaterThan(900)
    path.runs(3 * ms)
    expect(path.window.rate).toBeLessThan(600)
  })

  it('does not fall by what acks of before a silence tell, and may rise', () => {
    const path = new WindowPath({ rate: 1000, rttMs: 60 })
    path.isTrusted = false
    path.runs(65)
    const first = path.window.rate
    expect(first).toBeGreaterThan(0)
    path.runs(500)
    const known = path.window.rate
    expect(known).toBeGreaterThan(2 * first)
    path.rate = 100
    path.runs(5000)
    expect(path.window.rate).toBe(known)
  })

  it('does not fall while there is little to send, and may rise', () => {
    const path = new WindowPath({ rate: 100_000, rttMs: 60 })
    path.isAppLimited = true
    path.socketBytes = 60_000
    path.runs(1000)
    const before = path.window.rate
    path.socketBytes = 6000
    path.runs(5000)
    expect(path.window.rate).toBe(before)
    path.socketBytes = 75_000
    path.runs(500)
    expect(path.window.rate).toBeGreaterThan(1.15 * before)
  })
})

describe('a frame', () => {
  const frameOf = (rate: number, rttMs: number): number => settled(rate, rttMs).window.frameBytes(MAX_FRAME)

  it('is what the path delivers in a millisecond, from one packet to four', () => {
    expect(frameOf(500, 40)).toBe(1400)
    expect(frameOf(2500, 40)).toBeCloseTo(2500, -2)
    expect(frameOf(12_500, 40)).toBe(5600)
  })

  it('is larger on fast paths and on long ones, where that would be many frames', () => {
    expect(frameOf(100_000, 10)).toBeCloseTo(25_000, -2)
    expect(frameOf(5000, 400)).toBeGreaterThan(7500)
  })

  it('is never larger than wanted', () => {
    expect(settled(10_000, 40).window.frameBytes(1000)).toBe(1000)
  })
})

describe('a window begun anew', () => {
  it('knows nothing of the rate', () => {
    const path = settled(1000, 50)
    path.window.restart()
    expect(path.window).toMatchObject({ isStartup: true, rate: 0 })
    expect(path.bytes).toBe(14_000)
  })

  it('grows to what the path has become, though that is less than it was', () => {
    const path = settled(10_000, 100)
    path.socketBytes = 0
    path.runs(500)
    path.window.restart()
    path.rate = 3000
    path.socketBytes = Infinity
    path.runsUntil(() => !path.window.isStartup)
    expect(path.window.rate).toBeGreaterThan(2700)
  })

  it('takes no RTT for the minimum because it was measuring that before', () => {
    const path = settled(1000, 50)
    path.runsUntil(() => path.drains === 1)
    path.window.restart()
    path.runsUntil(() => !path.window.isStartup)
    path.runs(20)
    expect(path.rtt.latest).toBeGreaterThan(55)
    expect(path.rtt.min).toBeLessThan(53)
  })

  it('takes three rounds to take the path for full, as the first time', () => {
    const path = new WindowPath({ rate: 100_000, rttMs: 60 })
    path.socketBytes = 10_000
    path.runsUntil(() => !path.window.isStartup)
    path.window.restart()
    expect(path.runsUntil(() => !path.window.isStartup)).toBeGreaterThan(3.5 * 60)
  })

  it('has to be where nothing was delivered for half a minute', () => {
    const path = settled(1000, 50)
    const last = path.now
    expect(path.window.isStale(last + 29_000)).toBe(false)
    expect(path.window.isStale(last + 31_000)).toBe(true)
  })
})

describe('a path that loses', () => {
  /** For so long a repair of 60 ms in every 150. */
  function losing(path: WindowPath, ms: number): WindowPath {
    for (let passed = 0; passed < ms; passed += 150) {
      path.repairs(60)
      path.runs(150)
    }
    return path
  }

  it('gets a window longer by its bunches, and its short one again a few seconds after the losses end', () => {
    const path = losing(settled(1000, 50), 1500)
    expect(path.bytes).toBeGreaterThan(1.8 * path.pipe)
    expect(path.bytes).toBeLessThan(4.1 * path.pipe)
    path.runs(4000)
    expect(path.bytes).toBeLessThan(1.5 * path.pipe)
  })

  it('gets no more than six pipes, however long the repairs are', () => {
    const path = settled(1000, 50)
    const pipes: number[] = []
    for (let repair = 0; repair < 20; repair++) {
      path.repairs(200)
      for (let step = 0; step < 50; step++) pipes.push(path.runs(10).bytes / path.pipe)
    }
    expect(Math.max(...pipes)).toBeLessThanOrEqual(6 + 1e-9)
    // The rate is taken for up to a quarter more than it is.
    expect(path.most).toBeLessThan(6 * 1.25 * 50_000)
  })

  it('may send at once after it was begun anew, however often it has been repaired', () => {
    const path = losing(settled(1000, 50), 10_000)
    path.window.restart()
    // More than any burst.
    path.window.stamp(path.now, 0, 14_000)
    expect(path.window.readyAt(path.now)).toBe(path.now)
  })

  /** What is sent within a minimum RTT after each of ten repairs, in pipes. */
  function refilled(path: WindowPath): number[] {
    return Array.from({ length: 10 }, () => {
      path.longestBurst = 0
      path.repairs(100)
      path.runs(100)
      expect(path.longestBurst).toBeLessThan(path.bytes / 4)
      const before = path.sent
      path.runs(path.rtt.min)
      const sent = (path.sent - before) / path.pipe
      path.runs(250)
      return sent
    })
  }

  it('is filled again within a round trip by a kernel that paces, not in one burst', () => {
    const path = new WindowPath({ rate: 1000, rttMs: 50, isModelBased: true }).settles()
    for (let repair = 0; repair < 2; repair++) {
      path.repairs(100)
      path.runs(100 + path.rtt.min)
      expect(path.inFlight).toBeGreaterThan(0.9 * path.bytes)
      path.runs(250)
    }
  })

  it('is filled again at its rate where the kernel does not pace, and then faster: behind a loss, the path is empty', () => {
    const sent = refilled(settled(1000, 50))
    expect(Math.max(...sent)).toBeLessThan(1.2)
    // One of them is a drain.
    expect(sent.filter((pipes) => pipes > 0.95).length).toBeGreaterThanOrEqual(8)
  })

  it('gets more than its rate a round trip after a repair, so that it can turn out to be faster', () => {
    const path = settled(1000, 50)
    path.repairs(100)
    path.runs(100 + 55)
    path.rate = 2000
    path.runs(500)
    expect(path.window.rate).toBeGreaterThan(1600)
  })

  it('has its queue drained after two seconds, then after up to sixteen, to see whether it made the losses itself', () => {
    const path = settled(1000, 50)
    const drains: number[] = []
    for (let second = 0; second < 90; second++) {
      const before = path.drains
      losing(path, 1000)
      if (path.drains > before) drains.push(second)
    }
    const gaps = drains.map((second, index) => second - (drains[index - 1] ?? 0))
    expect(gaps[1]).toBeLessThan(6)
    expect(Math.max(...gaps)).toBeGreaterThan(8)
    expect(Math.max(...gaps)).toBeLessThan(20)
  })

  it('does not have its minimum doubted because of its long window', () => {
    const path = losing(settled(1000, 50), 9000)
    expect(path.rtt.min).toBeLessThan(60)
    expect(path.drains).toBeLessThan(4)
  })
})

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../lib/testing/manual-clock.js'

describe('a manual clock', () => {
  it('runs due timers in the order of their times, each at its own time', () => {
    const clock = new ManualClock()
    const seen: string[] = []
    for (const at of [30, 10, 20, 10]) clock.callAt(at, () => seen.push(`${at} at ${clock.now()}`))
    clock.advance(25)
    expect(seen).toEqual(['10 at 10', '10 at 10', '20 at 20'])
    expect(clock.now()).toBe(25)
    expect(clock.nextTimerAt).toBe(30)
  })

  it('runs timers of one moment in the order in which they were armed', () => {
    const clock = new ManualClock()
    const seen: number[] = []
    for (let index = 0; index < 50; index++) clock.callAt(5, () => seen.push(index))
    clock.advance(5)
    expect(seen).toEqual(Array.from({ length: 50 }, (_, index) => index))
  })

  it('runs what a timer arms for the time that passes', () => {
    const clock = new ManualClock()
    const seen: number[] = []
    const tick = (): void => {
      seen.push(clock.now())
      clock.callAt(clock.now() + 10, tick)
    }
    clock.callAt(10, tick)
    clock.advance(35)
    expect(seen).toEqual([10, 20, 30])
  })

  it('does not run a timer that was cancelled', () => {
    const clock = new ManualClock()
    const cancel = clock.callAt(10, () => expect.unreachable())
    cancel()
    clock.advance(20)
    expect(clock.nextTimerAt).toBe(Infinity)
  })

  it('runs timers late after a stall', () => {
    const clock = new ManualClock()
    const seen: number[] = []
    clock.callAt(10, () => seen.push(clock.now()))
    clock.stall(500)
    expect(seen).toEqual([])
    clock.advance(0)
    expect(seen).toEqual([500])
  })

  it('moves the wall clock alone when the machine was suspended', () => {
    const clock = new ManualClock()
    const wall = clock.wall()
    clock.advance(10)
    clock.suspend(3_600_000)
    expect(clock.now()).toBe(10)
    expect(clock.wall() - wall).toBe(3_600_010)
  })

  it('fails where timers arm each other without time moving', () => {
    const clock = new ManualClock()
    const again = (): void => {
      clock.callAt(clock.now(), again)
    }
    clock.callAt(1, again)
    expect(() => {
      clock.advance(1)
    }).toThrow('timers keep arming each other at 1 ms')
  })

  it('lets promises and immediates keep up between two moments', async () => {
    const clock = new ManualClock()
    const seen: number[] = []
    const sleep = (ms: number): Promise<void> =>
      new Promise((resolve) => void clock.callAt(clock.now() + ms, resolve))
    const work = async (): Promise<void> => {
      for (let round = 0; round < 3; round++) {
        await sleep(100)
        await new Promise((resolve) => setImmediate(resolve))
        seen.push(clock.now())
      }
    }
    const done = work()
    await clock.run(250)
    expect(seen).toEqual([100, 200])
    expect(clock.now()).toBe(250)
    await clock.until(done)
    expect(seen).toEqual([100, 200, 300])
  })

  it('gives back what a promise settles with', async () => {
    const clock = new ManualClock()
    await expect(clock.until(Promise.resolve(7))).resolves.toBe(7)
    await expect(clock.until(Promise.reject(new Error('no')))).rejects.toThrow('no')
  })

  it('gives up on a promise that nothing can settle, or not in time', async () => {
    const clock = new ManualClock()
    const never = new Promise<never>(() => {})
    await expect(clock.until(never)).rejects.toThrow('nothing is left that could happen')
    clock.callAt(5000, () => {})
    await expect(clock.until(never, 1000)).rejects.toThrow('not settled within 1000 ms')
  })
})

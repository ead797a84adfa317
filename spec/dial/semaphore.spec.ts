// SPDX-License-Identifier: Apache-2.0
/** The most subflows that a dialer opens for one connection. */
import { describe, expect, it } from 'vitest'
import { Semaphore } from '../../lib/dial/semaphore.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { meeting, upCount } from '../support/pair.js'
import { pass, passUntil } from '../support/pass.js'
import { quiet } from '../support/turns.js'

describe('maxSubflows of a dialer', () => {
  it('bounds what it dials; a path waits until another has lost its subflow', async () => {
    const clock = new ManualClock()
    const { dialer, listener, paths } = meeting({
      paths: 5,
      dialer: { clock, maxSubflows: 3, headStartMs: 5000, redialMinMs: 60_000, redialMaxMs: 60_000 },
      listener: { clock },
    })
    const [near] = await passUntil(clock, Promise.all([dialer.dial(), listener.accept()]))
    await pass(clock, 1000)
    expect(upCount(near)).toBe(3)
    expect(paths.map(({ dials }) => dials)).toEqual([1, 1, 1, 0, 0])
    paths[1]!.mode = 'refuse'
    paths[1]!.last.cut()
    await pass(clock, 100)
    expect(paths.map(({ dials }) => dials)).toEqual([1, 1, 1, 1, 0])
    dialer.remove('path 0')
    await pass(clock, 100)
    expect(paths.map(({ dials }) => dials)).toEqual([1, 1, 1, 1, 1])
    expect(upCount(near)).toBe(3)
    near.destroy()
  })

  it('leaves no room for a standby subflow beside a suspect', async () => {
    const clock = new ManualClock()
    const { dialer, listener, paths } = meeting({
      dialer: { clock, maxSubflows: 1, keepAliveMs: 200 },
      listener: { clock },
    })
    const [near] = await passUntil(clock, Promise.all([dialer.dial(), listener.accept()]))
    near.on('error', () => {})
    await pass(clock, 100)
    paths[0]!.last.freeze()
    await pass(clock, 3000)
    expect(near.subflows()).toMatchObject([{ state: 'suspect' }])
    expect(paths[0]!.dials).toBe(1)
    near.destroy()
  })

  it('closes what opened in the race and finds no place', async () => {
    const { dialer, listener, paths } = meeting({ paths: 4, dialer: { maxSubflows: 2, headStartMs: 0 } })
    const [near] = await Promise.all([dialer.dial(), listener.accept()])
    await quiet()
    expect(paths.map(({ live }) => live.length)).toEqual([1, 1, 0, 0])
    near.destroy()
  })

  it('holds where a listener refuses more: its paths are tried again with backoff', async () => {
    const clock = new ManualClock()
    const { dialer, listener, paths } = meeting({
      paths: 3,
      dialer: { clock, redialMinMs: 4000 },
      listener: { clock, maxSubflows: 2 },
    })
    const refused: Error[] = []
    listener.on('refused', (error) => refused.push(error))
    const failures: (number | undefined)[] = []
    dialer.on('path-failure', ({ waitMs }) => failures.push(waitMs))
    const [near] = await passUntil(clock, Promise.all([dialer.dial(), listener.accept()]))
    await pass(clock, 20_000, 100)
    expect(upCount(near)).toBe(2)
    expect(refused.length).toBeGreaterThan(1)
    expect(refused[0]).toMatchObject({ code: 'ERR_MULTIPATH_LIMIT' })
    expect(failures).toHaveLength(refused.length)
    expect(Math.max(...failures.map((waitMs) => waitMs ?? Infinity))).toBeLessThanOrEqual(30_000)
    expect(paths.reduce((sum, { dials }) => sum + dials, 0)).toBe(2 + refused.length)
    near.destroy()
  })
})

describe('places', () => {
  it('are given in the order in which they were asked for', async () => {
    const places = new Semaphore(1)
    const { signal } = new AbortController()
    const leave = places.tryTake()!
    const taken: number[] = []
    const waiting = [1, 2].map(async (who) => {
      const place = await places.take(signal)
      taken.push(who)
      return place
    })
    expect(places.tryTake()).toBeUndefined()
    leave()
    leave()
    await quiet(3)
    expect(taken).toEqual([1])
    ;(await waiting[0])!()
    await waiting[1]
    expect(taken).toEqual([1, 2])
  })

  it('are not given to those who wait no more', async () => {
    const places = new Semaphore(1)
    const limit = new AbortController()
    const leave = places.tryTake()!
    const aborted = places.take(limit.signal)
    const next = places.take(new AbortController().signal)
    const reason = new Error('enough')
    limit.abort(reason)
    await expect(aborted).rejects.toBe(reason)
    await expect(places.take(limit.signal)).rejects.toBe(reason)
    leave()
    expect(await next).toBeTypeOf('function')
  })
})

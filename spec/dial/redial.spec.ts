// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { PathFailureEvent } from '../../lib/index.js'
import { LastHope } from '../../lib/dial/last-hope.js'
import { backoffMs, redial } from '../../lib/dial/redial.js'
import { SuspendedConns } from '../../lib/dial/suspended-conns.js'
import { ManualClock } from '../../lib/testing/manual-clock.js'
import { SeededRandom } from '../../lib/testing/seeded-random.js'
import { connectedPair, meeting, readBytes, upCount } from '../support/pair.js'
import { pass, passUntil } from '../support/pass.js'
import { quiet, until } from '../support/turns.js'

/** Hopes that others are left. */
function calm(clock: ManualClock): LastHope {
  return new LastHope(
    clock,
    () => 0.5,
    () => ['up', 'up'],
    new SuspendedConns(clock),
  )
}

const POLICY = {
  clock: new ManualClock(),
  random: () => 1,
  redialMinMs: 200,
  redialMaxMs: 30_000,
  redialRetries: Infinity,
}

describe('the wait before a redial', () => {
  it('has a bound that doubles up to its limit', () => {
    const bounds = [1, 2, 3, 8, 9, 50, 2000].map((failures) => backoffMs(POLICY, failures))
    expect(bounds).toEqual([200, 400, 800, 25_600, 30_000, 30_000, 30_000])
  })

  it('is anything from nothing to that bound: full jitter', () => {
    const { random } = new SeededRandom(7)
    const waits = Array.from({ length: 4000 }, () => backoffMs({ ...POLICY, random }, 3))
    expect(Math.min(...waits)).toBeLessThan(10)
    expect(Math.max(...waits)).toBeGreaterThan(790)
    const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length
    expect(mean).toBeGreaterThan(380)
    expect(mean).toBeLessThan(420)
  })
})

describe('redial()', () => {
  it('tries until it succeeds, and tells of each failure and the wait that follows', async () => {
    const clock = new ManualClock()
    const told: [string, number][] = []
    let attempts = 0
    const work = redial(
      { ...POLICY, clock },
      {
        signal: new AbortController().signal,
        hope: calm(clock),
        onFailure: ({ message }, waitMs) => told.push([message, waitMs]),
      },
      () => (++attempts < 4 ? Promise.reject(new TypeError(`no ${attempts}`)) : Promise.resolve('yes')),
    )
    expect(await passUntil(clock, work)).toBe('yes')
    expect(told).toEqual([
      ['no 1', 200],
      ['no 2', 400],
      ['no 3', 800],
    ])
    expect(clock.now()).toBeGreaterThanOrEqual(1400)
    expect(clock.now()).toBeLessThan(1500)
  })

  it('gives up with the last failure after its retries', async () => {
    const clock = new ManualClock()
    let attempts = 0
    const work = redial(
      { ...POLICY, clock, redialRetries: 2 },
      { signal: new AbortController().signal, hope: calm(clock), onFailure: () => {} },
      () => Promise.reject(new Error(`no ${++attempts}`)),
    )
    await expect(passUntil(clock, work)).rejects.toThrow('no 3')
  })

  it('ends with its signal while it waits', async () => {
    const clock = new ManualClock()
    const life = new AbortController()
    const work = redial(
      { ...POLICY, clock },
      { signal: life.signal, hope: calm(clock), onFailure: () => {} },
      () => Promise.reject(new Error('no')),
    )
    const ended = expect(work).rejects.toThrow('over')
    await quiet()
    life.abort(new Error('over'))
    await ended
    expect(clock.nextTimerAt).toBe(Infinity)
  })
})

describe('a path of a connection', () => {
  it('that failed at dial time is tried again and joins', async () => {
    const clock = new ManualClock()
    const { dialer, listener, paths } = meeting({ paths: 2, dialer: { clock }, listener: { clock } })
    paths[1]!.mode = 'refuse'
    const failures: PathFailureEvent[] = []
    dialer.on('path-failure', (failure) => failures.push(failure))
    const [near, far] = await passUntil(clock, Promise.all([dialer.dial(), listener.accept()]))
    await pass(clock, 1000)
    expect(failures.length).toBeGreaterThan(1)
    for (const { label, error, waitMs } of failures) {
      expect([label, error.message]).toEqual(['path 1', 'path 1 refused'])
      expect(waitMs).toBeLessThan(30_000)
    }
    paths[1]!.mode = 'open'
    await pass(clock, 30_000, 100)
    expect(upCount(near)).toBe(2)
    expect(upCount(far)).toBe(2)
    expect(listener.connections).toBe(1)
    near.destroy()
    far.destroy()
  })

  it('that fails while the first dial goes on is told of at once, and again with the next attempt', async () => {
    const clock = new ManualClock()
    const { dialer, paths } = meeting({ paths: 2, dialer: { clock }, listener: { clock } })
    paths[0]!.mode = 'refuse'
    paths[1]!.mode = 'hang'
    const failures: PathFailureEvent[] = []
    dialer.on('path-failure', (failure) => failures.push(failure))
    const dial = dialer.dial()
    await pass(clock, 50)
    expect(failures).toMatchObject([
      { label: 'path 0', error: { message: 'path 0 refused' }, waitMs: undefined, isDialing: true },
    ])
    await expect(passUntil(clock, dial)).rejects.toMatchObject({ failures: [{}, {}] })
    expect(failures.map(({ label, isDialing }) => [label, isDialing])).toEqual([
      ['path 0', true],
      ['path 1', true],
    ])
    paths[1]!.mode = 'open'
    const near = await passUntil(clock, dialer.dial())
    await pass(clock, 1)
    expect(failures.slice(2)).toMatchObject([
      { label: 'path 0', isDialing: true },
      { label: 'path 0', isDialing: false, waitMs: expect.any(Number) as number },
    ])
    near.destroy()
  })

  it('that was removed while the first dial goes on has not failed', async () => {
    const { dialer, paths } = meeting({ paths: 2 })
    paths[0]!.mode = 'hang'
    let failures = 0
    dialer.on('path-failure', () => failures++)
    const dial = dialer.dial()
    dialer.remove('path 0')
    const near = await dial
    await quiet()
    expect(failures).toBe(0)
    near.destroy()
  })

  it('that fails later is tried again and joins the same connection', async () => {
    const { near, far, paths, listener } = await connectedPair({ paths: 2, dialer: { redialMinMs: 1 } })
    for (let round = 1; round <= 5; round++) {
      paths[round % 2]!.last.cut()
      await until(() => upCount(near) === 1)
      await until(() => upCount(near) === 2 && upCount(far) === 2)
      near.write(`round ${round}`)
      expect(String(await readBytes(far, 7))).toBe(`round ${round}`)
    }
    expect(listener.connections).toBe(1)
  })

  it('is given up after so many failures, which is told without a next wait', async () => {
    const clock = new ManualClock()
    const { dialer, listener, paths } = meeting({ paths: 2, dialer: { clock, redialRetries: 3 } })
    paths[1]!.mode = 'refuse'
    const waits: (number | undefined)[] = []
    dialer.on('path-failure', ({ waitMs }) => waits.push(waitMs))
    const [near] = await passUntil(clock, Promise.all([dialer.dial(), listener.accept()]))
    await pass(clock, 5000)
    expect(waits).toHaveLength(4)
    expect(waits[3]).toBeUndefined()
    const { dials } = paths[1]!
    await pass(clock, 60_000, 100)
    expect(paths[1]!.dials).toBe(dials)
    near.destroy()
  })

  it('is never redialled after the last subflow went, if the connection is not held', async () => {
    const clock = new ManualClock()
    const { dialer, listener, paths } = meeting({
      paths: 2,
      dialer: { clock, holdMs: 0 },
      listener: { clock },
    })
    const [near, far] = await passUntil(clock, Promise.all([dialer.dial(), listener.accept()]))
    await pass(clock, 100)
    for (const conn of [near, far]) conn.on('error', () => {})
    for (const path of paths) path.last.cut()
    await pass(clock, 60_000, 100)
    expect(near.subflows()).toEqual([])
    expect(paths.map(({ dials }) => dials)).toEqual([1, 1])
    expect(clock.nextTimerAt - clock.now()).toBeGreaterThan(0)
  })

  it('whose redial is under way when the connection is destroyed leaves nothing behind', async () => {
    const clock = new ManualClock()
    const { dialer, listener, paths } = meeting({ paths: 2, dialer: { clock }, listener: { clock } })
    const [near, far] = await passUntil(clock, Promise.all([dialer.dial(), listener.accept()]))
    await pass(clock, 100)
    paths[1]!.mode = 'hang'
    paths[1]!.last.cut()
    await pass(clock, 1000)
    near.destroy()
    far.destroy()
    await pass(clock, 5000)
    expect(paths[1]!.aborts).toBe(1)
    expect(paths.flatMap(({ live }) => live)).toEqual([])
    expect(clock.nextTimerAt).toBe(Infinity)
  })

  it('joins only with the CID that the listener confirms', async () => {
    const { near, paths, dialer } = await connectedPair({
      paths: 2,
      dialer: { redialMinMs: 1, redialRetries: 0 },
    })
    const failed = new Promise<PathFailureEvent>((resolve) => dialer.once('path-failure', resolve))
    paths[1]!.mode = 'mute'
    paths[1]!.last.cut()
    await until(() => paths[1]!.streams.length === 2)
    paths[1]!.last.peer.write(Buffer.from(`00${'22'.repeat(16)}`, 'hex'))
    expect((await failed).error).toMatchObject({ code: 'ERR_MULTIPATH_UNEXPECTED_CID' })
    expect(upCount(near)).toBe(1)
  })
})

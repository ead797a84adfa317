// SPDX-License-Identifier: Apache-2.0
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { GreetingError } from '../../../lib/cli/streams/greet.js'
import { Log } from '../../../lib/cli/streams/log.js'
import { SessionKeeper } from '../../../lib/cli/streams/session-keeper.js'
import { MuxSession } from '../../../lib/mux/index.js'
import { FakeCliIo } from '../../support/fake-cli-io.js'

type Opening = (signal: AbortSignal) => Promise<MuxSession>

function session(): MuxSession {
  return new MuxSession(new PassThrough(), { role: 'client' })
}

function keeper(open: Opening, random = 1): { keeper: SessionKeeper; io: FakeCliIo; opened: MuxSession[] } {
  const io = new FakeCliIo()
  const opened: MuxSession[] = []
  const made = new SessionKeeper({
    open,
    onSession: (one) => opened.push(one),
    log: new Log(io, { isJson: false, isVerbose: false }),
    waitMs: 1000,
    maxWaiting: 2,
    random: () => random,
  })
  return { keeper: made, io, opened }
}

const SIGNAL = new AbortController().signal

describe('a session keeper', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
  afterEach(() => void vi.useRealTimers())

  it('hands out the session that stands, and the next one to those who wait', async () => {
    let ready: ((one: MuxSession) => void) | undefined
    const { keeper: kept } = keeper(() => new Promise((resolve) => (ready = resolve)))
    void kept.run(SIGNAL)
    const waiting = [kept.session(SIGNAL), kept.session(SIGNAL)]
    const one = session()
    ready!(one)
    expect(await Promise.all(waiting)).toEqual([one, one])
    expect(await kept.session(SIGNAL)).toBe(one)
  })

  it('lets nobody wait for longer than it should, nor more than it should', async () => {
    const { keeper: kept } = keeper(() => new Promise(() => {}))
    void kept.run(SIGNAL)
    const left = new AbortController()
    const waiting = [kept.session(SIGNAL), kept.session(left.signal)].map((work) => work.catch(String))
    await expect(kept.session(SIGNAL)).rejects.toThrow('too many streams are waiting')
    left.abort(new Error('left'))
    expect(await waiting[1]).toMatch('left')
    await vi.advanceTimersByTimeAsync(1000)
    expect(await waiting[0]).toMatch('no session within 1 s')
  })

  it('stops for good where another attempt would not help', async () => {
    const { keeper: kept } = keeper(() => Promise.reject(new GreetingError('a different token')))
    await expect(kept.run(SIGNAL)).rejects.toThrow('a different token')
  })

  it('stops for good as well where that comes after failures alone', async () => {
    const failures = [new Error('not yet'), new GreetingError('a different token')]
    const { keeper: kept } = keeper(() => Promise.reject(failures.shift()!), 0)
    const run = expect(kept.run(SIGNAL)).rejects.toThrow('a different token')
    await vi.advanceTimersByTimeAsync(1000)
    await run
  })

  it('goes on where it has worked before: says so, and tries again after half a minute', async () => {
    const at: number[] = []
    const {
      keeper: kept,
      opened,
      io,
    } = keeper(async () => {
      at.push(performance.now())
      if (at.length === 2 || at.length === 3)
        throw new GreetingError('the other end does not speak this version')
      return session()
    })
    void kept.run(SIGNAL)
    await kept.session(SIGNAL)
    opened[0]!.destroy()
    await vi.advanceTimersByTimeAsync(70_000)
    expect(opened).toHaveLength(2)
    const pauses = at.slice(2).map((time, n) => Math.round(time - at[n + 1]!))
    expect(pauses).toEqual([30_000, 30_000])
    // It is the same both times.
    expect(io.lines.filter((line) => line.includes('no session: the other end does not speak'))).toHaveLength(
      1,
    )
  })

  it('opens another session when one is lost, or takes no more streams', async () => {
    const { keeper: kept, opened, io } = keeper(async () => session(), 0)
    void kept.run(SIGNAL)
    await kept.session(SIGNAL)
    opened[0]!.emit('goaway')
    await vi.waitUntil(() => opened.length === 2)
    opened[1]!.destroy()
    await vi.waitUntil(() => opened.length === 3)
    expect(await kept.session(SIGNAL)).toBe(opened[2])
    expect(io.lines).toEqual([
      expect.stringMatching(/ multipath: the session has ended: the other end accepts no more streams$/),
      expect.stringMatching(/ multipath: the session has ended: /),
    ])
  })
})

describe('the pauses between attempts', () => {
  it('double up to 5 s while sessions fail, and end at a signal', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const at: number[] = []
    const { keeper: kept } = keeper(async () => {
      at.push(performance.now())
      throw new Error('no')
    })
    const stop = new AbortController()
    const running = kept.run(stop.signal)
    await vi.advanceTimersByTimeAsync(30_000)
    stop.abort()
    await running
    const pauses = at.slice(1).map((time, n) => Math.round(time - at[n]!))
    expect(pauses.slice(0, 7)).toEqual([200, 400, 800, 1600, 3200, 5000, 5000])
    vi.useRealTimers()
  })
})

// SPDX-License-Identifier: Apache-2.0
/** Paths that are paused, or have been, and what waits for them. */
import { describe, expect, it } from 'vitest'
import { lowestRtt } from '../../lib/core/schedulers/lowest-rtt.js'
import { redundant } from '../../lib/core/schedulers/redundant.js'
import { weighted } from '../../lib/core/schedulers/weighted.js'
import { corePair } from '../support/core-pair.js'
import { expectNoLoss } from '../support/expect-no-loss.js'
import { subflowOf } from '../support/flights.js'
import type { ScriptedSubflow } from '../support/scripted-core.js'
import { acks, CAPABLE, data, HOLD, PING, ScriptedCore } from '../support/scripted-core.js'
import { Sending } from '../support/sending.js'

const MIB = 1_048_576

function pause({ subflow }: ScriptedSubflow, isPaused = true): void {
  subflow.path.isPaused = isPaused
}

describe('a paused path', () => {
  it('carries no data, and acks and pongs all the same', () => {
    const core = new ScriptedCore()
    const [first, second] = [core.joinUp({ rttMs: 5 }), core.joinUp({ rttMs: 50 })]
    pause(first)
    core.writes('one')
    expect([first.sentData(), second.sentData()]).toEqual([[], [10]])
    first.hears(data(10, 'data'), acks(PING))
    expect(first.sent()).toEqual(['ack 10', 'pong'])
  })

  it('completes what is on its way', () => {
    const core = new ScriptedCore()
    const [first, second] = [core.joinUp({ rttMs: 5 }), core.joinUp({ rttMs: 50 })]
    core.writes('one')
    pause(first)
    core.flush()
    expect(first.sentData()).toEqual([10])
    first.hears(acks(10))
    expect(core.core.unflushedBytes).toBe(0)
    expect(second.sentData()).toEqual([])
  })

  it('takes over nothing of what another has lost, and asks no full receiver', () => {
    const core = new ScriptedCore()
    const [first, second] = [core.joinUp({ rttMs: 50 }), core.joinUp({ rttMs: 5 }, CAPABLE)]
    pause(second)
    core.writes('one')
    expect(first.sentData()).toEqual([10])
    second.hears(acks(HOLD))
    first.loses(new Error('gone'))
    core.passes(3000)
    expect(second.sentData()).toEqual([])
    pause(second, false)
    core.flush()
    core.passes(300)
    expect(second.sentData()).toEqual([10])
  })

  it('gets no copies', () => {
    const sending = new Sending(redundant, [subflowOf(10, 1), subflowOf(20, 2)])
    sending.subflows[1]!.path.isPaused = true
    sending.writes(1000)
    expect(sending.underWay).toEqual([[10], []])
    sending.subflows[1]!.path.isPaused = false
    sending.writes(0)
    expect(sending.underWay).toEqual([[10], [10]])
  })

  it('tells who watches of each change, and of no other', () => {
    const { path } = subflowOf(10)
    let changes = 0
    const unwatch = path.watch(() => changes++)
    path.isPaused = true
    path.isPaused = true
    path.set({ weight: 2 })
    path.isPaused = false
    expect(changes).toBe(3)
    unwatch()
    path.isPaused = true
    expect(changes).toBe(3)
  })
})

describe('with all paths paused', () => {
  it('data waits, and goes on at once when one is resumed', () => {
    const core = new ScriptedCore()
    const [first, second] = [core.joinUp({ rttMs: 5 }), core.joinUp({ rttMs: 50 })]
    pause(first)
    pause(second)
    core.writes('waits')
    core.passes(5000)
    expect([...first.sentData(), ...second.sentData(), core.core.unflushedBytes]).toEqual([5])
    pause(second, false)
    core.flush()
    expect(second.sentData()).toEqual([10])
  })

  it('the time in which unacked data becomes an error begins only when one is resumed', () => {
    const core = new ScriptedCore({ lingerMs: 1000 })
    const only = core.joinUp()
    const passes = (ms: number): void => {
      for (let at = 0; at < ms; at += 50) {
        core.passes(50)
        if (!core.isFinished) only.hears(acks(1))
      }
    }
    pause(only)
    core.writes('waits')
    core.ends()
    passes(30_000)
    expect(core.isFinished).toBe(false)
    pause(only, false)
    core.flush()
    passes(900)
    expect(core.isFinished).toBe(false)
    passes(200)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_LINGER' })
  })

  it('and one that is up and may send, it begins as ever', () => {
    const core = new ScriptedCore({ lingerMs: 1000 })
    const [first, second] = [core.joinUp({ rttMs: 5 }), core.joinUp({ rttMs: 50 })]
    pause(first)
    core.writes('unacked')
    core.ends()
    for (let at = 0; at < 1100; at += 50) {
      core.passes(50)
      if (!core.isFinished) second.hears(acks(1))
    }
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_LINGER' })
  })
})

describe('a path with its cap used up', () => {
  it('is not paused: data that waits for it becomes an error in its time', () => {
    const core = new ScriptedCore({ lingerMs: 1000 })
    const only = core.joinUp()
    only.subflow.path.set({ maxBytes: 0 })
    core.writes('waits')
    core.ends()
    for (let at = 0; at < 1100; at += 50) {
      core.passes(50)
      if (!core.isFinished) only.hears(acks(1))
    }
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_LINGER' })
  })
})

describe('a path that was paused', () => {
  it('is not taken for lossy, slow or silent', () => {
    const pair = corePair({ links: [{ rateMbps: 50, delayMs: 10 }] })
    const subflow = pair.near.joined[0]!
    pair.near.write(200 * MIB)
    pair.advance(2000)
    const { rate, bytes } = subflow.window
    for (let time = 0; time < 25; time++) {
      subflow.path.isPaused = true
      pair.near.flush()
      pair.advance(150)
      subflow.path.isPaused = false
      pair.near.flush()
      pair.advance(60)
    }
    expect(subflow.window.bytes).toBeLessThan(1.3 * bytes)
    expect(subflow.window.rate).toBeGreaterThan(0.9 * rate)
    expect(pair.near.changes.filter(({ state }) => state === 'suspect')).toEqual([])
    expectNoLoss(pair.near, pair.far)
  })
})

describe('weighted shares', () => {
  /** Writes frame by frame, each of which is acked at once. */
  function sends(sending: Sending, frames: number): number[] {
    const before = sending.counts('framesSent')
    for (let frame = 0; frame < frames; frame++) {
      sending.writes(1000)
      sending.now += 5
      sending.subflows.forEach((subflow, index) => sending.acks(subflow, ...sending.underWay[index]!))
    }
    return sending.counts('framesSent').map((count, index) => count - before[index]!)
  }

  it('are level again when a cap is raised that had been used up', () => {
    const sending = new Sending(weighted, [subflowOf(10, 1, { maxBytes: 5000 }), subflowOf(20, 2)])
    expect(sends(sending, 100)).toEqual([5, 95])
    sending.subflows[0]!.path.set({ maxBytes: 1_000_000 })
    expect(sends(sending, 20)).toEqual([10, 10])
  })

  it('are level again when a path is resumed', () => {
    const sending = new Sending(weighted, [subflowOf(10, 1), subflowOf(20, 2)])
    sending.subflows[0]!.path.isPaused = true
    expect(sends(sending, 100)).toEqual([0, 100])
    sending.subflows[0]!.path.isPaused = false
    expect(sends(sending, 20)).toEqual([10, 10])
  })

  it('of a path that alone may send are its own', () => {
    const sending = new Sending(lowestRtt, [subflowOf(10, 1), subflowOf(20, 2)])
    for (const subflow of sending.subflows) subflow.path.isPaused = true
    sends(sending, 3)
    for (const subflow of sending.subflows) subflow.path.isPaused = false
    expect(sends(sending, 7)).toEqual([10, 0])
  })
})

// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import { encodeSettings } from '../../lib/wire/settings.js'
import { decodeWindow, encodeWindow } from '../../lib/wire/window-frame.js'
import type { ScriptedSubflow } from '../support/scripted-core.js'
import { acks, CAPABLE, data, EXTENDS, PING, range, ScriptedCore } from '../support/scripted-core.js'

let core: ScriptedCore
beforeEach(() => {
  core = new ScriptedCore({ maxUnreadBytes: 4000, maxReorderBytes: 4000 })
})

describe('a slow reader of a peer that follows no window', () => {
  it('makes us ask a peer that knows our codes to hold, well before anything is dropped', () => {
    const [first, second] = [core.joinUp({}, CAPABLE), core.joinUp()]
    first.hears(data(10, new Uint8Array(900)))
    expect(first.sent()).toEqual(['ack 10'])
    first.hears(data(11, new Uint8Array(200)))
    expect(first.sent()).toEqual(['ack 11', 'hold'])
    expect(second.sent()).toEqual([])
  })

  it('makes us say go when it has read most of it, once', () => {
    const only = core.joinUp({}, CAPABLE)
    for (const fn of range(10, 12)) only.hears(data(fn, Buffer.alloc(1000, 'x')))
    expect(only.sent()).toContain('hold')
    core.core.take()
    core.flush()
    expect(only.sent()).toEqual([])
    core.reads()
    expect(only.sent()).toEqual(['go'])
  })

  it('makes us repeat that where data still comes a round trip later: it may have died with its subflow', () => {
    const only = core.joinUp({ rttMs: 20 }, CAPABLE)
    for (const fn of range(10, 12)) only.hears(data(fn, new Uint8Array(1000)))
    expect(only.sent().filter((frame) => frame === 'hold')).toEqual(['hold'])
    core.now += 15
    only.hears(data(13, new Uint8Array(100)))
    expect(only.sent()).toEqual(['ack 13'])
    core.now += 5
    only.hears(data(14, new Uint8Array(100)))
    expect(only.sent()).toEqual(['ack 14', 'hold'])
    core.now += 20
    only.hears(acks(PING))
    expect(only.sent()).toEqual(['pong'])
  })

  it('costs one hold a round trip, however many subflows bring something', () => {
    const subflows = [core.joinUp({}, CAPABLE), ...range(2, 64).map(() => core.joinUp())]
    subflows[0]!.hears(data(10, new Uint8Array(2000)))
    for (let step = 0; step < 100; step++) {
      for (const subflow of subflows) subflow.hears(data(10, 'x'))
      core.now += 1
    }
    const holds = subflows.flatMap((subflow) => subflow.sent()).filter((frame) => frame === 'hold')
    expect(holds.length).toBeGreaterThanOrEqual(4)
    expect(holds.length).toBeLessThanOrEqual(6)
  })

  it('has the hold said on another subflow at once where the one that it went by is gone or silent', () => {
    const [first, second, third] = [core.joinUp({}, CAPABLE), core.joinUp(), core.joinUp()]
    first.hears(data(10, new Uint8Array(1100)))
    expect(first.sent()).toEqual(['ack 10', 'hold'])
    first.loses(new Error('reset'))
    expect([...second.sent(), ...third.sent()]).toEqual(['hold'])
  })

  it('has the go said on the quickest subflow, and where the hold went, so that neither overtakes the other', () => {
    const slow = core.joinUp({ rttMs: 200 }, CAPABLE)
    const quick = core.joinUp({ rttMs: 10 })
    const third = core.joinUp({ rttMs: 50 })
    slow.hears(data(10, new Uint8Array(2000)))
    slow.sent()
    core.reads()
    expect(slow.sent()).toEqual(['go'])
    expect(quick.sent()).toEqual(['go'])
    expect(third.sent()).toEqual([])
    quick.loses(new Error('reset'))
    slow.loses(new Error('reset'))
    expect(third.sent()).toEqual(['go'])
  })

  it('makes us say nothing of the kind to a peer that knows no codes', () => {
    const only = core.joinUp({}, PING)
    for (const fn of range(10, 12)) only.hears(data(fn, new Uint8Array(1000)))
    core.reads()
    expect(only.sent()).toEqual(['ack 10', 'ack 11', 'ack 12'])
  })

  it('makes us drop the rest, unacked, once the budget is used up, and take it when it comes again', () => {
    const only = core.joinUp({}, PING)
    for (const fn of range(10, 14)) only.hears(data(fn, new Uint8Array(1000)))
    expect(only.sent()).toEqual(['ack 10', 'ack 11', 'ack 12', 'ack 13'])
    expect(core.core.unreadBytes).toBe(4000)
    core.reads()
    only.hears(data(14, new Uint8Array(1000)))
    expect(only.sent()).toEqual(['ack 14'])
  })

  it('has its peer slowed down by TCP where that cannot be asked and no ack is awaited', () => {
    const only = core.joinUp({}, PING)
    for (const fn of range(10, 13)) only.hears(data(fn, new Uint8Array(1000)))
    expect(core.core.shouldStopReading).toBe(true)
    core.writes('now acks are awaited')
    expect(core.core.shouldStopReading).toBe(false)
    only.hears(acks(10))
    expect(core.core.shouldStopReading).toBe(true)
    core.core.take()
    expect(core.core.shouldStopReading).toBe(false)
  })

  it('never stops us from reading what a peer of our kind sends', () => {
    const only = core.joinUp({}, CAPABLE)
    for (const fn of range(10, 14)) only.hears(data(fn, new Uint8Array(1000)))
    expect(core.core.shouldStopReading).toBe(false)
  })
})

const WINDOWED = encodeSettings({ holdMs: 0, capabilities: 1 })

/** A subflow of a peer that follows a window. */
function windowed(init = {}): ScriptedSubflow {
  const first = core.joinUp(init, EXTENDS, CAPABLE)
  first.hears(WINDOWED)
  return first
}

/** The limits that were said on a subflow. */
function limits({ extensions }: ScriptedSubflow): (number | undefined)[] {
  return extensions.filter(({ type }) => type === 7).map((frame) => decodeWindow(frame).limitBytes)
}

describe('a peer that follows a window', () => {
  it('hears how much we take as soon as it has said so, and no hold or go', () => {
    const only = windowed()
    expect(only.sent()).toEqual(['window'])
    expect(limits(only)).toEqual([4000])
    for (const fn of range(10, 13)) only.hears(data(fn, new Uint8Array(1000)))
    expect(only.sent()).toEqual(['ack 10', 'ack 11', 'ack 12', 'ack 13'])
  })

  it('hears more beside the acks when a quarter of it has been read', () => {
    const only = windowed()
    only.hears(data(10, new Uint8Array(999)))
    core.reads()
    expect(limits(only)).toEqual([4000])
    only.sent()
    only.hears(data(11, 'x'))
    core.reads()
    expect(only.sent()).toEqual(['ack 11', 'window'])
    expect(limits(only)).toEqual([4000, 5000])
  })

  it('hears it on the quickest subflow that brings data: on another, it would seem that its data arrives', () => {
    const slow = windowed({ rttMs: 200 })
    const [quick, third] = [core.joinUp({ rttMs: 10 }), core.joinUp({ rttMs: 50 })]
    slow.hears(data(10, new Uint8Array(100)))
    third.hears(data(11, new Uint8Array(100)))
    slow.hears(data(12, new Uint8Array(1800)))
    core.reads()
    expect([slow, quick, third].map((subflow) => limits(subflow).at(-1))).toEqual([4000, 4000, 6000])
    slow.hears(data(13, new Uint8Array(2000)))
    core.reads()
    expect([slow, quick, third].map((subflow) => limits(subflow).at(-1))).toEqual([8000, 4000, 6000])
  })

  it('hears it again elsewhere when the subflows on which it was said are gone', () => {
    const [first, second] = [windowed({ rttMs: 10 }), core.joinUp({ rttMs: 20 })]
    first.hears(data(10, new Uint8Array(2000)))
    core.reads()
    expect(limits(second)).toEqual([4000])
    first.loses(new Error('reset'))
    expect(limits(second)).toEqual([4000, 6000])
  })

  it('hears it on each further subflow, and whenever it asks, on the subflow where it asks', () => {
    const [first, second] = [windowed(), core.join()]
    expect(second.sent()).toEqual(['extends', 'capable', 'ping', 'settings', 'have', 'window'])
    first.sent()
    second.hears(acks(PING), encodeWindow({ isAsking: true }))
    expect([first.sent(), second.sent()]).toEqual([[], ['pong', 'window']])
  })

  it('has room for all that it was promised, in whatever order it comes, also after the budget has become smaller', () => {
    const only = windowed()
    for (const fn of range(10, 13).toReversed()) only.hears(data(fn, new Uint8Array(1000)))
    expect(only.sent().filter((frame) => frame.startsWith('ack'))).toHaveLength(4)
    expect(core.core.unreadBytes).toBe(4000)
  })

  it('is promised more while data waits for a missing frame, so that the other paths go on, up to the budget', () => {
    const only = windowed()
    only.hears(data(11, new Uint8Array(1000)))
    expect(limits(only)).toEqual([4000])
    core = new ScriptedCore({ maxUnreadBytes: 4000, maxReorderBytes: 10_000 })
    const other = windowed()
    for (const fn of range(11, 30)) {
      const room = limits(other).at(-1)! - core.core.metrics.outOfOrderBytes
      if (room >= 2000) other.hears(data(fn, new Uint8Array(1000)))
    }
    expect(limits(other).at(-1)).toBe(10_000)
  })

  it('has what it sends beyond that dropped without an ack, and may send it again when there is room', () => {
    const only = windowed()
    for (const fn of range(10, 14)) only.hears(data(fn, new Uint8Array(1000)))
    expect(only.sent()).not.toContain('ack 14')
    expect(core.core.unreadBytes).toBe(4000)
    core.reads()
    only.hears(data(14, new Uint8Array(1000)))
    expect(only.sent()).toContain('ack 14')
  })

  it('may send a frame larger than the window, cut before it had heard of it', () => {
    const only = windowed()
    only.hears(data(10, new Uint8Array(5000)))
    expect(only.sent()).toContain('ack 10')
  })

  it('is read on, and throttled where it only asks', () => {
    core = new ScriptedCore({ maxUnreadBytes: 4000, maxWasteBytesPerSecond: 1024 })
    const only = windowed()
    only.hears(data(10, new Uint8Array(4000)))
    expect(core.core.shouldStopReading).toBe(false)
    for (let n = 0; n < 10_000; n++) only.hears(encodeWindow({ isAsking: true }))
    expect(only.subflow.throttledUntil).toBeDefined()
  })
})

// SPDX-License-Identifier: Apache-2.0
/** What a subflow brings that gets its connection nowhere. */
import { describe, expect, it } from 'vitest'
import type { ScriptedSubflow } from '../support/scripted-core.js'
import { acks, CAPABLE, data, PING, PONG, range, ScriptedCore } from '../support/scripted-core.js'

const KIB = 1024
const LIMIT = { maxWasteBytesPerSecond: 256 * KIB, maxReorderBytes: 64 * KIB }
/** A ping, a pong or a needless ack counts so much, and so does the header of a frame. */
const COST = 64
const PINGS = acks(...Array.from({ length: KIB }, () => PING))
/** So many of them are free: 256 KiB. */
const FREE = (256 * KIB) / COST / KIB
/** So many are paid for by a second. */
const SECOND = 4

function isThrottled({ subflow }: ScriptedSubflow): boolean {
  return subflow.throttledUntil !== undefined
}

/** Brings so many times 1,024 pings, in one read. */
function pings(subflow: ScriptedSubflow, count: number): void {
  subflow.hears(...Array.from({ length: count }, () => PINGS))
}

/** Brings so many frames of 1 KiB, from number `from` on, one by one. */
function brings(subflow: ScriptedSubflow, from: number, count: number): void {
  for (const fn of range(from, from + count - 1)) subflow.hears(data(fn, Buffer.alloc(KIB)))
}

describe('a subflow that brings', () => {
  it('more pings than are free is left unread until the second is over that pays for them', () => {
    const core = new ScriptedCore(LIMIT)
    const flood = core.joinUp()
    pings(flood, FREE - 1)
    expect(isThrottled(flood)).toBe(false)
    pings(flood, SECOND + 1)
    expect(isThrottled(flood)).toBe(true)
    core.passes(900)
    expect(isThrottled(flood)).toBe(true)
    core.passes(150)
    expect(isThrottled(flood)).toBe(false)
    pings(flood, 1)
    expect(isThrottled(flood)).toBe(true)
  })

  it('frames that are dropped is left unread, and its connection goes on with the others', () => {
    const core = new ScriptedCore(LIMIT)
    const [flood, other] = [core.joinUp(), core.joinUp()]
    // Some are kept and count as progress; those far ahead are not.
    brings(flood, 11, 60)
    brings(flood, 8000, 1200)
    expect([isThrottled(flood), isThrottled(other)]).toEqual([true, false])
    other.hears(data(10, 'x'))
    expect(core.reads()).toHaveLength(1 + 60 * KIB)
  })

  it('needless acks is left unread, but not one that acks what we sent, over and over', () => {
    const core = new ScriptedCore({ ...LIMIT, maxFrameBytes: 1 })
    const honest = core.joinUp()
    for (let acked = 0; acked < 500; ) {
      core.passes(1)
      core.writes(Buffer.alloc(8))
      const sent = honest.sentData()
      acked += sent.length
      for (let copies = 0; copies < 100; copies++) honest.hears(acks(...sent))
    }
    expect(isThrottled(honest)).toBe(false)
    const other = new ScriptedCore(LIMIT).joinUp()
    other.hears(acks(...range(10, 17_000)))
    expect(isThrottled(other)).toBe(true)
  })

  it('everything that another brings as well is read as ever, for each byte of progress pays for a copy', () => {
    const core = new ScriptedCore(LIMIT)
    const [first, second, third] = [core.joinUp(), core.joinUp(), core.joinUp()]
    for (let fn = 10; fn < 4000; fn += 10) {
      for (const subflow of [first, second, third]) brings(subflow, fn, 10)
      core.reads()
    }
    expect([first, second, third].map(isThrottled)).toEqual([false, false, false])
  })

  it('what comes after a thaw, long delivered by others, is read at once up to 16 MiB', () => {
    const core = new ScriptedCore(LIMIT)
    const [first, frozen] = [core.joinUp(), core.joinUp()]
    const big = (fn: number): Uint8Array => data(fn, Buffer.alloc(KIB * KIB))
    for (const fn of range(10, 40)) {
      first.hears(big(fn))
      core.reads()
    }
    for (const fn of range(10, 25)) frozen.hears(big(fn))
    expect(isThrottled(frozen)).toBe(false)
    frozen.hears(big(26))
    expect(isThrottled(frozen)).toBe(true)
  })

  it('frames that come again after the reader has made room is not held up by those dropped before', () => {
    const core = new ScriptedCore({ ...LIMIT, maxUnreadBytes: 512 * KIB })
    const only = core.joinUp({}, CAPABLE)
    brings(only, 10, 512)
    brings(only, 600, 128)
    core.reads()
    for (let n = 0; n < 8; n++) brings(only, 600 + 512, 128)
    expect(isThrottled(only)).toBe(false)
  })

  it('a few pings a second, as everybody does, is never left unread', () => {
    const core = new ScriptedCore(LIMIT)
    const only = core.joinUp({}, CAPABLE)
    for (let n = 0; n < 20_000; n++) {
      core.passes(10)
      only.hears(acks(PING, PONG))
    }
    expect(isThrottled(only)).toBe(false)
  })
})

describe('a subflow that is left unread', () => {
  it('is so for half of the dead time at most, so that nobody takes it for dead', () => {
    const core = new ScriptedCore({ ...LIMIT, deadMs: 4000 })
    const flood = core.joinUp()
    pings(flood, 100)
    core.passes(1990)
    expect(isThrottled(flood)).toBe(true)
    core.passes(10)
    expect(isThrottled(flood)).toBe(false)
  })

  it('is neither suspected nor dead for its silence, which is ours', () => {
    const core = new ScriptedCore({ ...LIMIT, deadMs: 4000, keepAliveMs: 100 })
    const flood = core.joinUp()
    core.writes('unacked')
    pings(flood, 100)
    core.passes(1999)
    expect(core.states()).toEqual(['up'])
    core.passes(10)
    expect([isThrottled(flood), core.states()]).toEqual([false, ['up']])
    flood.hears(acks(10))
    expect(core.states()).toEqual(['up'])
    expect(core.core.unflushedBytes).toBe(0)
  })

  it('is judged by its silence again once it is read', () => {
    const core = new ScriptedCore({ ...LIMIT, deadMs: 4000 })
    const flood = core.joinUp()
    core.writes('unacked')
    pings(flood, 100)
    core.passes(2500)
    expect(core.states()).toEqual(['suspect'])
    core.passes(4000)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_UNACKED' })
  })
})

describe('what all subflows may bring beyond their progress', () => {
  it('is shared by those that bring it, so that many cost less than one', () => {
    const core = new ScriptedCore(LIMIT)
    const floods = [core.joinUp(), core.joinUp()]
    for (const flood of floods) pings(flood, FREE + SECOND)
    core.passes(1100)
    expect(floods.map(isThrottled)).toEqual([false, true])
    core.passes(1200)
    expect(floods.map(isThrottled)).toEqual([false, true])
    core.passes(200)
    expect(floods.map(isThrottled)).toEqual([false, false])
  })

  it('is taken by each at a time of its own, though all came at once', () => {
    const core = new ScriptedCore({ ...LIMIT, deadMs: 4000 })
    const floods = [1, 2, 3, 4].map(() => core.joinUp())
    for (const flood of floods) pings(flood, 100)
    const until = floods.map(({ subflow }) => subflow.throttledUntil! - core.now).sort((a, b) => a - b)
    expect(until[0]).toBeGreaterThan(1500)
    expect(until[3]).toBe(2000)
    until.slice(1).forEach((ms, n) => expect(ms - until[n]!).toBeGreaterThan(50))
  })

  it('leaves no share to one that is gone', () => {
    const core = new ScriptedCore(LIMIT)
    const [gone, flood] = [core.joinUp(), core.joinUp()]
    pings(gone, FREE + SECOND)
    gone.loses()
    pings(flood, FREE + SECOND)
    core.passes(1100)
    expect(isThrottled(flood)).toBe(false)
  })
})

it('a limit of Infinity leaves none unread', () => {
  const core = new ScriptedCore({ maxWasteBytesPerSecond: Infinity })
  const flood = core.joinUp()
  pings(flood, 300)
  expect(isThrottled(flood)).toBe(false)
})

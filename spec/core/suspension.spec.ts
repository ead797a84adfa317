// SPDX-License-Identifier: Apache-2.0
/** A connection with one of ours that has lost its last subflow. */
import { beforeEach, describe, expect, it, onTestFinished, test, vi } from 'vitest'
import { encodeFin, encodeReset, RESET } from '../../lib/wire/end-frames.js'
import { EXTENSION } from '../../lib/wire/extension.js'
import { decodeHave, encodeHave } from '../../lib/wire/have.js'
import { encodeSettings } from '../../lib/wire/settings.js'
import { acks, CAPABLE, data, EXTENDS, PING, PONG, range, ScriptedCore } from '../support/scripted-core.js'
import type { ScriptedSubflow } from '../support/scripted-core.js'

const HOLD_MS = 30_000
const INSTANCE = Uint8Array.from({ length: 16 }, (_, at) => at)

let core: ScriptedCore
beforeEach(() => {
  core = new ScriptedCore()
})

function held(settings = encodeSettings({ holdMs: HOLD_MS, instance: INSTANCE })): ScriptedSubflow {
  const subflow = core.joinUp({}, EXTENDS, CAPABLE)
  subflow.hears(settings)
  subflow.sent()
  return subflow
}

/** What a peer says first on a subflow that joins. */
const GREETING = Buffer.concat([
  acks(EXTENDS, CAPABLE, PING),
  encodeSettings({ holdMs: HOLD_MS, instance: INSTANCE }),
])
const have = (nextFrame: number, ...ranges: [number, number][]): Uint8Array =>
  encodeHave({ nextFrame, ranges })

describe('the loss of the last subflow', () => {
  it('suspends the connection, which goes on with the next subflow', () => {
    held().loses(new Error('reset'))
    expect(core.isFinished).toBe(false)
    expect(core.core.isSuspended).toBe(true)
    core.passes(12_000)
    const next = core.join()
    expect(core.core.isSuspended).toBe(true)
    next.hears(GREETING, have(10))
    expect(core.core.isSuspended).toBe(false)
    expect(core.suspensions).toEqual([{ kind: 'suspended' }, { kind: 'resumed', afterMs: 12_000 }])
    next.hears(data(10, 'goes on'))
    expect(core.reads()).toBe('goes on')
  })

  it('ends the connection at once where either side holds nothing', () => {
    held(encodeSettings({ holdMs: 0 })).loses()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
    core = new ScriptedCore({ holdMs: 0 })
    const only = held()
    core.writes('lost')
    only.loses()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_UNACKED' })
  })

  test.each([
    ['a Go peer', acks(PONG, PING)],
    ['one of ours of an earlier version', acks(PONG, CAPABLE, PING)],
    ['one that has not told its hold time yet', acks(PONG, EXTENDS, CAPABLE, PING)],
  ])('ends the connection at once with %s', (_what, words) => {
    const only = core.join()
    only.hears(words)
    core.writes('lost')
    only.loses()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_UNACKED' })
  })

  it('is no loss while another subflow is there', () => {
    const first = held()
    core.joinUp()
    first.loses()
    expect(core.core.isSuspended).toBe(false)
  })
})

describe('a connection that is suspended', () => {
  it('ends when the shorter of both hold times is over, with the number of bytes unacked', () => {
    const only = held()
    core.writes('12345')
    only.loses(new Error('unplugged'))
    core.writes('678')
    core.passes(HOLD_MS - 1)
    expect(core.isFinished).toBe(false)
    core.passes(1)
    expect(core.error).toMatchObject({
      multipathCode: 'ERR_MULTIPATH_HOLD',
      code: 'ETIMEDOUT',
      unackedBytes: 8,
      cause: { message: 'unplugged' },
    })
    expect(core.core.nextTickAt()).toBe(Infinity)
    core = new ScriptedCore({ holdMs: 500 })
    held().loses()
    core.passes(500)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_HOLD', unackedBytes: 0 })
  })

  it('wakes for nothing else until then', () => {
    const only = held()
    core.writes('x')
    only.loses()
    const { ticks } = core
    core.passes(HOLD_MS - 1)
    expect(core.ticks).toBe(ticks)
  })

  it('takes what is written, and sends it once the peer has said what it has', () => {
    held().loses()
    core.writes('later')
    const next = core.join()
    next.hears(GREETING)
    expect(next.sentData()).toEqual([])
    next.hears(have(10))
    expect(next.sentData()).toEqual([10])
  })

  it('does not linger over an end: that waits for the resumption', () => {
    core = new ScriptedCore({ lingerMs: 1000 })
    const only = held()
    core.writes('x')
    only.loses()
    core.ends()
    core.passes(20_000)
    expect(core.isFinished).toBe(false)
    core.join().hears(GREETING, have(10))
    core.passes(1500)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_LINGER' })
  })

  it('is over at once when it is destroyed', () => {
    held().loses()
    core.core.destroy(true)
    core.flush()
    expect(core.isFinished).toBe(true)
    expect(core.core.isSuspended).toBe(false)
    expect(core.core.nextTickAt()).toBe(Infinity)
  })

  it('stays suspended when a subflow joins and goes without a word, and its hold time goes on', () => {
    held().loses()
    core.passes(HOLD_MS - 1000)
    core.join().loses()
    expect(core.suspensions).toHaveLength(1)
    core.passes(1000)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_HOLD' })
  })

  it('ends in order at the end of the hold time where only its own FIN may not have arrived', () => {
    const only = held()
    core.ends()
    only.hears(encodeFin(10))
    only.loses()
    expect(core.core.isSuspended).toBe(true)
    core.passes(HOLD_MS)
    expect(core.isFinished).toBe(true)
    expect(core.error).toBeUndefined()
  })

  it('says its FIN again, and ends in order when that is acked', () => {
    const only = held()
    core.ends()
    only.hears(encodeFin(10))
    only.loses()
    const next = core.join()
    next.hears(acks(PONG, PONG), GREETING, have(10))
    expect(next.sent().at(-1)).toBe('fin')
    next.hears(acks(10))
    expect(core.isFinished).toBe(true)
    expect(core.error).toBeUndefined()
  })

  it('is not held any more once none may join', () => {
    const only = held()
    core.core.forbidHold()
    core.flush()
    expect(only.sent()).toEqual(['settings'])
    only.loses()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
    core = new ScriptedCore()
    held().loses()
    core.core.forbidHold()
    core.flush()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_HOLD' })
  })
})

describe('after a rejoin', () => {
  it('only the frames are sent again that the peer has not, whatever became of their acks', () => {
    core = new ScriptedCore({ maxFrameBytes: 10 })
    const only = held()
    core.writes(new Uint8Array(80))
    expect(only.sentData()).toEqual(range(10, 17))
    only.hears(acks(10, 12))
    only.loses()
    const next = core.join()
    next.hears(GREETING, have(11, [12, 14], [16, 17]))
    expect(next.sentData()).toEqual([11, 14, 15, 17])
    expect(core.core.unflushedBytes).toBe(40)
  })

  it('they are said once on a subflow: what is said again is not believed', () => {
    const only = held()
    core.writes('abc')
    only.loses()
    const next = core.join()
    next.hears(GREETING, have(10), have(11))
    expect(core.core.unflushedBytes).toBe(3)
  })

  it('nothing is looked for that was never sent, whatever the peer says', () => {
    const only = held()
    core.writes('abc')
    only.loses()
    const next = core.join()
    const looks = vi.spyOn(Map.prototype, 'get')
    onTestFinished(() => looks.mockRestore())
    next.hears(GREETING, have(10, [11, 4106]))
    expect(looks.mock.calls.length).toBeLessThan(1000)
    expect(next.sentData()).toEqual([10])
  })

  it('we say what has come: the next frame, and ranges beyond it', () => {
    const only = held()
    only.hears(data(10, 'a'), data(13, 'd'), data(12, 'c'), data(20, 'x'))
    only.loses()
    const next = core.join()
    const frame = next.extensions.find(({ type }) => type === EXTENSION.have)!
    expect(decodeHave(frame)).toEqual({
      nextFrame: 11,
      ranges: [
        [12, 14],
        [20, 21],
      ],
    })
  })

  it('we say so on every subflow but the first, as the other side may be the one that was suspended', () => {
    const first = held()
    const second = core.join()
    expect(second.sent()).toEqual(['extends', 'capable', 'ping', 'settings', 'have'])
    expect(first.extensions.map(({ type }) => type)).toEqual([EXTENSION.settings])
  })

  it('a peer that had said hold is asked anew', () => {
    const only = held()
    only.hears(acks(4))
    core.writes('x')
    only.loses()
    const next = core.join()
    next.hears(GREETING, have(10))
    expect(next.sentData()).toEqual([10])
  })
})

describe('a peer that does not know the connection', () => {
  const unknown = encodeReset({ code: RESET.unknown, instance: INSTANCE })
  const restarted = encodeReset({ code: RESET.unknown, instance: INSTANCE.toReversed() })

  it('because it has restarted ends it at once, with an error of its own', () => {
    held().loses()
    core.join().hears(acks(EXTENDS, CAPABLE), restarted)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_RESTARTED', code: 'ECONNRESET' })
  })

  it('because it holds it no longer ends it at once', () => {
    const only = held()
    core.writes('123')
    only.loses()
    core.join().hears(acks(EXTENDS, CAPABLE), unknown)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_HOLD', unackedBytes: 3 })
  })

  it('is no end where all had been said', () => {
    const only = held()
    core.ends()
    only.hears(encodeFin(10))
    only.loses()
    core.join().hears(acks(EXTENDS, CAPABLE), unknown)
    expect(core.isFinished).toBe(true)
    expect(core.error).toBeUndefined()
  })

  it('costs itself the subflow when it says its settings there', () => {
    held()
    const other = encodeSettings({ holdMs: 1, instance: INSTANCE.toReversed() })
    core.join().hears(acks(EXTENDS, CAPABLE), other)
    expect(core.states()).toEqual(['up', 'closed'])
  })

  it('is not believed while another subflow knows better', () => {
    const first = held()
    for (const words of [restarted, unknown]) core.join().hears(acks(EXTENDS, CAPABLE), words)
    expect(core.states()).toEqual(['up', 'closed', 'closed'])
    first.hears(data(10, 'x'))
    expect(core.reads()).toBe('x')
  })
})

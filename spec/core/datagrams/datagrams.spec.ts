// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import { DATAGRAM_TABLE, type DatagramSendOptions } from '../../../lib/core/datagrams/datagram-options.js'
import { resolveOptions } from '../../../lib/options.js'
import { encodeDatagramAck, encodeDatagramHead } from '../../../lib/wire/datagram.js'
import { encodeSettings } from '../../../lib/wire/settings.js'
import type { ScriptedSubflow } from '../../support/scripted-core.js'
import { acks, CAPABLE, EXTENDS, PONG, range, ScriptedCore } from '../../support/scripted-core.js'

let core: ScriptedCore
let fast: ScriptedSubflow
let slow: ScriptedSubflow
beforeEach(() => {
  core = new ScriptedCore({ maxFrameBytes: 1000 })
  fast = core.joinUp({ rttMs: 20 }, EXTENDS, CAPABLE)
  fast.hears(encodeSettings({ holdMs: 0, capabilities: 4 }))
  slow = core.joinUp({ rttMs: 60 })
  for (const subflow of [fast, slow]) subflow.sent()
})

function send(text: string | Uint8Array, options: DatagramSendOptions = {}): void {
  core.core.datagrams.send(Buffer.from(text), resolveOptions(DATAGRAM_TABLE, options), core.now)
  core.flush()
}

const datagrams = (subflow: ScriptedSubflow): string[] =>
  subflow.sent().filter((frame) => frame.startsWith('datagram '))

function acked(subflow: ScriptedSubflow, ...numbers: readonly number[]): void {
  subflow.hears(...numbers.map(encodeDatagramAck))
}

/** So many come back as usual, so that it is known what is usual. */
function settle(rounds = 20): void {
  for (let n = 0; n < rounds; n++) {
    send('x')
    core.passes(20)
    acked(fast, n)
  }
  datagrams(fast)
}

const stats = () => core.core.datagrams.stats

describe('a datagram that is sent', () => {
  it('may be empty, and says as much about the path as any other', () => {
    for (let n = 0; n < 40; n += 2) {
      for (const nothing of ['', '']) send(nothing)
      core.passes(20)
      acked(fast, n, n + 1)
    }
    const { window } = fast.subflow
    expect(window.bytes).toBeGreaterThan(0)
    expect(window.rate).toBeGreaterThan(0)
    expect(stats()).toMatchObject({ sent: 40, acked: 40 })
  })

  it('leaves on another path while a rate cap holds up the better one', () => {
    fast.subflow.path.set({ maxBytesPerSecond: 10_000 })
    for (let n = 0; n < 5; n++) send(new Uint8Array(1000))
    expect([datagrams(fast).length, datagrams(slow).length]).toEqual([1, 4])
  })

  it('leaves on a path of the next tier where it is longer than what is left of a cap', () => {
    fast.subflow.path.set({ maxBytes: 700 })
    slow.subflow.path.set({ tier: 'backup' })
    send(new Uint8Array(1200))
    send(new Uint8Array(500))
    expect([datagrams(fast).length, datagrams(slow).length]).toEqual([1, 1])
  })

  it('waits where many are not acked, however small they are', () => {
    core = new ScriptedCore({ maxUnackedBytes: 65_536 })
    fast = core.joinUp({ rttMs: 20 }, EXTENDS, CAPABLE)
    fast.hears(encodeSettings({ holdMs: 0, capabilities: 4 }))
    for (let n = 0; n < 1000; n++) {
      send('')
      core.passes(1)
      // The newest alone.
      acked(fast, core.core.datagrams.sender.span - 1)
    }
    expect(core.core.datagrams.sender.span).toBeLessThan(300)
  })

  it('may be worth something for longer than any number can say', () => {
    send('a', { expiresMs: Number.MAX_VALUE })
    expect(datagrams(fast)).toEqual(['datagram 0 a'])
  })

  it('leaves on the path from which its ack is expected first, once', () => {
    send('a')
    send('b')
    expect([datagrams(fast), datagrams(slow)]).toEqual([['datagram 0 a', 'datagram 1 b'], []])
    core.passes(20)
    acked(fast, 0, 1)
    core.passes(1000)
    expect([datagrams(fast), datagrams(slow)]).toEqual([[], []])
    expect(stats()).toMatchObject({ sent: 2, acked: 2, resent: 0, copied: 0 })
  })

  it('leaves at once on as many further paths as it wants, in front of what the stream has to say', () => {
    core.core.write(new Uint8Array(500))
    send('a', { copies: 7 })
    expect(fast.sent()).toEqual(['datagram 0 a', 'data 10 500'])
    expect(slow.sent()).toEqual(['datagram 0 a'])
    expect(stats()).toMatchObject({ sent: 1, copied: 1 })
  })

  it('does not wait for the stream, which has filled the window', () => {
    core.writes(new Uint8Array(100_000))
    for (const subflow of [fast, slow]) subflow.sent()
    send('a')
    expect(datagrams(fast)).toEqual(['datagram 0 a'])
  })

  it('leaves again on another path once its path is late by its own measure, which is not suspected', () => {
    settle()
    send('a')
    core.passes(2)
    send('b')
    core.passes(20)
    expect(datagrams(slow)).toEqual([])
    core.passes(2)
    expect(datagrams(slow)).toEqual(['datagram 20 a', 'datagram 21 b'])
    expect([...core.states()]).toEqual(['up', 'up'])
    // What comes meanwhile is sent on both: the path may only be late, and is the faster one.
    send('c')
    expect([datagrams(fast), datagrams(slow)]).toEqual([
      ['datagram 20 a', 'datagram 21 b', 'datagram 22 c'],
      ['datagram 22 c'],
    ])
    expect(stats()).toMatchObject({ resent: 3, acked: 20 })
  })

  it('leaves on its path again once that has shown to be no longer late', () => {
    settle()
    send('a')
    core.passes(25)
    acked(fast, 20)
    send('b')
    expect(datagrams(fast)).toEqual(['datagram 20 a', 'datagram 21 b'])
  })

  it('leaves again where its path is gone, unless it is late itself by then', () => {
    settle()
    send('a', { expiresMs: 5 })
    core.passes(3)
    send('b', { expiresMs: 5 })
    core.passes(3)
    fast.loses(new Error('reset'))
    expect(datagrams(slow)).toEqual(['datagram 21 b'])
    core.passes(1000)
    expect(stats()).toMatchObject({ sent: 22, resent: 1 })
  })

  it('is not sent again on a path that has carried it, whatever happens', () => {
    settle()
    send('a')
    core.passes(3000)
    expect([datagrams(fast), datagrams(slow)]).toEqual([['datagram 20 a'], ['datagram 20 a']])
    expect(core.ticks).toBeLessThan(200)
  })

  it('waits for room, of which those that matter more are first, and is dropped once it is late', () => {
    for (const subflow of [fast, slow]) subflow.subflow.blocked(0)
    send('a', { expiresMs: 10 })
    send('b', { expiresMs: 100 })
    send('c', { expiresMs: 100, priority: 3 })
    core.passes(20)
    fast.drains()
    expect(datagrams(fast)).toEqual(['datagram 0 c', 'datagram 1 b'])
    expect(stats()).toMatchObject({ sent: 2, expired: 1, dropped: 0, queuedBytes: 0 })
  })

  it('drops the oldest beyond the limit while nothing can leave', () => {
    for (const subflow of [fast, slow]) subflow.subflow.blocked(0)
    core.core.datagrams.maxQueuedBytes = 20_000
    for (let n = 0; n < 300; n++) send(String(n).padEnd(136))
    expect(stats()).toMatchObject({ dropped: 200, queuedBytes: 20_000 })
    slow.drains()
    expect(datagrams(slow)[0]).toMatch(/^datagram 0 200 /)
  })

  it('waits for the faster path rather than to take longer on the other one', () => {
    settle(200)
    const bytes = new Uint8Array(1000)
    for (let n = 0; n < 40; n++) send(bytes)
    const [first, second] = [datagrams(fast).length, datagrams(slow).length]
    expect(first).toBeGreaterThan(20)
    expect(first + second).toBeLessThan(40)
    core.passes(20)
    acked(fast, ...range(200, 239))
    expect(datagrams(fast).length).toBeGreaterThan(0)
  })

  it('leaves again for late paths only as far as a limit on their bytes allows', () => {
    for (let round = 0; round < 400; round++) {
      send(new Uint8Array(1000), { expiresMs: 500 })
      core.passes(60)
      acked(fast, round)
      acked(slow, round)
    }
    expect(stats().resent).toBeLessThan(400 * 0.25 + 70)
    expect(core.ticks).toBeLessThan(4000)
  })

  it('waits until the peer has shown that it takes datagrams', () => {
    core = new ScriptedCore()
    fast = core.join()
    send('a')
    expect(core.core.datagrams.isTaken).toBeUndefined()
    fast.hears(acks(PONG, EXTENDS, CAPABLE))
    expect(core.core.datagrams.isTaken).toBeUndefined()
    expect(datagrams(fast)).toEqual([])
    fast.hears(encodeSettings({ holdMs: 0, capabilities: 4 }))
    expect(core.core.datagrams.isTaken).toBe(true)
    expect(datagrams(fast)).toEqual(['datagram 0 a'])
  })

  it.each<[string, readonly Uint8Array[]]>([
    ['is Go', [acks(PONG, 0)]],
    ['is of a version without extension frames', [acks(PONG, CAPABLE)]],
    [
      'is of a version without datagrams',
      [acks(EXTENDS, CAPABLE), encodeSettings({ holdMs: 0, capabilities: 3 })],
    ],
  ])('never leaves to a peer that %s', (_what, says) => {
    core = new ScriptedCore()
    fast = core.join()
    send('a')
    fast.hears(...says)
    core.passes(1000)
    expect(core.core.datagrams.isTaken).toBe(false)
    expect(datagrams(fast)).toEqual([])
  })
})

describe('a datagram that comes', () => {
  const frame = (number: number, text: string, stamp = 0, lifeMs = 0): Buffer =>
    Buffer.concat([encodeDatagramHead({ number, stamp, lifeMs }, text.length), Buffer.from(text)])

  function take(): string[] {
    const texts: string[] = []
    const { receiver } = core.core.datagrams
    for (let next = receiver.take(core.now); next !== undefined; next = receiver.take(core.now))
      texts.push(Buffer.from(next).toString())
    return texts
  }

  it('is handed on in the order of arrival, once, and acked each time on its path', () => {
    slow.hears(frame(7, 'b'))
    fast.hears(frame(3, 'a'), frame(7, 'b'))
    expect([slow.sent(), fast.sent()]).toEqual([['datagram ack 7'], ['datagram ack 3', 'datagram ack 7']])
    expect(take()).toEqual(['b', 'a'])
    expect(stats()).toMatchObject({ received: 2, duplicates: 1, late: 0 })
  })

  it('is dropped where it is late: it took longer than its life, or is not read in time', () => {
    fast.hears(frame(0, 'a', 1000, 50))
    core.passes(100)
    // The fastest takes 10 ms, half of a round trip: this one 60.
    slow.hears(frame(1, 'b', 1050, 50), frame(2, 'c', 1050, 70), frame(3, 'd', 1050, 0))
    core.passes(20)
    expect(take()).toEqual(['d'])
    expect(stats()).toMatchObject({ received: 1, late: 3 })
  })

  it('makes room for newer ones where nobody reads, and then counts as waste', () => {
    core = new ScriptedCore({ maxWasteBytesPerSecond: 1024 })
    fast = core.joinUp({ rttMs: 20 }, EXTENDS, CAPABLE)
    for (let n = 0; n < 1000; n++) fast.hears(frame(n, String(n).padEnd(1000)))
    expect(fast.subflow.throttledUntil).toBeDefined()
    expect(take().length).toBeLessThan(65)
    expect(stats().unread).toBeGreaterThan(200)
  })

  it('costs a subflow its life where it is none, or where the peer has announced nothing', () => {
    fast.hears(Uint8Array.of(1, 3, 0x40))
    expect(core.states()).toEqual(['closed', 'up'])
    core = new ScriptedCore()
    fast = core.joinUp()
    fast.hears(frame(0, 'a'))
    expect(core.states()).toEqual(['closed'])
  })
})

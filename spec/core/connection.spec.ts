// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it, test } from 'vitest'
import { acks, CAPABLE, data, FIN, PING, PONG, ScriptedCore } from '../support/scripted-core.js'

let core: ScriptedCore
beforeEach(() => {
  core = new ScriptedCore()
})

describe('a subflow that joins', () => {
  it('says pong first where we dialled, so that the listener can measure, then what it knows, then ping', () => {
    expect(core.join({ isDialer: true }).sent()).toEqual(['pong', 'extends', 'capable', 'ping'])
  })

  it('says no pong where we listened', () => {
    expect(core.join({ isDialer: false }).sent()).toEqual(['extends', 'capable', 'ping'])
  })

  it('carries data at once where it is the first, others once the peer has shown life', () => {
    const first = core.join({ isDialer: true })
    const second = core.join({ isDialer: true })
    expect(core.states()).toEqual(['up', 'probing'])
    core.writes('hello')
    expect(first.sentData()).toEqual([10])
    second.hears(acks(PONG))
    expect(core.states()).toEqual(['up', 'up'])
  })

  it('has the round trip of its handshake as first sample where we dialled, of the first pong where we listened', () => {
    expect(core.join({ isDialer: true, rttMs: 30 }).subflow.rtt.smoothed).toBe(30)
    const listening = core.join({ isDialer: false })
    expect(listening.subflow.rtt.smoothed).toBeUndefined()
    core.now += 45
    listening.hears(acks(PONG))
    expect(listening.subflow.rtt.smoothed).toBe(45)
  })

  it('tells of every change of its state', () => {
    core.join().loses(new Error('reset'))
    expect(core.changes.map(({ from, state, reason }) => [from, state, reason])).toEqual([
      ['probing', 'probing', undefined],
      ['probing', 'up', undefined],
      ['up', 'closed', 'failed'],
    ])
  })
})

describe('what comes in', () => {
  it('is delivered in order and acked on the subflow it came by', () => {
    const [first, second] = [core.joinUp(), core.joinUp()]
    second.hears(data(11, 'world'))
    expect(core.reads()).toBe('')
    first.hears(data(10, 'hello '))
    expect(core.reads()).toBe('hello world')
    expect(first.sent()).toEqual(['ack 10'])
    expect(second.sent()).toEqual(['ack 11'])
  })

  it('is acked again when it comes again, wherever, and delivered once', () => {
    const [first, second] = [core.joinUp(), core.joinUp()]
    first.hears(data(10, 'once'))
    first.hears(data(10, 'once'))
    second.hears(data(10, 'once'), data(12, 'held'), data(12, 'held'))
    expect(core.reads()).toBe('once')
    expect(first.sent()).toEqual(['ack 10', 'ack 10'])
    expect(second.sent()).toEqual(['ack 10', 'ack 12', 'ack 12'])
  })

  it('is acked before any data of ours, in one write with it', () => {
    const only = core.joinUp()
    core.core.receive(only.subflow, data(10, 'question'), core.now)
    core.writes('answer')
    expect(only.sent()).toEqual(['ack 10', 'data 10 6'])
  })

  it('may be cut anywhere', () => {
    const only = core.joinUp()
    for (const byte of Buffer.concat([data(10, 'hello'), acks(PING)])) only.hears(Uint8Array.of(byte))
    expect(core.reads()).toBe('hello')
    expect(only.sent()).toEqual(['ack 10', 'pong'])
  })

  it('is acked early where much comes in one turn', () => {
    const only = core.joinUp()
    core.core.receive(only.subflow, data(10, 'x'), core.now)
    expect(core.core.isUrgent).toBe(false)
    core.core.receive(only.subflow, data(11, new Uint8Array(300_000)), core.now)
    expect(core.core.isUrgent).toBe(true)
  })

  it('is answered with a pong where it is a ping, and ignored where it is a code that we do not know', () => {
    const only = core.joinUp()
    only.hears(acks(6, 7, 8, 9, PING))
    expect(only.sent()).toEqual(['pong'])
    expect(core.states()).toEqual(['up'])
  })

  it('is ignored where it is a pong that nobody asked for, or an ack of what was never sent', () => {
    const only = core.joinUp()
    const { smoothed } = only.subflow.rtt
    core.now += 500
    only.hears(acks(PONG, PONG, 10, 11, 99_999))
    expect(only.subflow.rtt.smoothed).toBe(smoothed)
    core.writes('hello')
    expect(only.sentData()).toEqual([10])
    expect(core.core.unflushedBytes).toBe(5)
  })

  it('is ignored on a subflow that is closed', () => {
    const [first, second] = [core.joinUp(), core.joinUp()]
    second.loses()
    core.core.receive(second.subflow, data(10, 'late'), core.now)
    expect(core.reads()).toBe('')
    first.hears(data(10, 'good'))
    expect(core.reads()).toBe('good')
  })
})

describe('a violation of the protocol', () => {
  test.each([
    ['a frame above 1 MiB', Uint8Array.of(0x80, 0x10, 0, 1, 10)],
    ['a data frame with the number of a code', Uint8Array.of(1, 2, 0)],
    ['a number that we cannot hold', Uint8Array.of(1, 255, 255, 255, 255, 255, 255, 255, 255)],
  ])('closes its subflow and no other: %s', (_what, bytes) => {
    const [first, second] = [core.joinUp(), core.joinUp()]
    second.hears(bytes)
    expect(core.states()).toEqual(['up', 'closed'])
    expect(second.closed).toBe('destroy')
    expect(core.changes.at(-1)).toMatchObject({ reason: 'protocol', error: { code: 'ERR_MULTIPATH_FRAME' } })
    first.hears(data(10, 'still here'))
    expect(core.reads()).toBe('still here')
  })

  it('does not undo what came before it in the same chunk', () => {
    const [first, second] = [core.joinUp(), core.joinUp()]
    second.hears(data(10, 'good'), Uint8Array.of(0x80, 0x10, 0, 1, 10))
    expect(core.reads()).toBe('good')
    expect(first.subflow.state).toBe('up')
  })
})

describe('the end between two that know the codes', () => {
  it('is a FIN on every subflow once all is acked, then a close when the peer said the same', () => {
    const [first, second] = [core.joinUp({}, CAPABLE), core.joinUp()]
    core.writes('bye')
    core.ends()
    expect([...first.sent(), ...second.sent()]).toEqual(['data 10 3'])
    expect(core.core.isWriteEnd).toBe(false)
    first.hears(acks(10))
    expect(first.sent()).toEqual(['fin'])
    expect(second.sent()).toEqual(['fin'])
    expect(core.core.isWriteEnd).toBe(true)
    expect(core.isFinished).toBe(false)
    second.hears(data(10, 'you too'), acks(FIN))
    expect(core.reads()).toBe('you too')
    expect(core.core.isReadEnd).toBe(true)
    expect(core.isFinished).toBe(true)
    expect(core.error).toBeUndefined()
    expect([first.closed, second.closed]).toEqual(['end', 'end'])
    expect(core.core.nextTickAt()).toBe(Infinity)
  })

  it('leaves our side open after the FIN of the peer', () => {
    const only = core.joinUp({}, CAPABLE)
    only.hears(acks(FIN))
    expect(core.core.isReadEnd).toBe(true)
    core.writes('still talking')
    expect(only.sentData()).toEqual([10])
    only.hears(acks(10))
    core.ends()
    expect(core.isFinished).toBe(true)
    expect(core.error).toBeUndefined()
  })

  it('repeats the FIN on a subflow that joins after it, once that has answered', () => {
    core.joinUp({}, CAPABLE)
    core.ends()
    const late = core.join()
    expect(late.sent()).not.toContain('fin')
    late.hears(acks(PING, PONG))
    expect(late.sent()).toEqual(['pong'])
    late.hears(acks(PONG))
    expect(late.sent()).toEqual(['fin'])
  })

  it('is an error where the last subflow goes before the FIN of the peer', () => {
    core.joinUp({}, CAPABLE).loses()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })
})

describe('the end with a peer that knows no codes', () => {
  it('is a close once all is acked', () => {
    const only = core.joinUp({}, PING)
    core.writes('bye')
    core.ends()
    expect(core.isFinished).toBe(false)
    only.hears(acks(10))
    expect(core.isFinished).toBe(true)
    expect(core.error).toBeUndefined()
    expect(only.closed).toBe('end')
  })

  it('is in order when the peer closes with nothing missing', () => {
    const only = core.joinUp({}, PING)
    only.hears(data(10, 'all'))
    only.loses()
    expect(core.reads()).toBe('all')
    expect(core.isFinished).toBe(true)
    expect(core.error).toBeUndefined()
    expect(core.core.isReadEnd).toBe(true)
  })

  it('waits for the first word of the peer, which may know codes', () => {
    const only = core.join({ isDialer: true })
    core.ends()
    expect(core.isFinished).toBe(false)
    only.hears(acks(PING))
    expect(core.isFinished).toBe(true)
  })
})

describe('the end before the peer has shown what it is', () => {
  it('is an error: a live peer of either kind would have said something', () => {
    core.join().loses()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })

  it('is an error after a pong alone, which both kinds say first', () => {
    core.joinUp().loses()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })
})

describe('the end with something missing', () => {
  it('is an error where data of ours is unacked, with the cause', () => {
    const only = core.joinUp()
    core.writes('lost')
    const cause = new Error('read ECONNRESET')
    only.loses(cause)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_UNACKED', cause })
  })

  it('is an error where data of ours was not even sent', () => {
    const only = core.joinUp()
    only.subflow.blocked(0)
    core.writes('stuck')
    only.loses()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_UNACKED' })
  })

  it('is an error where no ack comes for lingerMs after end()', () => {
    core = new ScriptedCore({ lingerMs: 3000, deadMs: 60_000 })
    const only = core.joinUp()
    core.writes(new Uint8Array(40_000))
    core.ends()
    core.passes(2000)
    only.hears(acks(10))
    core.passes(2900)
    expect(core.isFinished).toBe(false)
    core.passes(200)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_LINGER' })
    expect(only.closed).toBe('destroy')
  })

  it('lingers for no time at all where so wanted', () => {
    core = new ScriptedCore({ lingerMs: 0 })
    core.joinUp()
    core.writes('hello')
    core.ends()
    core.passes(0)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_LINGER' })
  })
})

describe('destroy', () => {
  it('still tells the peer that nothing is missing where all is acked', () => {
    const only = core.joinUp({}, CAPABLE)
    core.core.destroy(false)
    core.flush()
    expect(only.sent()).toEqual(['fin'])
    expect(only.closed).toBe('end')
    expect(core.isFinished).toBe(true)
    expect(core.error).toBeUndefined()
  })

  it('says nothing of the kind where something is unacked, and drops it', () => {
    const only = core.joinUp({}, CAPABLE)
    core.writes('lost')
    only.sent()
    core.core.destroy(false)
    core.flush()
    expect(only.sent()).toEqual([])
    expect(core.core.unflushedBytes).toBe(0)
  })

  it('resets every subflow when it is an abort, and drops what was received', () => {
    const [first, second] = [core.joinUp({}, CAPABLE), core.joinUp()]
    first.hears(data(10, 'unread'), data(12, 'held'))
    core.core.destroy(true)
    core.flush()
    expect([first.closed, second.closed]).toEqual(['destroy', 'destroy'])
    expect([core.core.unreadBytes, core.core.metrics.outOfOrderBytes]).toEqual([0, 0])
    expect(core.core.subflows).toEqual([])
    core.core.destroy(true)
    core.flush()
    expect(core.states()).toEqual(['closed', 'closed'])
  })

  it('leaves nothing that would wake us', () => {
    core.joinUp()
    core.writes('lost')
    core.core.destroy(true)
    core.flush()
    core.passes(100_000)
    expect(core.ticks).toBe(0)
  })
})

describe('a subflow closed from our side', () => {
  it('has its data sent again on the others', () => {
    const [first, second] = [core.joinUp(), core.joinUp({ rttMs: 90 })]
    core.writes('hello')
    expect(first.sentData()).toEqual([10])
    core.core.closeSubflow(first.subflow, 'replaced', core.now)
    core.flush()
    expect(second.sentData()).toEqual([10])
    expect(core.changes.at(-1)).toMatchObject({ state: 'closed', reason: 'replaced' })
  })
})

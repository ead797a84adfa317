// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import { acks, CAPABLE, data, FIN, PING, PONG, ScriptedCore } from '../support/scripted-core.js'

let core: ScriptedCore
beforeEach(() => {
  core = new ScriptedCore()
})

describe('a FIN', () => {
  it('is a violation while a frame is missing: it says that all was acked', () => {
    const only = core.joinUp({}, CAPABLE)
    only.hears(data(10, 'a'), data(12, 'c'), acks(FIN))
    expect(core.reads()).toBe('a')
    expect(only.closed).toBe('destroy')
    expect(core.changes.at(-1)).toMatchObject({ reason: 'protocol', error: { code: 'ERR_MULTIPATH_FRAME' } })
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })

  it('is a violation while a frame has begun that no copy has brought', () => {
    const [first, second] = [core.joinUp({}, CAPABLE), core.joinUp()]
    first.hears(data(10, 'a'), data(11, 'begun').subarray(0, 4))
    second.hears(acks(FIN))
    expect(core.states()).toEqual(['up', 'closed'])
    expect(core.core.isReadEnd).toBe(false)
    first.hears(data(11, 'begun').subarray(4))
    expect(core.reads()).toBe('abegun')
  })

  it('is a violation after a frame that was dropped and has not come again', () => {
    core = new ScriptedCore({ maxUnreadBytes: 1000 })
    const only = core.joinUp({}, CAPABLE)
    only.hears(data(10, new Uint8Array(900)), data(11, new Uint8Array(900)), acks(FIN))
    core.reads()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })

  it('is a violation of a peer that has not announced itself', () => {
    const only = core.joinUp({}, PING)
    only.hears(data(10, 'a'), acks(FIN))
    expect(only.closed).toBe('destroy')
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })

  it('is a violation on a subflow that has joined and not answered yet, and closes no other', () => {
    const first = core.joinUp({}, CAPABLE)
    const joined = core.join()
    joined.hears(acks(PONG, CAPABLE, PING, FIN))
    expect(core.states()).toEqual(['up', 'closed'])
    first.hears(data(10, 'goes on'))
    expect(core.reads()).toBe('goes on')
    expect(core.core.isReadEnd).toBe(false)
  })

  it('counts on a subflow that has joined and answered', () => {
    core.joinUp({}, CAPABLE)
    core.joinUp().hears(acks(FIN))
    expect(core.core.isReadEnd).toBe(true)
  })

  it('leaves late copies of what came before it welcome, and acked', () => {
    const [first, second] = [core.joinUp({}, CAPABLE), core.joinUp()]
    second.hears(data(10, 'twice').subarray(0, 4))
    first.hears(data(10, 'twice'), acks(FIN))
    second.hears(data(10, 'twice').subarray(4))
    second.hears(data(10, 'twice'))
    expect(second.sent()).toEqual(['ack 10', 'ack 10'])
    expect(core.states()).toEqual(['up', 'up'])
    expect(core.reads()).toBe('twice')
  })

  it('may come again on every subflow', () => {
    const [first, second] = [core.joinUp({}, CAPABLE), core.joinUp()]
    first.hears(acks(FIN))
    second.hears(acks(FIN, FIN))
    expect(core.states()).toEqual(['up', 'up'])
  })
})

describe('new data behind a FIN', () => {
  it('is an error of the connection, whose reader may know of an end that was none', () => {
    const [first, second] = [core.joinUp({}, CAPABLE), core.joinUp()]
    first.hears(data(10, 'a'))
    second.hears(acks(FIN))
    expect(core.core.isReadEnd).toBe(false)
    first.hears(data(11, 'more').subarray(0, 3))
    expect(core.isFinished).toBe(true)
    expect(core.error).toMatchObject({
      multipathCode: 'ERR_MULTIPATH_INCOMPLETE',
      cause: { code: 'ERR_MULTIPATH_FRAME' },
    })
    expect(core.reads()).toBe('a')
  })

  it('is the same far ahead, where it would be dropped', () => {
    const only = core.joinUp({}, CAPABLE)
    only.hears(acks(FIN), data(99_999, 'x'))
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })
})

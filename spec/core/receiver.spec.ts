// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import { acks, CAPABLE, data, FIN, PING, range, ScriptedCore } from '../support/scripted-core.js'

let core: ScriptedCore
beforeEach(() => {
  core = new ScriptedCore({ maxUnreadBytes: 4000, maxReorderBytes: 4000 })
})

describe('what comes ahead of a missing frame', () => {
  it('is held within its budget; the frame that is missing still comes in', () => {
    const only = core.joinUp()
    for (const fn of range(11, 30)) only.hears(data(fn, new Uint8Array(1000)))
    expect(core.core.metrics.outOfOrderBytes).toBeGreaterThan(2000)
    expect(core.core.metrics.outOfOrderBytes).toBeLessThanOrEqual(4000)
    only.sent()
    only.hears(data(10, new Uint8Array(1000)))
    expect(only.sent()).toEqual(['ack 10'])
    expect(core.core.metrics.outOfOrderBytes).toBe(0)
  })

  it('is not kept where it turns out at its end that a copy was faster', () => {
    const [first, second] = [core.joinUp(), core.joinUp()]
    const frame = data(10, 'twice')
    first.hears(frame.subarray(0, 4))
    second.hears(frame)
    first.hears(frame.subarray(4))
    expect(core.reads()).toBe('twice')
    expect([...first.sent(), ...second.sent()]).toEqual(['ack 10', 'ack 10'])
  })

  it('is not acked where it was dropped at its beginning and would fit at its end', () => {
    const [first, second] = [core.joinUp(), core.joinUp()]
    for (const fn of range(11, 14)) first.hears(data(fn, new Uint8Array(1000)))
    const frame = data(15, new Uint8Array(500))
    second.hears(frame.subarray(0, 10))
    first.hears(data(10, 'x'))
    core.reads()
    second.hears(frame.subarray(10))
    expect(second.sent()).toEqual([])
    second.hears(frame)
    expect(second.sent()).toEqual(['ack 15'])
  })
})

describe('a hole at the end', () => {
  it('is a frame that a later one shows', () => {
    const only = core.joinUp({}, PING)
    only.hears(data(11, 'later'))
    only.loses()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })

  it('is a frame that was begun', () => {
    const only = core.joinUp({}, PING)
    only.hears(data(10, 'all'), data(11, 'cut off').subarray(0, 5))
    only.loses()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
    expect(core.reads()).toBe('all')
  })

  it('is none where a copy of the frame that was cut came in', () => {
    const [first, second] = [core.joinUp({}, PING), core.joinUp()]
    first.hears(data(10, 'cut off').subarray(0, 5))
    first.loses(new Error('reset'))
    second.hears(data(10, 'cut off'))
    core.now += 5000
    second.loses()
    expect(core.isFinished).toBe(true)
    expect(core.error).toBeUndefined()
  })

  it('is a frame that was dropped and did not come again', () => {
    const only = core.joinUp({}, PING)
    for (const fn of range(10, 14)) only.hears(data(fn, new Uint8Array(1000)))
    core.reads()
    only.loses()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })

  it('is a data frame whose header the end of the last subflow cut', () => {
    const only = core.joinUp({}, PING)
    only.hears(data(10, 'all'), data(11, new Uint8Array(100)).subarray(0, 1))
    only.loses()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })

  it('is none where an ack was cut', () => {
    const only = core.joinUp({}, PING)
    only.hears(data(10, 'all'), acks(100).subarray(0, 2))
    only.loses()
    expect(core.error).toBeUndefined()
    expect(core.isFinished).toBe(true)
  })

  it('is none after the FIN of a peer of our kind, which comes when all is acked', () => {
    const [first, second] = [core.joinUp({}, CAPABLE), core.joinUp()]
    first.hears(data(10, 'all'), acks(FIN))
    first.loses()
    second.loses(new Error('reset'))
    expect(core.isFinished).toBe(true)
    expect(core.error).toBeUndefined()
  })
})

describe('acks that a peer does not take up', () => {
  it('are bounded: its subflow is closed, and no other', () => {
    core = new ScriptedCore({ maxOutstandingAckBytes: 1000 })
    const [first, second] = [core.joinUp(), core.joinUp()]
    second.isStuck = true
    second.subflow.blocked(0)
    for (const fn of range(10, 2000)) {
      if (second.subflow.state === 'closed') break
      second.hears(data(fn, 'x'))
      // Beyond it by the acks of one chunk at most.
      expect(second.subflow.acks.length).toBeLessThanOrEqual(1000 + 10)
    }
    expect(second.subflow.state).toBe('closed')
    expect(core.changes.at(-1)).toMatchObject({ reason: 'limit', error: { code: 'ERR_MULTIPATH_LIMIT' } })
    expect(first.subflow.state).toBe('up')
  })

  it('wait for the socket and leave when it takes bytes again, before any data', () => {
    const only = core.joinUp()
    only.isStuck = true
    core.writes('fills the socket')
    only.sent()
    only.hears(data(10, 'x'), data(11, 'y'))
    core.writes('waits too')
    expect(only.sent()).toEqual([])
    only.drains()
    expect(only.sent()).toEqual(['ack 10', 'ack 11', 'data 11 9'])
  })

  it('leave with the last word even so', () => {
    const only = core.joinUp({}, CAPABLE)
    only.isStuck = true
    only.subflow.blocked(0)
    only.hears(data(10, 'x'))
    core.core.destroy(false)
    core.flush()
    expect(only.sent()).toEqual(['ack 10', 'fin'])
  })
})

// SPDX-License-Identifier: Apache-2.0
/** How a connection ends with a peer that takes extension frames. */
import { beforeEach, describe, expect, it, test } from 'vitest'
import { encodeFin, encodeReset, RESET } from '../../lib/wire/end-frames.js'
import { encodeExtension, EXTENSION } from '../../lib/wire/extension.js'
import { acks, CAPABLE, data, EXTENDS, FIN, PING, PONG, ScriptedCore } from '../support/scripted-core.js'
import type { ScriptedSubflow } from '../support/scripted-core.js'

let core: ScriptedCore
beforeEach(() => {
  core = new ScriptedCore()
})

const extended = (): ScriptedSubflow => core.joinUp({}, EXTENDS, CAPABLE)
const closed = (nextFrame: number): Uint8Array => encodeReset({ code: RESET.closed, nextFrame })
const lastOf = (subflow: ScriptedSubflow) => subflow.extensions.at(-1)!

describe('our FIN', () => {
  it('names the frame that will never come once all is acked, and is acked by that number', () => {
    const only = extended()
    core.writes('bye')
    core.ends()
    expect(only.sent()).toEqual(['data 10 3'])
    only.hears(acks(10))
    expect(only.sent()).toEqual(['fin'])
    expect(lastOf(only).number(1)).toBe(11)
    expect(core.core.isWriteEnd).toBe(true)
    only.hears(encodeFin(10))
    expect(core.isFinished).toBe(false)
    only.hears(acks(11))
    expect(core.isFinished).toBe(true)
    expect(core.error).toBeUndefined()
    expect(only.sent()).toEqual(['ack 10', 'reset'])
    expect(only.closed).toBe('end')
  })

  it('is said on every subflow that has answered, and on each that joins until it is acked', () => {
    const first = extended()
    core.ends()
    expect(first.sent()).toEqual(['fin'])
    const late = core.joinUp()
    core.flush()
    expect(lastOf(late).type).toBe(EXTENSION.fin)
  })

  it('that is never acked is an error, although all data was', () => {
    const only = extended()
    core.ends()
    only.hears(encodeFin(10))
    expect(core.isFinished).toBe(false)
    only.loses()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_UNACKED' })
    expect(core.error?.message).toMatch(/the end of our data unacked/)
  })

  it('that is not acked within lingerMs is an error', () => {
    core = new ScriptedCore({ lingerMs: 1000 })
    const only = extended()
    core.ends()
    only.hears(encodeFin(10))
    core.passes(1001)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_LINGER' })
  })
})

describe("the peer's FIN", () => {
  it('is the end once all frames before it have come, on whatever subflow, and is acked at once', () => {
    const [first, second] = [extended(), core.joinUp()]
    second.hears(encodeFin(12))
    expect(second.sent()).toEqual(['ack 12'])
    first.hears(data(10, 'a'))
    expect(core.core.isReadEnd).toBe(false)
    first.hears(data(11, 'b'))
    expect(core.reads()).toBe('ab')
    expect(core.core.isReadEnd).toBe(true)
  })

  it('may come again, and is acked again', () => {
    const [first, second] = [extended(), core.joinUp()]
    first.hears(encodeFin(10))
    second.hears(encodeFin(10))
    expect([...first.sent(), ...second.sent()]).toEqual(['ack 10', 'ack 10'])
  })

  it('that was stripped is an error: the reader never sees a clean end', () => {
    const only = extended()
    only.hears(data(10, 'cut here'))
    only.loses()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })

  test.each([
    ['with another number', encodeFin(12), encodeFin(11)],
    ['before a frame that has come', data(12, 'x'), encodeFin(12)],
    ['without a number', acks(FIN), new Uint8Array(0)],
    ['with a number under 10', encodeExtension(EXTENSION.fin, new Map([[1, 9]])), new Uint8Array(0)],
    ['whose number is left out', encodeExtension(EXTENSION.fin, new Map()), new Uint8Array(0)],
  ])('is a violation that costs it the subflow: %s', (_what, first, second) => {
    extended()
    const other = core.joinUp()
    other.hears(first)
    other.hears(second)
    expect(core.states()).toEqual(['up', 'closed'])
    expect(core.core.isReadEnd).toBe(false)
  })

  it('is a violation on a subflow that has joined and not answered yet', () => {
    extended()
    const joined = core.join()
    joined.hears(acks(PONG, EXTENDS, CAPABLE, PING), encodeFin(10))
    expect(core.states()).toEqual(['up', 'closed'])
  })

  it('makes new data behind it an error of the connection', () => {
    const only = extended()
    only.hears(encodeFin(10), data(10, 'x'))
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })
})

describe('a RESET of the peer', () => {
  it('that aborts is an error of its own code, with its reason escaped', () => {
    const only = extended()
    only.hears(data(10, 'read'), encodeReset({ code: RESET.aborted, reason: 'gone\u001b[2J' }))
    expect(core.isFinished).toBe(true)
    expect(core.error).toMatchObject({
      multipathCode: 'ERR_MULTIPATH_RESET',
      code: 'ECONNRESET',
      reason: 'gone\\u{1b}[2J',
    })
    expect(core.reads()).toBe('read')
  })

  it('with a code that we do not know aborts, too', () => {
    extended().hears(encodeReset({ code: 77 }))
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_RESET', reason: undefined })
  })

  it('that closes is a clean end where both sides had finished, though our FIN was not acked', () => {
    const only = extended()
    core.ends()
    only.hears(encodeFin(10), closed(10))
    expect(core.isFinished).toBe(true)
    expect(core.error).toBeUndefined()
  })

  it('that closes stands for the acks that it overtakes on another path', () => {
    const only = extended()
    core.writes('on its way')
    only.hears(encodeFin(10), closed(11))
    expect(core.error).toBeUndefined()
  })

  it('that closes is an error where it has not taken all that we wrote', () => {
    const only = extended()
    core.writes('lost')
    only.hears(encodeFin(10), closed(10))
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_UNACKED' })
  })

  it('that closes before its FIN is an error', () => {
    extended().hears(closed(10))
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })

  it('is a violation on a subflow that has joined and not answered yet, and ends nothing', () => {
    extended()
    const joined = core.join()
    joined.hears(acks(PONG, EXTENDS, CAPABLE, PING), encodeReset({ code: RESET.aborted }))
    expect(core.states()).toEqual(['up', 'closed'])
    expect(core.isFinished).toBe(false)
  })
})

describe('our RESET', () => {
  it('tells of an abort and why, and the sockets close behind it', () => {
    const [first, second] = [extended(), core.joinUp()]
    first.hears(data(10, 'x'))
    core.core.destroy(true, 'mine')
    core.flush()
    for (const subflow of [first, second]) {
      const frame = lastOf(subflow)
      expect([frame.number(1), frame.text(2, 128), frame.number(3)]).toEqual([RESET.aborted, 'mine', 11])
      expect(subflow.closed).toBe('end')
    }
  })

  it('is cut to 128 bytes of reason', () => {
    const only = extended()
    core.core.destroy(true, 'é'.repeat(100))
    core.flush()
    expect(lastOf(only).text(2, 128)).toBe('é'.repeat(64))
  })

  it('never reaches a peer that takes no extension frames: its sockets are reset', () => {
    const only = core.joinUp({}, CAPABLE)
    core.core.destroy(true, 'mine')
    core.flush()
    expect(only.extensions).toEqual([])
    expect(only.closed).toBe('destroy')
  })
})

// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it, test } from 'vitest'
import { resolveDialerOptions } from '../../lib/dial/options.js'
import { resolveListenerOptions } from '../../lib/listen/options.js'
import { acks, CAPABLE, data, FIN, PING, PONG, ScriptedCore } from '../support/scripted-core.js'

let core: ScriptedCore
beforeEach(() => {
  core = new ScriptedCore({}, () => 0.5, 'ours')
})

describe('a connection that takes no Go peer', () => {
  test.each([
    ['data', data(10, 'hello')],
    ['an ack', acks(10)],
    ['a ping', acks(PING)],
    ['a FIN', acks(FIN)],
    ['a code that is not known', acks(PONG, 7, PING)],
  ])('ends with an error of its own where the first word is %s', (_what, bytes) => {
    const only = core.join()
    only.hears(bytes)
    expect(core.reads()).toBe('')
    expect(only.closed).toBe('destroy')
    expect(core.error).toMatchObject({ code: 'ERR_MULTIPATH_PEER' })
  })

  it('ends with that error where the peer goes without a word, or with a pong alone', () => {
    core.join().loses()
    expect(core.error).toMatchObject({ code: 'ERR_MULTIPATH_PEER' })
    core = new ScriptedCore({}, () => 0.5, 'ours')
    core.joinUp().loses(new Error('reset'))
    expect(core.error).toMatchObject({ code: 'ERR_MULTIPATH_PEER' })
  })

  it('goes on with one that announces itself, and ends as ever', () => {
    const only = core.joinUp({}, CAPABLE)
    only.hears(data(10, 'hello'), acks(FIN))
    expect(core.reads()).toBe('hello')
    core.ends()
    expect(core.isFinished).toBe(true)
    expect(core.error).toBeUndefined()
  })

  it('says so of one that goes before its FIN as ever', () => {
    core.joinUp({}, CAPABLE).loses()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })
})

describe('a peer that announces itself', () => {
  it('may do so again, on each subflow and twice', () => {
    const [first, second] = [core.joinUp({}, CAPABLE, CAPABLE), core.joinUp({}, CAPABLE)]
    first.hears(acks(CAPABLE))
    second.hears(data(10, 'x'))
    expect(core.states()).toEqual(['up', 'up'])
  })

  it('late, after data, is held to its word from then on: an end without FIN is an error', () => {
    core = new ScriptedCore()
    const only = core.joinUp({}, PING)
    only.hears(data(10, 'x'), acks(CAPABLE))
    only.loses()
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })
})

describe('the option peer', () => {
  it('is any or ours, on either side', () => {
    for (const peer of ['go', '', null] as unknown as 'any'[]) {
      expect(() => resolveDialerOptions({ peer })).toThrow(/^peer must be any or ours, got /)
      expect(() => resolveListenerOptions({ peer })).toThrow(/^peer must be any or ours, got /)
    }
    expect(() => resolveDialerOptions({ peer: 'ours' })).not.toThrow()
    expect(() => resolveListenerOptions({ peer: 'any' })).not.toThrow()
  })
})

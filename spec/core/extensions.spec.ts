// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it, test } from 'vitest'
import { resolveDialerOptions } from '../../lib/dial/options.js'
import { encodeExtension } from '../../lib/wire/extension.js'
import { decodeSettings, encodeSettings } from '../../lib/wire/settings.js'
import { acks, CAPABLE, data, EXTENDS, PING, PONG, ScriptedCore } from '../support/scripted-core.js'

let core: ScriptedCore
beforeEach(() => {
  core = new ScriptedCore()
})

const SETTINGS = encodeSettings({ holdMs: 7, name: 'laptop' })

describe('a peer that takes extension frames', () => {
  it('is told the settings on each subflow, once', () => {
    const first = core.join()
    expect(first.sent()).toEqual(['extends', 'capable', 'ping'])
    first.hears(acks(PONG, EXTENDS, CAPABLE, PING))
    expect(first.sent()).toEqual(['pong', 'settings'])
    expect(decodeSettings(first.extensions[0]!)).toMatchObject({ version: 1 })
    const second = core.join()
    expect(second.sent()).toEqual(['extends', 'capable', 'ping', 'settings', 'have'])
    second.hears(acks(EXTENDS, CAPABLE, PING), SETTINGS)
    expect([...first.sent(), ...second.sent()]).toEqual(['pong'])
  })

  it('tells its settings, and may say them again', () => {
    const first = core.joinUp({}, EXTENDS, CAPABLE)
    expect(core.core.peerSettings).toBeUndefined()
    first.hears(SETTINGS, SETTINGS)
    expect(core.core.peerSettings).toMatchObject({ holdMs: 7, name: 'laptop' })
    expect(core.states()).toEqual(['up'])
  })

  it('may announce that late, on another subflow, when its announcement was lost with the first', () => {
    const first = core.joinUp({}, CAPABLE)
    const second = core.join()
    second.hears(acks(PONG, EXTENDS, CAPABLE, PING), SETTINGS)
    expect(first.sent()).toEqual(['settings'])
    expect(core.core.peerSettings?.name).toBe('laptop')
  })

  it('stays one when a further subflow announces less', () => {
    core.joinUp({}, EXTENDS, CAPABLE)
    const second = core.join()
    second.hears(acks(PONG, CAPABLE, PING))
    expect(core.core.peer.takesExtensions).toBe(true)
    second.hears(SETTINGS)
    expect(core.states()).toEqual(['up', 'up'])
  })

  it('may send types and frame numbers that we do not know', () => {
    const first = core.joinUp({}, EXTENDS, CAPABLE)
    first.hears(encodeExtension(99, new Map([[1, 1]])), Uint8Array.of(1, 9, 0), data(10, 'goes on'))
    expect(core.reads()).toBe('goes on')
  })

  it('costs itself the subflow with a frame that is none, and no other', () => {
    const [first, second] = [core.joinUp({}, EXTENDS, CAPABLE), core.joinUp()]
    second.hears(Uint8Array.of(2, 2, 1, 1))
    expect(core.states()).toEqual(['up', 'closed'])
    expect(core.changes.at(-1)).toMatchObject({ reason: 'protocol', error: { code: 'ERR_MULTIPATH_FRAME' } })
    first.hears(data(10, 'x'))
    expect(core.reads()).toBe('x')
  })

  it('is read more slowly when it floods us with them', () => {
    core = new ScriptedCore({ maxWasteBytesPerSecond: 1024 })
    const first = core.joinUp({}, EXTENDS, CAPABLE)
    for (let n = 0; n < 50; n++) first.hears(encodeExtension(99, new Map([[1, new Uint8Array(16_000)]])))
    expect(first.subflow.throttledUntil).toBeDefined()
  })
})

describe('a peer that does not take extension frames', () => {
  test.each([
    ['one of ours of an earlier version', acks(PONG, CAPABLE, PING)],
    ['a Go peer', acks(PONG, PING)],
    ['one that has said nothing yet', acks(PONG)],
  ])('never gets one: %s', (_what, first) => {
    const only = core.join()
    only.hears(first, data(10, 'x'))
    core.writes('y')
    core.join()
    expect(only.sent()).not.toContain('settings')
  })

  it('costs itself the subflow when it sends one without having announced that', () => {
    const [first, second] = [core.joinUp({}, CAPABLE), core.joinUp({}, CAPABLE)]
    second.hears(SETTINGS)
    expect(core.states()).toEqual(['up', 'closed'])
    expect(second.closed).toBe('destroy')
    first.hears(data(10, 'x'))
    expect(core.reads()).toBe('x')
  })
})

describe('the option name', () => {
  it('is a string of at most 64 bytes', () => {
    for (const name of ['é'.repeat(33), 5, null] as unknown as string[])
      expect(() => resolveDialerOptions({ name })).toThrow(/^name must be a string of at most 64 bytes/)
    expect(() => resolveDialerOptions({ name: 'é'.repeat(32) })).not.toThrow()
  })
})

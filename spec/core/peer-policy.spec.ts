// SPDX-License-Identifier: Apache-2.0
/** PATH frames, and the scheduler in SETTINGS, frame by frame. */
import { beforeEach, describe, expect, it, test } from 'vitest'
import { encodeExtension, EXTENSION, Extension, payloadOf } from '../../lib/wire/extension.js'
import { decodePath, encodePath } from '../../lib/wire/path-frame.js'
import { encodeSettings } from '../../lib/wire/settings.js'
import { acks, CAPABLE, data, EXTENDS, PING, PONG, ScriptedCore } from '../support/scripted-core.js'

const ANNOUNCED = acks(PONG, EXTENDS, CAPABLE, PING)
const ALL = {
  tier: 2,
  weight: 3,
  maxBytes: 1000,
  maxBytesPerSecond: 70_000,
  isPaused: true,
  parallel: 8,
  label: 'lte',
}
const NONE = {
  tier: 0,
  weight: 1,
  maxBytes: Infinity,
  maxBytesPerSecond: Infinity,
  isPaused: false,
  parallel: undefined,
  label: '',
}

let core: ScriptedCore
beforeEach(() => {
  core = new ScriptedCore()
})

describe('PATH as bytes', () => {
  it('has what is not as ever', () => {
    const wire = Buffer.from(
      '1c0206 010102 020103 030243e8 040480011170 050101 070108 06036c7465'.replaceAll(' ', ''),
      'hex',
    )
    expect(Buffer.from(encodePath(ALL)).toString('hex')).toBe(wire.toString('hex'))
    expect(decodePath(new Extension(payloadOf(wire)))).toEqual(ALL)
    const most = { maxBytes: Number.MAX_VALUE, maxBytesPerSecond: 2 ** 53 }
    for (const none of [NONE, { ...NONE, ...most }])
      expect(Buffer.from(encodePath(none)).toString('hex')).toBe('010206')
    expect(decodePath(new Extension(Uint8Array.of(6)))).toEqual(NONE)
  })
})

describe('a dialer of ours', () => {
  it('tells of the path of each subflow, and again when it changes', () => {
    const first = core.join({ isDialer: true })
    first.hears(ANNOUNCED)
    expect(first.sent().slice(-2)).toEqual(['settings', 'path'])
    first.subflow.path.set({ tier: 'backup', maxBytes: 5000 })
    core.flush()
    expect(first.sent()).toEqual(['path'])
    core.flush()
    expect(first.sent()).toEqual([])
    expect(decodePath(first.extensions.at(-1)!)).toMatchObject({ tier: 2, maxBytes: 5000, label: 'path 1' })
  })

  it('takes off a cap of bytes what has come on the path before', () => {
    core.join({ isDialer: true }).hears(ANNOUNCED)
    const second = core.join({ isDialer: true })
    second.subflow.path.set({ maxBytes: 5000 })
    second.hears(data(10, new Uint8Array(2000)))
    second.subflow.path.received(1500)
    second.subflow.path.set({ weight: 2 })
    core.flush()
    expect(decodePath(second.extensions.at(-1)!)).toMatchObject({ maxBytes: 3500, weight: 2 })
  })

  it('is told nothing of paths', () => {
    const first = core.join({ isDialer: true })
    first.hears(ANNOUNCED, encodePath(ALL))
    expect(first.subflow.path.tier).toBe('primary')
    expect(core.states()).toEqual(['up'])
  })
})

describe('the side that listens', () => {
  it('uses the path as it is told, each time as a whole', () => {
    const first = core.join()
    first.hears(ANNOUNCED, encodePath(ALL))
    const { path } = first.subflow
    expect([path.tier, path.weight, path.maxBytes, path.bytesPerMs, path.isPaused]).toEqual([
      'backup',
      3,
      1000,
      70,
      true,
    ])
    expect(first.subflow.peerLabel).toBe('lte')
    first.hears(encodePath(NONE))
    expect([path.tier, path.weight, path.maxBytes, path.bytesPerMs, path.isPaused]).toEqual([
      'primary',
      1,
      Infinity,
      Infinity,
      false,
    ])
    expect(first.sent()).not.toContain('path')
  })

  const bad: [string, [number, number | Uint8Array]][] = [
    ['of a tier that is none', [1, 3]],
    ['with a weight of 0', [2, 0]],
    ['with a weight of more than a million', [2, 1_000_001]],
    ['with a rate of 0', [4, 0]],
    ['that is paused in a way that we do not know', [5, 2]],
    ['with a label that is too long', [6, new Uint8Array(129)]],
    ['with a tier that is no number', [1, Uint8Array.of(0, 0)]],
  ]
  test.each(bad)('takes a PATH %s for a violation', (_what, [id, value]) => {
    core.join().hears(ANNOUNCED)
    const second = core.join()
    second.hears(ANNOUNCED, encodeExtension(EXTENSION.path, new Map([[id, value]])))
    expect(core.states()).toEqual(['up', 'closed'])
  })

  it('leaves its scheduler as it is for a name that it does not know, or one that it has heard', () => {
    const first = core.join()
    first.hears(ANNOUNCED, encodeSettings({ holdMs: 0, scheduler: 'of the future' }))
    expect(core.core.peerSettings).toMatchObject({ scheduler: 'of the future' })
    expect(core.states()).toEqual(['up'])
  })
})

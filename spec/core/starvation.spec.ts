// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import { encodeSettings } from '../../lib/wire/settings.js'
import { encodeStarving } from '../../lib/wire/starving-frame.js'
import type { ScriptedSubflow } from '../support/scripted-core.js'
import { acks, CAPABLE, EXTENDS, PONG, range, ScriptedCore } from '../support/scripted-core.js'

let core: ScriptedCore
let first: ScriptedSubflow
let second: ScriptedSubflow
beforeEach(() => {
  core = new ScriptedCore({ maxFrameBytes: 1000 })
  first = core.joinUp({ rttMs: 20 }, EXTENDS, CAPABLE)
  first.hears(encodeSettings({ holdMs: 0, capabilities: 2 }))
  second = core.joinUp({ rttMs: 40 })
  // A history, so that it is known what is usual.
  for (let fn = 10; fn < 30; fn++) {
    core.writes(new Uint8Array(1000))
    core.passes(20)
    first.hears(acks(PONG, fn))
  }
  for (const subflow of [first, second]) subflow.sent()
})

const starving = (fn: number): void => {
  second.hears(encodeStarving(fn))
}

describe('a frame for which the reader of the peer starves', () => {
  it('leaves again on another path once it is late, with what the same path carries, which is not suspected', () => {
    core.writes(new Uint8Array(3000))
    expect(first.sentData()).toEqual([30, 31, 32])
    core.passes(25)
    starving(30)
    expect(second.sentData()).toEqual([])
    core.passes(20)
    expect(second.sentData()).toEqual([30, 31, 32])
    expect(first.subflow.state).toBe('up')
  })

  it('stays where it is while it is not late, and where its path has shown life', () => {
    core.writes(new Uint8Array(3000))
    core.passes(5)
    starving(30)
    core.passes(10)
    first.hears(acks(30, 31))
    core.passes(15)
    expect(second.sentData()).toEqual([])
  })

  it('has nothing sent again that has not left yet when its path delivers', () => {
    second.subflow.blocked(0)
    core.writes(new Uint8Array(3000))
    core.passes(25)
    starving(30)
    core.passes(20)
    first.hears(acks(30))
    second.drains()
    expect(second.sentData()).toEqual([])
  })

  it('leaves again once, however often the peer asks', () => {
    core.writes(new Uint8Array(1000))
    for (let ms = 0; ms < 55; ms++) {
      starving(30)
      core.passes(1)
    }
    expect(second.sentData()).toEqual([30])
    expect(core.ticks).toBeLessThan(100)
  })

  it('does not leave again where no other path is there, or where it was acked or never sent', () => {
    second.loses(new Error('reset'))
    core.writes(new Uint8Array(1000))
    core.passes(25)
    for (const fn of [...range(10, 40), 2 ** 53 - 1]) first.hears(encodeStarving(fn))
    first.sent()
    core.passes(20)
    expect(first.sentData()).toEqual([])
  })

  it('has its peer read more slowly when it says so in a loop', () => {
    core = new ScriptedCore({ maxWasteBytesPerSecond: 1024 })
    first = core.joinUp({}, EXTENDS, CAPABLE)
    for (let n = 0; n < 10_000; n++) first.hears(encodeStarving(10))
    expect(first.subflow.throttledUntil).toBeDefined()
  })
})

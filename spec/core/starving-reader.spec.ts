// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import { encodeSettings } from '../../lib/wire/settings.js'
import { decodeStarving } from '../../lib/wire/starving-frame.js'
import type { ScriptedSubflow } from '../support/scripted-core.js'
import { CAPABLE, data, EXTENDS, ScriptedCore } from '../support/scripted-core.js'

let core: ScriptedCore
let first: ScriptedSubflow
let second: ScriptedSubflow
function opened(capabilities: number): void {
  core = new ScriptedCore()
  first = core.joinUp({ rttMs: 20 }, EXTENDS, CAPABLE)
  first.hears(encodeSettings({ holdMs: 0, capabilities }))
  second = core.joinUp({ rttMs: 50 })
  for (const subflow of [first, second]) subflow.sent()
}
beforeEach(() => {
  opened(2)
})

/** Frames that were said to be missing on a subflow. */
const said = ({ extensions }: ScriptedSubflow): number[] =>
  extensions.filter(({ type }) => type === 8).map(decodeStarving)

describe('a reader that waits for a missing frame alone', () => {
  it('says so after 5 ms, on the subflow that brings data', () => {
    second.hears(data(11, 'later'))
    core.passes(4)
    expect(second.sent()).toEqual(['ack 11'])
    core.passes(1)
    expect(second.sent()).toEqual(['starving'])
    expect([said(first), said(second)]).toEqual([[], [10]])
  })

  it('begins to wait when it has taken all that came before', () => {
    second.hears(data(10, 'a'), data(12, 'c'))
    expect(core.reads()).toBe('a')
    core.passes(4)
    expect(said(second)).toEqual([])
    core.passes(1)
    expect(said(second)).toEqual([11])
  })

  it('says nothing where the frame comes sooner, nor of the next one before it has waited for that', () => {
    for (let fn = 10; fn < 30; fn += 2) {
      second.hears(data(fn + 1, 'x'))
      core.passes(4)
      first.hears(data(fn, 'x'))
      core.reads()
    }
    core.passes(100)
    expect([said(first), said(second)]).toEqual([[], []])
  })

  it('wakes the core no more once it has said so', () => {
    second.hears(data(11, 'later'))
    core.passes(5)
    const { ticks } = core
    core.passes(100)
    expect(core.ticks - ticks).toBeLessThan(5)
    expect(said(second)).toEqual([10])
  })

  it('says it once for a frame and a round trip', () => {
    for (let fn = 11; fn < 65; fn++) {
      second.hears(data(fn, 'x'))
      core.now += 1
    }
    expect(said(second)).toEqual([10])
    core.now += 5
    second.hears(data(65, 'x'))
    expect(said(second)).toEqual([10, 10])
  })

  it('says nothing without a gap, or with something to read', () => {
    second.hears(data(10, 'x'))
    core.reads()
    second.hears(data(11, 'y'), data(13, 'z'))
    core.passes(50)
    expect(said(second)).toEqual([])
  })

  it('says nothing to a peer that does not know what that is', () => {
    opened(1)
    second.hears(data(11, 'later'))
    core.passes(5)
    expect(second.sent()).toEqual(['ack 11'])
  })
})

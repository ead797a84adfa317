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
  it('says so at once, on the subflow that brings data', () => {
    second.hears(data(11, 'later'))
    expect(second.sent()).toEqual(['ack 11', 'starving'])
    expect([said(first), said(second)]).toEqual([[], [10]])
  })

  it('says so as soon as it has taken all that came before', () => {
    second.hears(data(10, 'a'), data(12, 'c'))
    expect(said(second)).toEqual([])
    core.reads()
    expect(said(second)).toEqual([11])
  })

  it('says it once for a frame and a round trip', () => {
    for (let fn = 11; fn < 60; fn++) {
      second.hears(data(fn, 'x'))
      core.now += 1
    }
    expect(said(second)).toEqual([10])
    core.now += 5
    second.hears(data(60, 'x'))
    expect(said(second)).toEqual([10, 10])
  })

  it('says nothing without a gap, or with something to read', () => {
    second.hears(data(10, 'x'))
    core.reads()
    second.hears(data(11, 'y'), data(13, 'z'))
    expect(said(second)).toEqual([])
  })

  it('says nothing to a peer that does not know what that is', () => {
    opened(1)
    second.hears(data(11, 'later'))
    expect(second.sent()).toEqual(['ack 11'])
  })
})

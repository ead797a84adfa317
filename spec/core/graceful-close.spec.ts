// SPDX-License-Identifier: Apache-2.0
/** How the subflow of a removed path goes without losing a byte. */
import { describe, expect, it } from 'vitest'
import type { ScriptedSubflow } from '../support/scripted-core.js'
import { acks, CAPABLE, data, PING, ScriptedCore } from '../support/scripted-core.js'

const OPTIONS = { deadMs: 1000, keepAliveMs: 60_000 }

function retires(core: ScriptedCore, { subflow }: ScriptedSubflow): void {
  core.core.retireSubflow(subflow, 'removed', core.now)
  core.flush()
}

/** Two subflows that are up; the first has the shorter round trip. */
function two(...codes: readonly number[]) {
  const core = new ScriptedCore(OPTIONS)
  const first = core.joinUp({ rttMs: 5 }, ...codes)
  const second = core.joinUp({ rttMs: 20 }, ...codes)
  return { core, first, second }
}

/** Why the subflows closed, in order. */
function reasons({ changes }: ScriptedCore): (string | undefined)[] {
  return changes.filter(({ state }) => state === 'closed').map(({ reason }) => reason)
}

describe('a subflow that is to leave', () => {
  it('carries data until another is up, and then none any more', () => {
    const core = new ScriptedCore(OPTIONS)
    const first = core.joinUp({ rttMs: 5 })
    retires(core, first)
    const second = core.join({ rttMs: 20 })
    core.writes('one')
    expect(first.sentData()).toEqual([10])
    second.hears(acks(PING))
    core.writes('two')
    expect(second.sentData()).toEqual([11])
    expect(first.sentData()).toEqual([])
  })

  it('is ended at once where it carries nothing, and closed when the peer has ended it too', () => {
    const { core, first } = two()
    retires(core, first)
    expect([first.closed, reasons(core)]).toEqual(['half', []])
    first.loses()
    expect(reasons(core)).toEqual(['removed'])
    expect(core.isFinished).toBe(false)
  })

  it('is ended only when all that it carries is acked', () => {
    const { core, first } = two()
    core.writes('waits')
    expect(first.sentData()).toEqual([10])
    retires(core, first)
    expect(first.closed).toBeUndefined()
    first.hears(acks(10))
    expect(first.closed).toBe('half')
    expect(core.core.unflushedBytes).toBe(0)
  })

  it('asks a peer like Go for pongs as its last words, which take the place of data in its queue', () => {
    const { core, first } = two()
    retires(core, first)
    const sent = first.sent()
    expect(sent.length).toBeGreaterThan(1)
    expect(new Set(sent)).toEqual(new Set(['ping']))
    expect(first.subflow.pings.owedSince).toBeUndefined()
  })

  it('asks one of ours for none', () => {
    const { core, first } = two(CAPABLE)
    retires(core, first)
    expect([first.closed, first.sent()]).toEqual(['half', []])
  })

  it('says before its end what it still has to say', () => {
    const { core, first } = two()
    first.isStuck = true
    first.hears(acks(PING))
    first.hears(data(10, 'data'))
    retires(core, first)
    expect(first.closed).toBeUndefined()
    first.drains()
    expect(first.sent()).toContain('ack 10')
    expect(first.closed).toBe('half')
  })

  it('is read on after its end, and what it brings is acked on another', () => {
    const { core, first, second } = two()
    retires(core, first)
    first.sent()
    second.sent()
    first.hears(data(10, 'queued by Go'), acks(PING))
    expect(second.sent()).toEqual(['ack 10'])
    expect(first.sent()).toEqual([])
    expect(core.reads()).toBe('queued by Go')
  })

  it('carries data again where the other one goes before its end', () => {
    const { core, first, second } = two()
    core.writes('waits')
    retires(core, first)
    second.loses(new Error('gone'))
    core.writes('more')
    expect(first.sentData()).toEqual([10, 11])
    expect(reasons(core)).toEqual(['failed'])
  })

  it('is no connection by itself after its end', () => {
    const { core, first, second } = two()
    retires(core, first)
    second.loses(new Error('gone'))
    expect(first.closed).toBe('destroy')
    expect(core.isFinished).toBe(true)
    expect(core.error).toMatchObject({ multipathCode: 'ERR_MULTIPATH_INCOMPLETE' })
  })

  it('is no failure when the peer answers its end with a reset', () => {
    const { core, first, second } = two()
    retires(core, first)
    first.loses(new Error('reset'))
    expect(reasons(core)).toEqual(['removed'])
    // A peer like Go, whose end is no crash.
    second.hears(acks(PING))
    second.loses()
    expect(core.error).toBeUndefined()
  })

  it('keeps its turn when it is asked again', () => {
    const core = new ScriptedCore(OPTIONS)
    const [first, second] = [core.joinUp(), core.join()]
    for (const scripted of [first, second, first]) retires(core, scripted)
    second.hears(acks(PING))
    expect([first.closed, second.closed]).toEqual(['half', undefined])
  })

  it('goes in the order in which they were asked, and the last one stays', () => {
    const core = new ScriptedCore(OPTIONS)
    const [one, other, third] = [core.joinUp(), core.joinUp(), core.joinUp()]
    for (const scripted of [third, one, other]) retires(core, scripted)
    expect([one.closed, other.closed, third.closed]).toEqual(['half', undefined, 'half'])
  })

  it('is closed after the dead time where the peer does not end it, counted from what it brought last', () => {
    const { core, first, second } = two()
    const alive = (ms: number): void => {
      for (let at = 0; at < ms; at += 100) {
        core.passes(100)
        second.hears(acks(PING))
      }
    }
    retires(core, first)
    alive(900)
    first.hears(data(10, 'late'))
    alive(900)
    expect(reasons(core)).toEqual([])
    alive(200)
    expect([first.closed, reasons(core)]).toEqual(['destroy', ['removed']])
  })

  it('is closed soon where one of ours does not end it, since it sends again what is lost', () => {
    const { core, first } = two(CAPABLE)
    retires(core, first)
    core.passes(50)
    expect(reasons(core)).toEqual([])
    core.passes(100)
    expect([first.closed, reasons(core)]).toEqual(['destroy', ['removed']])
  })

  it('has no pings to answer and asks nothing after its end', () => {
    const { core, first } = two()
    retires(core, first)
    first.sent()
    for (let n = 0; n < 100_000; n++) core.core.receive(first.subflow, acks(PING), core.now)
    core.flush()
    expect(reasons(core)).toEqual([])
    expect(first.sent()).toEqual([])
  })
})

describe('a subflow that falls silent while it leaves', () => {
  function silent(...codes: readonly number[]) {
    const made = two(...codes)
    const { core, first, second } = made
    core.writes('lost')
    expect(first.sentData()).toEqual([10])
    retires(core, first)
    for (let n = 0; n < 20; n++) {
      core.passes(10)
      second.hears(acks(PING))
    }
    expect(second.sentData()).toEqual([10])
    return made
  }

  it('is closed at once towards one of ours, which sends again what is lost with it', () => {
    const { core, first } = silent(CAPABLE)
    expect([first.closed, reasons(core)]).toEqual(['destroy', ['removed']])
  })

  it('is waited for towards a peer like Go, which does not', () => {
    const { core, first, second } = silent()
    expect([first.closed, reasons(core)]).toEqual([undefined, []])
    first.hears(acks(10))
    expect(first.closed).toBe('half')
    second.hears(acks(10))
    expect(core.core.unflushedBytes).toBe(0)
  })
})

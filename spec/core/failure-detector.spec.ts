// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import { FailureDetector } from '../../lib/core/failure-detector.js'
import { CONN_OPTIONS } from '../../lib/core/options.js'
import { Peer } from '../../lib/core/peer-profile.js'
import { resolveOptions } from '../../lib/options.js'
import { SeededRandom } from '../../lib/testing/seeded-random.js'
import { delivers, lands, leaves, subflowOf } from '../support/flights.js'
import type { ScriptedSubflow } from '../support/scripted-core.js'
import { acks, PING, PONG, ScriptedCore } from '../support/scripted-core.js'

let core: ScriptedCore
beforeEach(() => {
  core = new ScriptedCore()
})

/** Passes time in which `subflow` answers each ping after `rttMs`. @returns when pings went out */
function answering(subflow: ScriptedSubflow, ms: number, rttMs = 5): number[] {
  const pings: number[] = []
  const answersAt: number[] = []
  for (const end = core.now + ms; core.now < end; ) {
    core.passes(5)
    for (const frame of subflow.sent())
      if (frame === 'ping') {
        pings.push(core.now)
        answersAt.push(core.now + rttMs)
      }
    while (answersAt[0] !== undefined && answersAt[0] <= core.now) {
      answersAt.shift()
      subflow.hears(acks(PONG))
    }
  }
  return pings
}

describe('an idle subflow', () => {
  it('is pinged about every keepAliveMs, with jitter', () => {
    const at = (chance: number): number => {
      core = new ScriptedCore({ keepAliveMs: 10_000 }, () => chance)
      const only = core.joinUp()
      const start = core.now
      core.passes(core.core.nextTickAt() - start)
      expect(only.sent()).toEqual(['ping'])
      return core.now - start
    }
    const waits = [0, 0.5, 0.999].map(at)
    expect(waits[0]).toBeGreaterThanOrEqual(5000)
    expect(waits[1]).toBe(10_000)
    expect(waits[2]).toBeLessThanOrEqual(15_000)
    expect(new Set(waits).size).toBe(3)
  })

  it('is pinged again and again while it answers, and stays up', () => {
    core = new ScriptedCore({ keepAliveMs: 1000 })
    const only = core.joinUp()
    expect(answering(only, 60_000).length).toBeGreaterThan(40)
    expect(core.states()).toEqual(['up'])
    expect(core.changes.map(({ state }) => state)).not.toContain('suspect')
  })

  it('is not pinged while bytes come in', () => {
    core = new ScriptedCore({ keepAliveMs: 1000 })
    const only = core.joinUp()
    for (let step = 0; step < 100; step++) {
      core.passes(500)
      only.hears(acks(PING))
    }
    expect(only.sent().filter((frame) => frame === 'ping')).toEqual([])
  })

  it('wakes us no more than keep-alive needs', () => {
    core = new ScriptedCore({ keepAliveMs: 15_000 })
    const only = core.joinUp()
    answering(only, 600_000)
    expect(core.ticks).toBeLessThan(150)
  })

  it('is suspect when a ping stays unanswered, though later than one that owes an ack', () => {
    core = new ScriptedCore({ keepAliveMs: 1000 })
    core.joinUp()
    core.passes(1001)
    core.passes(500)
    expect(core.states()).toEqual(['up'])
    core.passes(5000)
    expect(core.states()).toEqual(['suspect'])
  })
})

describe('a subflow that owes an ack', () => {
  it('is asked for a sign of life, then suspect, soon but not sooner than suspectMs', () => {
    core = new ScriptedCore({ suspectMs: 200 })
    const only = core.joinUp({ isDialer: true })
    answering(only, 0)
    core.writes('hello')
    core.passes(199)
    expect(only.sent()).toEqual(['data 10 5', 'ping'])
    expect(core.states()).toEqual(['up'])
    core.passes(100)
    expect(core.states()).toEqual(['suspect'])
  })

  it('is not suspect while anything else comes in', () => {
    const only = core.joinUp({ isDialer: true })
    core.writes('hello')
    for (let step = 0; step < 200; step++) {
      core.passes(20)
      only.hears(acks(PING))
    }
    expect(core.changes.map(({ state }) => state)).not.toContain('suspect')
  })

  it('is given longer where its round trips are long', () => {
    const only = core.joinUp({ isDialer: true, rttMs: 1400 })
    core.writes('hello')
    core.passes(1500)
    expect(only.subflow.state).toBe('up')
    expect(only.sentData()).toEqual([10])
    core.passes(10_000)
    expect(only.subflow.state).not.toBe('up')
  })

  it('has its data sent again elsewhere, at once', () => {
    const [first, second] = [core.joinUp({ isDialer: true }), core.joinUp({ isDialer: true, rttMs: 40 })]
    core.writes('hello')
    expect(first.sentData()).toEqual([10])
    for (let waited = 0; first.subflow.state === 'up' && waited < 3000; waited += 10) {
      core.passes(10)
      for (const frame of second.sent()) if (frame === 'ping') second.hears(acks(PONG))
    }
    expect(first.subflow.state).toBe('suspect')
    expect([...second.payloads.keys()]).toEqual([10])
    core.writes('and on')
    expect(second.sentData()).toEqual([11])
    expect(first.sentData()).toEqual([])
  })
})

describe('a suspect subflow', () => {
  /** Two frames sit on the first of two subflows, which is suspect; the second is stuck, so that both wait. */
  function suspect(): { first: ScriptedSubflow; second: ScriptedSubflow } {
    core = new ScriptedCore({ maxFrameBytes: 1000, deadMs: 5000 })
    const [first, second] = [core.joinUp({ isDialer: true }), core.joinUp({ isDialer: true, rttMs: 40 })]
    core.writes(new Uint8Array(2000))
    second.subflow.blocked(0)
    for (let waited = 0; first.subflow.state === 'up' && waited < 1000; waited += 10) {
      core.passes(10)
      second.hears(acks(PING))
    }
    expect(first.subflow.state).toBe('suspect')
    first.sent()
    return { first, second }
  }

  it('is pinged until it shows life, carries no data, and is up again at once then', () => {
    const { first } = suspect()
    core.writes('waits')
    core.passes(1000)
    const sent = first.sent()
    expect(new Set(sent)).toEqual(new Set(['ping']))
    expect(sent.length).toBeGreaterThan(2)
    first.hears(acks(PONG))
    expect(first.subflow.state).toBe('up')
    expect(first.sentData()).toEqual([12])
  })

  it('has resends that have not left dropped when it recovers', () => {
    const { first, second } = suspect()
    first.hears(acks(PONG))
    second.drains()
    expect(second.sentData()).toEqual([])
    first.hears(acks(10, 11))
    expect(core.core.unflushedBytes).toBe(0)
    expect(second.subflow.counters.framesRetransmitted).toBe(0)
  })

  it('is closed as silent after deadMs without a byte, not sooner', () => {
    const { first, second } = suspect()
    const heardAt = first.subflow.lastHeardAt
    for (let step = 0; first.subflow.state === 'suspect' && step < 1000; step++) {
      core.passes(10)
      second.hears(acks(PING))
    }
    expect(core.changes.at(-1)).toMatchObject({
      reason: 'silent',
      error: { code: 'ERR_MULTIPATH_SUBFLOW_DEAD' },
    })
    expect(core.now - heardAt).toBeGreaterThanOrEqual(5000)
    expect(core.now - heardAt).toBeLessThan(5200)
    second.drains()
    expect(second.sentData()).toEqual([10, 11])
  })

  it.each([
    ['a pong', acks(PONG)],
    ['an ack of what it carries', acks(10)],
  ])('recovers by %s', (_, answer) => {
    const { first } = suspect()
    first.hears(answer)
    expect(first.subflow.state).toBe('up')
  })

  it('does not take the length of its silence for its RTT', () => {
    const { first } = suspect()
    const { rtt } = first.subflow
    const before = rtt.smoothed!
    core.passes(3000)
    // What a kernel sends again arrives in one go.
    const pings = first.sent().filter((frame) => frame === 'ping')
    expect(pings.length).toBeGreaterThan(5)
    first.hears(acks(...pings.map(() => PONG), 10, 11))
    expect(first.subflow.state).toBe('up')
    // Of the last ping, no more is known than when it left.
    expect(rtt.smoothed!).toBeLessThan(before + 250 / 8 + 1)
  })

  it('is suspect again soon, though a frame that the silence held up is still to be acked', () => {
    const { first, second } = suspect()
    core.passes(1000)
    first.hears(acks(10))
    expect(first.subflow.state).toBe('up')
    for (let waited = 0; waited < 400; waited += 10) {
      core.passes(10)
      second.hears(acks(PING))
    }
    expect(first.subflow.state).toBe('suspect')
  })

  it('does not recover by what the peer says without being asked: that shows one direction alone', () => {
    const { first, second } = suspect()
    first.hears(acks(PING))
    core.passes(1)
    first.hears(acks(11 + 1000))
    expect(first.subflow.state).toBe('suspect')
    second.drains()
    expect(second.sentData()).toEqual([10, 11])
  })
})

describe('the last of many frames on a path', () => {
  it('goes out again soon after a full receiver dropped it, though all acks came after a long silence', () => {
    core = new ScriptedCore({ maxFrameBytes: 16_384, deadMs: 5000 })
    const [slow, other] = [
      core.joinUp({ isDialer: true, rttMs: 1 }),
      core.joinUp({ isDialer: true, rttMs: 40 }),
    ]
    let frames: number[] = []
    while (frames.length < 60) {
      slow.hears(acks(...frames))
      core.writes(new Uint8Array(1_048_576))
      frames = slow.sentData()
      core.passes(1)
    }
    other.isStuck = true
    other.subflow.blocked(0)
    for (let waited = 0; waited < 1000; waited += 20) {
      core.passes(20)
      other.hears(acks(PING))
    }
    expect(slow.subflow.state).toBe('suspect')
    slow.hears(acks(...frames.slice(0, -1)))
    const [from, again] = [core.now, slow.subflow.counters.framesRetransmitted]
    while (slow.subflow.counters.framesRetransmitted === again && core.now - from < 5000)
      answering(slow, 5, 0)
    expect(core.now - from).toBeLessThan(600)
    expect(slow.subflow.counters.framesRetransmitted - again).toBe(1)
  })
})

describe('a subflow that never shows life', () => {
  it('is closed after deadMs, without ever being suspect', () => {
    core = new ScriptedCore({ deadMs: 3000 })
    const first = core.joinUp()
    const second = core.join({ isDialer: true })
    for (let step = 0; step < 310; step++) {
      core.passes(10)
      first.hears(acks(PING))
    }
    expect(second.subflow.state).toBe('closed')
    expect(
      core.changes.filter(({ subflow }) => subflow === second.subflow).map(({ state }) => state),
    ).toEqual(['probing', 'closed'])
  })
})

describe('time that stood still for us', () => {
  it('is no silence of the path', () => {
    core = new ScriptedCore({ deadMs: 5000 })
    const only = core.joinUp({ isDialer: true })
    core.writes('hello')
    core.now += 60_000
    core.core.forgiveSilence(core.now)
    core.passes(0)
    expect(only.subflow.state).toBe('up')
  })

  it('is no round trip either', () => {
    const only = core.joinUp({ isDialer: true, rttMs: 30 })
    core.writes('hello')
    core.now += 60_000
    core.core.forgiveSilence(core.now)
    core.core.pingAll(core.now)
    core.flush()
    only.hears(acks(10))
    expect(only.subflow.rtt.smoothed).toBe(30)
    core.now += 40
    only.hears(acks(PONG))
    expect(only.subflow.rtt.smoothed).toBeLessThan(40)
    expect(only.subflow.rtt.smoothed).toBeGreaterThan(30)
  })
})

describe('pings', () => {
  it('are bounded while nothing answers', () => {
    core = new ScriptedCore({ deadMs: 3_600_000 })
    const only = core.joinUp()
    core.writes('hello')
    core.passes(600_000)
    expect(only.subflow.state).toBe('suspect')
    expect(only.sent().filter((frame) => frame === 'ping').length).toBeLessThan(200)
  })
})

describe('the next deadline of a subflow', () => {
  const liveness = new FailureDetector(resolveOptions(CONN_OPTIONS, { suspectMs: 60 }), new Peer(), () => 0.5)

  it.each([
    [20, 10],
    [400, 50],
  ])('is to ask: at %i ms round trip %i ms after it last sent, heard or asked', (rttMs, ms) => {
    const subflow = subflowOf(rttMs)
    leaves(subflow, 1000, 100)
    expect(liveness.next(subflow)).toEqual({ at: 1000 + ms, finding: 'ping' })
    subflow.pings.lastAt = 1020
    expect(liveness.next(subflow)).toEqual({ at: 1020 + ms, finding: 'ping' })
    subflow.lastHeardAt = 1030
    expect(liveness.next(subflow)).toEqual({ at: 1030 + ms, finding: 'ping' })
  })

  it('is suspicion once the oldest frame is overdue, but not while other bytes came in lately', () => {
    const subflow = subflowOf(10)
    leaves(subflow, 1000, 100)
    subflow.ping(1000)
    expect(liveness.next(subflow)).toEqual({ at: 1060, finding: 'suspect' })
    subflow.lastHeardAt = 1050
    expect(liveness.next(subflow)).toEqual({ at: 1110, finding: 'suspect' })
  })

  it('is suspicion later where the path is long, both for the frame and for other bytes', () => {
    const subflow = subflowOf(400)
    leaves(subflow, 1000, 100)
    subflow.ping(1000)
    expect(liveness.next(subflow).at).toBeCloseTo(1400, 1)
    subflow.lastHeardAt = 1300
    expect(liveness.next(subflow)).toEqual({ at: 1800, finding: 'suspect' })
  })

  it.each([
    [20, 1000],
    [1000, 3000],
  ])('is suspicion much later for a ping alone (%i ms)', (rttMs, ms) => {
    const subflow = subflowOf(rttMs)
    subflow.ping(1000)
    expect(liveness.next(subflow)).toEqual({ at: 1000 + ms, finding: 'suspect' })
  })

  it('is never sooner than is said without looking closely', () => {
    const { random } = new SeededRandom(7)
    const upTo = (most: number): number => Math.floor(random() * most)
    let told = 0
    for (let i = 0; i < 2000; i++) {
      const options = { suspectMs: 10 + upTo(5000), deadMs: 100 + upTo(2000), keepAliveMs: 10 + upTo(100) }
      const detector = new FailureDetector(resolveOptions(CONN_OPTIONS, options), new Peer(), () => random())
      const subflow = subflowOf(1 + upTo(500))
      if (random() < 0.8) leaves(subflow, 1000 + upTo(300), 100)
      if (random() < 0.5) subflow.ping(1000 + upTo(300))
      if (random() < 0.3) subflow.pings.answeredSentAt = 1000 + upTo(300)
      subflow.pings.lastAt = upTo(1300)
      subflow.lastHeardAt = 1000 + upTo(300)
      const notBefore = detector.notBefore(subflow)
      if (notBefore > subflow.lastHeardAt) told++
      expect(detector.next(subflow).at).toBeGreaterThanOrEqual(notBefore)
    }
    expect(told).toBeGreaterThan(500)
  })

  it('is a full peer only once the ack is overdue: the pong may have come first by chance', () => {
    const subflow = subflowOf(20)
    leaves(subflow, 1000, 100)
    subflow.pings.answeredSentAt = 1010
    subflow.ping(1010)
    expect(liveness.next(subflow)).toEqual({ at: 1060, finding: 'peer-full' })
  })

  it('is a full peer counted from the last ack before it, however slow the path is thought to be', () => {
    const subflow = subflowOf(20)
    delivers(subflow, 0, 100, 100)
    const before = leaves(subflow, 1000, 100_000, 10)
    leaves(subflow, 1000, 100, 11)
    lands(subflow, before, 1500, false)
    subflow.pings.answeredSentAt = 1010
    subflow.lastHeardAt = 1510
    subflow.ping(1510)
    expect(liveness.next(subflow)).toEqual({ at: 1560, finding: 'peer-full' })
  })

  it.each([
    [20, 250],
    [2000, 1000],
  ])('is to ask a suspect again, seldom where the path is long (%i ms)', (rttMs, ms) => {
    const subflow = subflowOf(rttMs)
    subflow.moveTo('suspect')
    subflow.ping(1000)
    expect(liveness.next(subflow)).toEqual({ at: 1000 + ms, finding: 'ping' })
  })

  it('is a keep-alive drawn anew each time', () => {
    const chances = [0, 1]
    const drawing = new FailureDetector(
      resolveOptions(CONN_OPTIONS, { keepAliveMs: 10_000 }),
      new Peer(),
      () => chances.shift()!,
    )
    const subflow = subflowOf(20)
    expect(drawing.next(subflow).at).toBe(7500)
    expect(drawing.next(subflow).at).toBe(7500)
    subflow.ping(7500)
    subflow.ponged(7520)
    subflow.lastHeardAt = 7520
    expect(drawing.next(subflow).at).toBe(7520 + 12_500)
  })
})

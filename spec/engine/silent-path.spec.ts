// SPDX-License-Identifier: Apache-2.0
/** A path that falls silent, comes back, or breaks: what is sent again, where, and how soon. */
import { describe, expect, it, test, vi } from 'vitest'
import { DATAGRAM_TABLE } from '../../lib/core/datagrams/datagram-options.js'
import { resolveOptions } from '../../lib/options.js'
import { corePair, goPair } from '../support/core-pair.js'
import { expectNoLoss } from '../support/expect-no-loss.js'

// Minutes of virtual time are seconds of a busy machine's.
vi.setConfig({ testTimeout: 60_000 })

const MIB = 1_048_576
const TWO = [
  { rateMbps: 50, delayMs: 10 },
  { rateMbps: 50, delayMs: 20 },
]

describe('a path that falls silent after a small message', () => {
  it.each([
    [1, 60_000, 10],
    [5, 28_000, 5],
    [5, 28_000, 40],
  ])('of %i byte holds up the next %i bytes hardly longer than any (%i ms)', (small, large, delayMs) => {
    const links = [delayMs, delayMs + 15].map((delay) => ({ rateMbps: 50, delayMs: delay }))
    const pair = corePair({ links })
    pair.near.write(small)
    pair.advance(2000)
    // Of its rate, nothing is known but that it brought so much in a round trip.
    pair.near.write(large)
    pair.links[0]!.freeze()
    const from = pair.clock.now()
    pair.advanceUntil(() => pair.far.received.bytes === small + large)
    expect(pair.clock.now() - from).toBeLessThan(200)
  })
})

describe('a path that falls silent after a small datagram', () => {
  it('holds up a larger write hardly longer than any', () => {
    const pair = corePair({ links: TWO })
    pair.advance(500)
    pair.near.core.datagrams.send(new Uint8Array(5), resolveOptions(DATAGRAM_TABLE, {}), pair.clock.now())
    pair.near.flush()
    pair.advance(2000)
    pair.near.write(28_000)
    pair.links[0]!.freeze()
    const from = pair.clock.now()
    pair.advanceUntil(() => pair.far.received.bytes === 28_000)
    expect(pair.clock.now() - from).toBeLessThan(200)
  })
})

describe('a path that falls silent under bulk', () => {
  it('is suspect soon, and what it carried reaches the reader over the other at once', () => {
    const { near, far, links, clock, advance } = corePair({ links: TWO })
    near.write(100 * MIB)
    advance(2000)
    far.longestWaitMs = 0
    const frozenAt = clock.now()
    links[0]!.freeze()
    advance(2000)
    const suspicion = near.changes.find(
      ({ state, subflow }) => state === 'suspect' && subflow.label === 'link 0',
    )
    expect(suspicion!.at - frozenAt).toBeLessThan(250)
    expect(far.longestWaitMs).toBeLessThan(400)
    expect(near.states()).toEqual(['suspect', 'up'])
    // Nothing but what was on its way was sent again.
    expect(near.sum('bytesRetransmitted')).toBeLessThan(600_000)
    expect(far.received.wrongAt).toBeUndefined()
  })

  it('leaves the other path nearly its whole rate meanwhile', () => {
    const { near, far, links, advance } = corePair({ links: TWO })
    near.write(100 * MIB)
    advance(2000)
    links[0]!.freeze()
    advance(200)
    const before = far.received.bytes
    advance(3000)
    expect(((far.received.bytes - before) * 8) / 1000 / 3000).toBeGreaterThan(0.9 * 50)
  })

  it('carries data again after its return, without needless resending', () => {
    const { near, far, links, advance, join } = corePair({ links: TWO })
    near.write(100 * MIB)
    advance(1000)
    links[0]!.freeze()
    advance(1000)
    links[0]!.thaw()
    // The dialer's standby, since the old stream waits for its TCP.
    const standby = join(0)
    advance(600)
    const resent = near.sum('bytesRetransmitted')
    const before = near.joined.map(({ counters }) => counters.bytesSent)
    advance(1000)
    const after = near.joined.map(({ counters }) => counters.bytesSent)
    const grown = after.map((bytes, index) => bytes - before[index]!)
    expect(grown[0]! + grown[2]!).toBeGreaterThan(2_000_000)
    expect(grown[1]).toBeGreaterThan(4_000_000)
    expect(near.sum('bytesRetransmitted') - resent).toBeLessThan(200_000)
    expect(standby.near.state).toBe('up')
    expect(far.received.wrongAt).toBeUndefined()
  })

  it('carries its share again soon after its own TCP goes on, where no standby subflow came first', () => {
    const { near, links, advance, advanceUntil } = corePair({ links: TWO, options: { deadMs: 60_000 } })
    near.write(1000 * MIB)
    advance(2000)
    links[0]!.freeze()
    advance(3000)
    links[0]!.thaw()
    advanceUntil(() => near.states()[0] === 'up')
    advance(700)
    const before = near.joined[0]!.counters.bytesSent
    advance(1000)
    expect(((near.joined[0]!.counters.bytesSent - before) * 8) / 1e6).toBeGreaterThan(0.8 * 50)
  })

  it('is not needlessly sent again where it comes back before anything left', () => {
    const { near, far, links, advance, advanceUntil } = corePair({
      links: [{ rateMbps: 50, delayMs: 10 }],
    })
    near.write(MIB)
    advance(50)
    links[0]!.freeze()
    advance(1000)
    expect(near.states()).toEqual(['suspect'])
    links[0]!.thaw()
    advanceUntil(() => far.received.bytes === MIB)
    expect(near.sum('framesRetransmitted')).toBe(0)
    expect(near.states()).toEqual(['up'])
  })

  it('is closed after the dead time where another lives, and takes nothing with it', () => {
    const { near, far, links, advance, advanceUntil } = corePair({ links: TWO, options: { deadMs: 3000 } })
    near.write(20 * MIB)
    advance(200)
    links[0]!.freeze()
    advanceUntil(() => near.states()[0] === 'closed', 10_000)
    expect(near.changes.find(({ state }) => state === 'closed')).toMatchObject({ reason: 'silent' })
    advanceUntil(() => far.received.bytes === 20 * MIB)
    expect(far.received.wrongAt).toBeUndefined()
  })

  it('costs an error where it was the only one', () => {
    const { near, far, links, advance, advanceUntil } = corePair({
      links: TWO.slice(1),
      options: { deadMs: 3000, holdMs: 0 },
    })
    near.write(20 * MIB)
    advance(200)
    links[0]!.freeze()
    advanceUntil(() => near.finishedAt !== undefined && far.finishedAt !== undefined, 30_000)
    expect(near.error?.multipathCode).toBe('ERR_MULTIPATH_UNACKED')
    expect(far.error?.multipathCode).toBe('ERR_MULTIPATH_INCOMPLETE')
  })
})

describe('a path that falls silent one way', () => {
  test.each(['there', 'back'] as const)('is suspect as well: %s', (way) => {
    const { near, far, links, advance, advanceUntil } = corePair({ links: TWO })
    near.write(30 * MIB)
    advance(500)
    links[0]!.freeze(way)
    advance(1000)
    expect(near.states()).toEqual(['suspect', 'up'])
    advanceUntil(() => far.received.bytes === 30 * MIB)
    expect(far.received.wrongAt).toBeUndefined()
  })
})

describe('a path that falls silent between small messages', () => {
  it('delays the next one by little more than suspectMs', () => {
    const { near, far, links, advance } = corePair({ links: TWO })
    for (let message = 0; message < 100; message++) {
      near.write(200)
      advance(5)
    }
    links[0]!.freeze()
    near.write(200)
    advance(150)
    expect(far.received.bytes).toBe(101 * 200)
    expect(near.states()).toEqual(['suspect', 'up'])
  })
})

describe('a path that breaks', () => {
  it('in the middle of a frame costs nothing but sending it again', () => {
    const { near, far, links, advance, advanceUntil } = corePair({ links: TWO })
    near.write(10 * MIB)
    advance(333)
    links[0]!.reset()
    advanceUntil(() => far.received.bytes === 10 * MIB)
    expect(near.states()).toEqual(['closed', 'up'])
    expect(far.received.wrongAt).toBeUndefined()
    expect(near.sum('bytesRetransmitted')).toBeLessThan(MIB)
  })

  it('towards a Go peer costs no more', () => {
    const { near, go, links, advance, advanceUntil } = goPair({ links: TWO })
    near.write(10 * MIB)
    advance(333)
    links[0]!.reset()
    advanceUntil(() => go.received.bytes === 10 * MIB)
    expect(go.received.wrongAt).toBeUndefined()
    expect(near.sum('bytesRetransmitted')).toBeLessThan(MIB)
  })
})

describe('paths that are merely long, jittery or lossy', () => {
  test.each([
    [600, { rateMbps: 20, delayMs: 300, queueBytes: 2_000_000 }],
    [1400, { rateMbps: 10, delayMs: 700, queueBytes: 2_000_000 }],
  ])('of %i ms round trip have nothing sent again', (_rtt, link) => {
    const { near, far, advanceUntil } = corePair({ links: [link], options: { maxUnackedBytes: 64 * MIB } })
    near.write(8 * MIB)
    far.write(2 * MIB)
    near.end()
    far.end()
    advanceUntil(() => near.finishedAt !== undefined && far.finishedAt !== undefined)
    expect(far.received.bytes).toBe(8 * MIB)
    expect(near.received.bytes).toBe(2 * MIB)
    expectNoLoss(near, far)
  })

  it('of 600 and 1,400 ms have nothing sent again where they are used together', () => {
    const { near, far, advanceUntil } = corePair({
      links: [
        { rateMbps: 20, delayMs: 300, queueBytes: 1_000_000 },
        { rateMbps: 10, delayMs: 700, queueBytes: 1_000_000 },
      ],
    })
    near.write(16 * MIB)
    advanceUntil(() => far.received.bytes === 16 * MIB)
    expect(near.sum('bytesRetransmitted')).toBeLessThanOrEqual(0.01 * 16 * MIB)
    expect(near.changes.map(({ state }) => state)).not.toContain('suspect')
  })

  it('of 600 and 1,400 ms have nothing sent again towards a Go peer', () => {
    const { near, go, advanceUntil } = goPair({
      links: [
        { rateMbps: 20, delayMs: 300, queueBytes: 1_000_000 },
        { rateMbps: 10, delayMs: 700, queueBytes: 1_000_000 },
      ],
    })
    near.write(16 * MIB)
    advanceUntil(() => go.received.bytes === 16 * MIB)
    expect(near.sum('bytesRetransmitted')).toBeLessThanOrEqual(0.01 * 16 * MIB)
  })

  it('with jitter and losses that TCP repairs are seldom suspected', () => {
    const { near, far, advanceUntil } = corePair({
      links: [
        { rateMbps: 50, delayMs: 10, jitterMs: 5, lossRate: 0.01 },
        { rateMbps: 50, delayMs: 20, jitterMs: 5, lossRate: 0.01 },
      ],
    })
    near.write(40 * MIB)
    advanceUntil(() => far.received.bytes === 40 * MIB)
    expect(near.sum('bytesRetransmitted')).toBeLessThan(0.02 * 40 * MIB)
  })

  test.each([0.4, 1, 2])(
    'of %d Mbit/s, where a frame takes longer than suspectMs, are soon known as that',
    (rateMbps) => {
      const { near, far, advance, clock } = corePair({
        links: [
          { rateMbps: 30, delayMs: 10 },
          { rateMbps, delayMs: 10 },
        ],
      })
      near.write(1000 * MIB)
      advance(8000)
      const [resent, bytes, from] = [near.sum('bytesRetransmitted'), far.received.bytes, clock.now()]
      advance(5000)
      expect(near.sum('bytesRetransmitted')).toBe(resent)
      expect(resent).toBeLessThan(300_000)
      expect(near.changes.filter(({ at, state }) => at > from && state === 'suspect')).toEqual([])
      expect(((far.received.bytes - bytes) * 8) / 5e6).toBeGreaterThan(0.98 * 30)
    },
  )

  it('that are idle are never suspected', () => {
    const { near, far, advance } = corePair({ links: TWO })
    for (let minute = 0; minute < 30; minute++) {
      near.write(100)
      advance(60_000)
    }
    expectNoLoss(near, far)
  })
})

describe('a path that pauses 150 ms each second', () => {
  /** Slow, since this takes half a minute. */
  const links = TWO.map((link) => ({ ...link, rateMbps: link.rateMbps / 5 }))

  /** Pauses both ways for so many seconds. @returns suspicions, and bytes sent again */
  function pauses(pair: ReturnType<typeof corePair>, seconds: number) {
    const { near, links, advance } = pair
    const [changes, resent] = [near.changes.length, near.sum('bytesRetransmitted')]
    for (let second = 0; second < seconds; second++) {
      links[0]!.freeze()
      advance(150)
      links[0]!.thaw()
      advance(850)
    }
    const suspicions = near.changes.slice(changes).filter(({ state }) => state === 'suspect').length
    return { suspicions, resent: near.sum('bytesRetransmitted') - resent }
  }

  it('is suspected once or twice, and then given the time that it takes', () => {
    const pair = corePair({ links })
    pair.near.write(1000 * MIB)
    pair.advance(2000)
    expect(pauses(pair, 3).suspicions).toBeLessThanOrEqual(2)
    const sent = pair.near.sum('bytesSent')
    const { suspicions, resent } = pauses(pair, 20)
    expect(suspicions).toBe(0)
    // What the reader starves for goes out again all the same, within its share.
    expect(resent).toBeLessThan(0.02 * (pair.near.sum('bytesSent') - sent))
    expect(pair.near.states()).toEqual(['up', 'up'])
  })

  it('is found as soon as any other once it has been calm for half a minute', () => {
    const pair = corePair({ links })
    const { near, clock, advance, advanceUntil } = pair
    const noticed = (): number => {
      const from = clock.now()
      pair.links[0]!.freeze()
      advanceUntil(() => near.states()[0] === 'suspect')
      return clock.now() - from
    }
    near.write(1000 * MIB)
    advance(2000)
    pauses(pair, 4)
    advance(31_000)
    expect(noticed()).toBeLessThan(110)
  })

  it('is not given more time by an outage that a suspicion was right about', () => {
    const { near, links, clock, advance, advanceUntil } = corePair({
      links: TWO,
      options: { deadMs: 60_000 },
    })
    near.write(1000 * MIB)
    advance(2000)
    links[0]!.freeze()
    advance(2000)
    links[0]!.thaw()
    advanceUntil(() => near.states()[0] === 'up')
    advance(2000)
    const from = clock.now()
    links[0]!.freeze()
    advanceUntil(() => near.states()[0] === 'suspect')
    expect(clock.now() - from).toBeLessThan(110)
  })
})

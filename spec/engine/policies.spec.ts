// SPDX-License-Identifier: Apache-2.0
/** Weights, tiers and caps over time, and switching between schedulers. */
import { describe, expect, it, vi } from 'vitest'
import type { Scheduler } from '../../lib/core/scheduler.js'
import { hybrid } from '../../lib/core/schedulers/hybrid.js'
import { lowestRtt } from '../../lib/core/schedulers/lowest-rtt.js'
import { schedulers } from '../../lib/core/schedulers/by-name.js'
import { redundant } from '../../lib/core/schedulers/redundant.js'
import { roundRobin } from '../../lib/core/schedulers/round-robin.js'
import { weighted } from '../../lib/core/schedulers/weighted.js'
import type { CorePair } from '../support/core-pair.js'
import { corePair, goPair } from '../support/core-pair.js'
import { expectNoLoss } from '../support/expect-no-loss.js'
import { offers, sentBy, sharesSince } from '../support/offered.js'

// Minutes of virtual time are seconds of a busy machine's.
vi.setConfig({ testTimeout: 60_000 })

const MIB = 1_048_576
const EVEN = [
  { rateMbps: 50, delayMs: 5 },
  { rateMbps: 50, delayMs: 20 },
]
const WATERFALL = {
  links: [
    { rateMbps: 20, delayMs: 10 },
    { rateMbps: 20, delayMs: 20 },
    { rateMbps: 20, delayMs: 40 },
  ],
  policies: [{ tier: 'primary' }, { tier: 'secondary' }, { tier: 'backup' }],
} as const

describe('the scheduler weighted', () => {
  it('shares by weight, though the paths could carry more', () => {
    const pair = corePair({ links: EVEN, scheduler: weighted, policies: [{ weight: 3 }, { weight: 1 }] })
    pair.near.write(1000 * MIB)
    pair.advance(2000)
    const before = sentBy(pair.near)
    pair.advance(4000)
    expect(sharesSince(pair.near, before)['link 0']).toBeCloseTo(0.75, 2)
    expectNoLoss(pair.near, pair.far)
  })

  it('gives a path that comes back no more than its share', () => {
    const pair = corePair({ links: EVEN, scheduler: weighted })
    offers(pair, 20, 1000)
    pair.links[0]!.freeze()
    offers(pair, 20, 3000)
    pair.links[0]!.thaw()
    pair.join(0)
    offers(pair, 20, 500)
    const before = sentBy(pair.near)
    offers(pair, 20, 2000)
    expect(sharesSince(pair.near, before)['link 0']).toBeLessThan(0.7)
    expect(pair.far.received.wrongAt).toBeUndefined()
  })
})

describe('the scheduler round-robin', () => {
  it('gives each path a frame in turn while all have room', () => {
    const pair = corePair({ links: EVEN, scheduler: roundRobin })
    pair.advance(200)
    for (let message = 0; message < 100; message++) {
      pair.near.write(100)
      pair.advance(60)
    }
    expect(pair.near.joined.map(({ counters }) => counters.framesSent)).toEqual([50, 50])
  })
})

describe('tiers', () => {
  it('leave what the first can carry to the first', () => {
    const pair = corePair(WATERFALL)
    pair.advance(300)
    const before = sentBy(pair.near)
    offers(pair, 15, 10_000)
    expect(sharesSince(pair.near, before)['link 0']).toBeGreaterThanOrEqual(0.99)
    expectNoLoss(pair.near, pair.far)
  })

  it('use the secondary when the primary is full, and no further', () => {
    const pair = corePair(WATERFALL)
    pair.advance(300)
    const before = sentBy(pair.near)
    offers(pair, 35, 10_000)
    const shares = sharesSince(pair.near, before)
    expect(shares['link 2']).toBeLessThan(0.01)
    expect(shares['link 1']).toBeGreaterThan(0.3)
    // All that was offered went through.
    pair.advance(1000)
    expect(pair.far.received.bytes).toBe(pair.near.written)
    expectNoLoss(pair.near, pair.far)
  })

  it('use all but the backup when the application waits for room', () => {
    const pair = corePair(WATERFALL)
    pair.near.write(100 * MIB)
    pair.advance(3000)
    const before = pair.far.received.bytes
    pair.advance(3000)
    expect(((pair.far.received.bytes - before) * 8) / 3e6).toBeGreaterThan(0.95 * 40)
    expect(sentBy(pair.near)['link 2']).toBe(0)
    expectNoLoss(pair.near, pair.far)
  })

  it('use the backup once all the others are silent, paused or gone', () => {
    const lose: Record<string, (pair: CorePair, index: number) => void> = {
      silent: (pair, index) => {
        pair.links[index]!.freeze()
      },
      paused: (pair, index) => {
        pair.near.joined[index]!.path.isPaused = true
        pair.near.flush()
      },
      gone: (pair, index) => {
        pair.links[index]!.reset()
      },
    }
    for (const [how, loseOne] of Object.entries(lose)) {
      const pair = corePair(WATERFALL)
      offers(pair, 15, 2000)
      loseOne(pair, 0)
      offers(pair, 15, 1000)
      expect(sentBy(pair.near)['link 2'], how).toBe(0)
      pair.far.longestWaitMs = 0
      loseOne(pair, 1)
      offers(pair, 15, 1000)
      expect(pair.far.longestWaitMs, how).toBeLessThan(300)
      expect(sentBy(pair.near)['link 2'], how).toBeGreaterThan(1_000_000)
    }
  })

  it('put no probe of a full receiver on the backup, though it be the fastest', () => {
    const pair = corePair({ links: EVEN, policies: [{ tier: 'backup' }], options: { maxUnreadBytes: MIB } })
    pair.advance(300)
    pair.far.readBytesPerMs = 0
    pair.near.write(4 * MIB)
    pair.advance(20_000)
    expect(sentBy(pair.near)['link 0']).toBe(0)
  })

  it('give up the first at once when it falls silent, and use it again when it is back', () => {
    const pair = corePair(WATERFALL)
    offers(pair, 15, 2000)
    pair.far.longestWaitMs = 0
    pair.links[0]!.freeze()
    offers(pair, 15, 3000)
    expect(pair.far.longestWaitMs).toBeLessThan(300)
    pair.links[0]!.thaw()
    pair.join(0)
    offers(pair, 15, 1000)
    const before = sentBy(pair.near)
    offers(pair, 15, 1000)
    expect(sharesSince(pair.near, before)['link 0']).toBeGreaterThan(0.9)
    expect(pair.far.received.wrongAt).toBeUndefined()
  })

  it('leave a backup nothing but keep-alives, copies included', () => {
    const pair = corePair({ ...WATERFALL, scheduler: schedulers.redundant })
    pair.advance(300)
    offers(pair, 5, 5000)
    expect(sentBy(pair.near)).toMatchObject({ 'link 1': 0, 'link 2': 0 })
  })

  it('hold towards a Go peer', () => {
    const pair = goPair(WATERFALL)
    pair.advance(500)
    const before = sentBy(pair.near)
    for (let passed = 0; passed < 3000; passed += 5) {
      pair.near.write(9375)
      pair.advance(5)
    }
    expect(sharesSince(pair.near, before)['link 0']).toBeGreaterThanOrEqual(0.99)
  })

  it('change on a live connection', () => {
    const pair = corePair(WATERFALL)
    offers(pair, 10, 1000)
    pair.near.joined[0]!.path.set({ tier: 'backup' })
    pair.near.joined[1]!.path.set({ tier: 'primary' })
    const before = sentBy(pair.near)
    offers(pair, 10, 3000)
    expect(sharesSince(pair.near, before)['link 1']).toBeGreaterThan(0.95)
  })
})

describe('a byte cap', () => {
  it('is reached to the byte and not passed, and the connection goes on', () => {
    const pair = corePair({ links: EVEN, policies: [{ maxBytes: 2 * MIB }] })
    pair.near.write(20 * MIB)
    pair.advanceUntil(() => pair.far.received.bytes === 20 * MIB)
    expect(sentBy(pair.near)['link 0']).toBe(2 * MIB)
    expect(pair.near.states()).toEqual(['up', 'up'])
    expectNoLoss(pair.near, pair.far)
  })

  it('holds what waits where no path has any left, until it is raised', () => {
    const pair = corePair({ links: [EVEN[0]!], policies: [{ maxBytes: 100_000 }] })
    pair.near.write(200_000)
    pair.advance(20_000)
    expect(pair.far.received.bytes).toBe(100_000)
    pair.near.joined[0]!.path.set({ maxBytes: 300_000 })
    pair.near.flush()
    pair.advance(1000)
    expect(pair.far.received.bytes).toBe(200_000)
  })

  it('counts what subflows before it sent on the same path', () => {
    const pair = corePair({ links: EVEN, policies: [{ maxBytes: MIB }] })
    pair.near.write(MIB / 2)
    pair.advance(1000)
    pair.links[0]!.cut()
    pair.advance(100)
    pair.join(0)
    pair.near.write(20 * MIB)
    pair.advance(5000)
    expect(sentBy(pair.near)['link 0']).toBeLessThanOrEqual(MIB)
    expect(pair.far.received.bytes).toBe(20.5 * MIB)
  })
})

describe('a rate cap', () => {
  it('is kept, and filled', () => {
    const pair = corePair({ links: [EVEN[0]!], policies: [{ maxBytesPerSecond: 1_000_000 }] })
    pair.near.write(100 * MIB)
    pair.advance(1000)
    const before = pair.far.received.bytes
    pair.advance(5000)
    expect(pair.far.received.bytes - before).toBeGreaterThan(0.98 * 5_000_000)
    expect(pair.far.received.bytes - before).toBeLessThan(1.02 * 5_000_000)
    expectNoLoss(pair.near, pair.far)
  })

  it('leaves the rest to the other path', () => {
    const pair = corePair({ links: EVEN, policies: [{ maxBytesPerSecond: 500_000 }] })
    pair.near.write(1000 * MIB)
    pair.advance(2000)
    const before = pair.far.received.bytes
    pair.advance(4000)
    expect(((pair.far.received.bytes - before) * 8) / 4e6).toBeGreaterThan(0.95 * 54)
  })

  it('makes a tier full', () => {
    const pair = corePair({
      links: EVEN,
      policies: [{ maxBytesPerSecond: 1_000_000 }, { tier: 'secondary' }],
    })
    offers(pair, 16, 5000)
    pair.advance(1000)
    expect(pair.far.received.bytes).toBe(pair.near.written)
    expect(sentBy(pair.near)['link 0']).toBeGreaterThan(0.9 * 5_000_000)
  })
})

describe('switching the scheduler', () => {
  const rate = (all: readonly Scheduler[]): number => {
    const pair = corePair({ links: EVEN })
    pair.near.write(1000 * MIB)
    pair.advance(2000)
    const before = pair.far.received.bytes
    for (let step = 0; step < 50; step++) {
      pair.near.core.setScheduler(all[step % all.length]!)
      pair.near.flush()
      pair.advance(100)
    }
    expectNoLoss(pair.near, pair.far)
    return pair.far.received.bytes - before
  }

  it('every 100 ms under load loses nothing, and next to no rate among those that stripe', () => {
    expect(rate([lowestRtt, hybrid, weighted, roundRobin])).toBeGreaterThan(0.95 * rate([lowestRtt]))
  })

  it('to copies and back costs what copies cost meanwhile, and loses nothing', () => {
    // Half of the time half of the rate is copies.
    expect(rate([lowestRtt, redundant])).toBeGreaterThan(0.95 * 0.75 * rate([lowestRtt]))
  })
})

// SPDX-License-Identifier: Apache-2.0
/** Copies: what goes on every path, what they spare, and what they must not cost. */
import { describe, expect, it, vi } from 'vitest'
import { hybrid } from '../../lib/core/schedulers/hybrid.js'
import { lowestRtt } from '../../lib/core/schedulers/lowest-rtt.js'
import { redundant } from '../../lib/core/schedulers/redundant.js'
import type { Scheduler } from '../../lib/core/scheduler.js'
import type { CorePair } from '../support/core-pair.js'
import { corePair, goPair } from '../support/core-pair.js'
import { expectNoLoss } from '../support/expect-no-loss.js'

// Minutes of virtual time are seconds of a busy machine's.
vi.setConfig({ testTimeout: 60_000 })

const MIB = 1_048_576
const FAST_AND_SLOW = [
  { rateMbps: 50, delayMs: 5 },
  { rateMbps: 50, delayMs: 20 },
]

/** Writes 200 bytes every 5 ms for `ms` milliseconds. */
function chatters({ near, advance }: CorePair, ms: number): void {
  for (let passed = 0; passed < ms; passed += 5) {
    near.write(200)
    advance(5)
  }
}

const copied = (pair: Pick<CorePair, 'near'>): number => pair.near.sum('bytesCopied')

describe('the scheduler redundant', () => {
  it('sends every small message on every path, once on each', () => {
    const pair = corePair({ links: FAST_AND_SLOW, scheduler: redundant })
    pair.advance(200)
    chatters(pair, 1000)
    pair.advance(200)
    expect(pair.near.joined.map(({ counters }) => counters.bytesSent)).toEqual([40_000, 40_000])
    expect(copied(pair)).toBe(40_000)
    expect(pair.far.received.bytes).toBe(40_000)
    expectNoLoss(pair.near, pair.far)
  })

  it('loses not one round trip when the best path falls silent, nor when it breaks', () => {
    for (const strike of ['freeze', 'cut'] as const) {
      const pair = corePair({ links: FAST_AND_SLOW, scheduler: redundant })
      pair.advance(200)
      chatters(pair, 500)
      pair.far.longestWaitMs = 0
      pair.links[0]![strike]()
      chatters(pair, 500)
      // 15 ms longer is the other path.
      expect(pair.far.longestWaitMs).toBeLessThanOrEqual(5 + 15 + 1)
      expect(pair.near.sum('bytesRetransmitted')).toBe(0)
      expect(pair.far.received.wrongAt).toBeUndefined()
    }
  })

  it('carries bulk as fast as the fastest path, whatever the others do', () => {
    const links = [
      { rateMbps: 20, delayMs: 10 },
      { rateMbps: 50, delayMs: 20 },
      { rateMbps: 1, delayMs: 300 },
    ]
    const pair = corePair({ links, scheduler: redundant })
    pair.near.write(1000 * MIB)
    pair.advance(2000)
    const before = pair.far.received.bytes
    pair.advance(5000)
    expect(((pair.far.received.bytes - before) * 8) / 5e6).toBeGreaterThan(0.95 * 50)
    expectNoLoss(pair.near, pair.far)
  })

  it('is not held up by a path that takes nothing at all', () => {
    const pair = corePair({ links: FAST_AND_SLOW, scheduler: redundant })
    pair.advance(200)
    pair.links[1]!.freeze()
    pair.near.write(20 * MIB)
    pair.advance(1000)
    pair.far.longestWaitMs = 0
    pair.advance(2000)
    expect(pair.far.longestWaitMs).toBeLessThan(50)
  })

  it('ends in order with every byte, copies under way or not', () => {
    const pair = corePair({ links: FAST_AND_SLOW, scheduler: redundant })
    pair.near.write(3 * MIB)
    pair.near.end()
    pair.far.end()
    pair.advanceUntil(() => pair.far.finishedAt !== undefined && pair.near.finishedAt !== undefined)
    expect(pair.far.received.bytes).toBe(3 * MIB)
    expectNoLoss(pair.near, pair.far)
  })

  it('works towards a Go peer, which acks every copy', () => {
    const pair = goPair({ links: FAST_AND_SLOW, scheduler: redundant })
    pair.advance(300)
    pair.near.write(MIB)
    pair.advanceUntil(() => pair.near.core.unflushedBytes === 0)
    pair.advance(500)
    expect(copied(pair)).toBeGreaterThan(0.1 * MIB)
    expect(pair.near.joined.map(({ inFlightBytes }) => inFlightBytes)).toEqual([0, 0])
    expect(pair.near.sum('bytesRetransmitted')).toBe(0)
  })
})

describe('the scheduler hybrid', () => {
  it('sends small messages on every path while there is nothing else', () => {
    const pair = corePair({ links: FAST_AND_SLOW, scheduler: hybrid })
    pair.advance(200)
    chatters(pair, 1000)
    expect(copied(pair)).toBe(40_000)
    pair.far.longestWaitMs = 0
    pair.links[0]!.freeze()
    chatters(pair, 500)
    expect(pair.far.longestWaitMs).toBeLessThanOrEqual(21)
  })

  it('stripes bulk as lowest-rtt does', () => {
    const rateWith = (scheduler: Scheduler): number => {
      const pair = corePair({ links: FAST_AND_SLOW, scheduler })
      pair.near.write(1000 * MIB)
      pair.advance(2000)
      const before = pair.far.received.bytes
      pair.advance(3000)
      expect(copied(pair)).toBeLessThan(20_000)
      return pair.far.received.bytes - before
    }
    expect(rateWith(hybrid)).toBeGreaterThan(0.99 * rateWith(lowestRtt))
  })
})

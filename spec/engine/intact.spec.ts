// SPDX-License-Identifier: Apache-2.0
/** Data over simulated links: whole, in order, once, whatever happens to the paths. */
import { describe, expect, it, test, vi } from 'vitest'
import { SeededRandom } from '../../lib/testing/seeded-random.js'
import type { LinkOptions } from '../../lib/testing/link.js'
import type { CorePair } from '../support/core-pair.js'
import { corePair, goPair } from '../support/core-pair.js'
import { expectNoLoss } from '../support/expect-no-loss.js'
import { seeds } from '../support/seeds.js'

// Minutes of virtual time are seconds of a busy machine's.
vi.setConfig({ testTimeout: 60_000 })

const MIB = 1_048_576

function expectAll({ near, far }: CorePair, toFar: number, toNear: number): void {
  expect(far.received).toMatchObject({ bytes: toFar, wrongAt: undefined })
  expect(near.received).toMatchObject({ bytes: toNear, wrongAt: undefined })
  expect([near.error, far.error]).toEqual([undefined, undefined])
}

describe('a connection over good links', () => {
  test.each([1, 2, 3, 4, 5, 6])('carries data both ways over %i without sending anything twice', (paths) => {
    const links = Array.from({ length: paths }, (_, index) => ({ rateMbps: 50, delayMs: 5 + 5 * index }))
    const pair = corePair({ links })
    const { near, far, advanceUntil } = pair
    near.write(4 * MIB)
    far.write(2 * MIB)
    near.end()
    far.end()
    advanceUntil(() => near.finishedAt !== undefined && far.finishedAt !== undefined)
    expectAll(pair, 4 * MIB, 2 * MIB)
    expectNoLoss(near, far)
  })

  test.each([1, 2, 3])('carries data both ways with a Go peer over %i of them', (paths) => {
    const links = Array.from({ length: paths }, (_, index) => ({ rateMbps: 50, delayMs: 5 + 5 * index }))
    const { near, go, advanceUntil } = goPair({ links })
    near.write(4 * MIB)
    go.write(2 * MIB)
    advanceUntil(() => near.core.unflushedBytes === 0 && go.isWritten && !near.isWriting)
    near.end()
    advanceUntil(() => near.finishedAt !== undefined && go.isClosed)
    expect(go.received).toMatchObject({ bytes: 4 * MIB, wrongAt: undefined })
    expect(near.received).toMatchObject({ bytes: 2 * MIB, wrongAt: undefined })
    expect(near.error).toBeUndefined()
    expect(go.duplicates).toBe(0)
    expectNoLoss(near)
  })

  it('uses what both of two links have to give', () => {
    const { near, far, advanceUntil, clock } = corePair({
      links: [
        { rateMbps: 40, delayMs: 10 },
        { rateMbps: 40, delayMs: 20 },
      ],
    })
    near.write(30 * MIB)
    advanceUntil(() => far.received.bytes === 30 * MIB)
    expect((far.received.bytes * 8) / 1000 / clock.now()).toBeGreaterThan(0.85 * 80)
    expectNoLoss(near, far)
  })

  it('keeps little on its way over a slow link, so that nobody waits for it long', () => {
    const { near, far, advanceUntil, clock } = corePair({
      links: [
        { rateMbps: 50, delayMs: 5, queueBytes: 1_000_000 },
        { rateMbps: 2, delayMs: 40, queueBytes: 1_000_000 },
      ],
    })
    near.write(20 * MIB)
    advanceUntil(() => far.received.bytes > 4 * MIB)
    far.longestWaitMs = 0
    const from = clock.now()
    advanceUntil(() => far.received.bytes === 20 * MIB)
    expect(far.longestWaitMs).toBeLessThan(400)
    expect((16 * MIB * 8) / 1000 / (clock.now() - from)).toBeGreaterThan(0.85 * 50)
    expectNoLoss(near, far)
  })

  it('sends a lone small message over the fast one, however often', () => {
    const { near, far, advance } = corePair({
      links: [
        { rateMbps: 50, delayMs: 5 },
        { rateMbps: 50, delayMs: 150 },
      ],
    })
    advance(1000)
    for (let message = 0; message < 200; message++) {
      near.write(200)
      advance(7)
      expect(far.received.bytes).toBe(200 * (message + 1))
    }
    expectNoLoss(near, far)
  })
})

/** Freezes, cuts and changes links at random for `ms`; a cut link gets a new subflow later, as from a redial. */
function shake(pair: CorePair, random: SeededRandom, ms: number): void {
  const { clock, links, join } = pair
  const end = clock.now() + ms
  const later = (after: number, run: () => void): void => void clock.callAt(clock.now() + after, run)
  const step = (): void => {
    if (clock.now() > end) return
    const index = random.integer(0, links.length - 1)
    const link = links[index]!
    const dice = random.random()
    if (dice < 0.4) {
      link.freeze(random.pick(['both', 'there', 'back']))
      later(random.integer(5, 3000), () => {
        link.thaw()
      })
    } else if (dice < 0.6 && pair.near.core.subflows.length > 1) {
      link.reset()
      later(random.integer(1, 500), () => {
        if (!pair.near.core.isOver && !pair.far.core.isOver) join(index)
      })
    } else link.change({ rateMbps: random.integer(1, 80), delayMs: random.integer(1, 60) })
    later(random.integer(10, 800), step)
  }
  step()
}

describe('a connection over links that freeze, break and change', () => {
  test.each(seeds(24))('loses and doubles nothing (seed %i)', (seed) => {
    const random = new SeededRandom(seed)
    const paths = 2 + (seed % 5)
    const links = Array.from(
      { length: paths },
      (): LinkOptions => ({
        rateMbps: random.integer(2, 80),
        delayMs: random.integer(1, 60),
        jitterMs: random.integer(0, 10),
        lossRate: random.pick([0, 0, 0.01]),
        queueBytes: random.pick([20_000, 200_000, 1_000_000]),
      }),
    )
    const pair = corePair({ links, seed, options: { deadMs: 20_000 } })
    const { near, far, advanceUntil } = pair
    near.write(6 * MIB)
    far.write(3 * MIB)
    near.end()
    far.end()
    shake(pair, random, 8000)
    advanceUntil(() => near.finishedAt !== undefined && far.finishedAt !== undefined, 300_000)
    expectAll(pair, 6 * MIB, 3 * MIB)
  })

  test.each(seeds(12))('loses and doubles nothing with a Go peer either (seed %i)', (seed) => {
    const random = new SeededRandom(seed)
    const links = Array.from({ length: 3 }, () => ({
      rateMbps: random.integer(10, 80),
      delayMs: random.integer(1, 60),
      jitterMs: random.integer(0, 10),
    }))
    const {
      near,
      go,
      links: made,
      clock,
      advanceUntil,
    } = goPair({ links, seed, options: { deadMs: 20_000 } })
    near.write(6 * MIB)
    go.write(3 * MIB)
    for (let at = 200; at < 5000; at += random.integer(200, 1000)) {
      const link = random.pick(made)
      clock.callAt(at, () => {
        link.freeze(random.pick(['both', 'there', 'back']))
      })
      clock.callAt(at + random.integer(5, 2000), () => {
        link.thaw()
      })
    }
    clock.callAt(1500, () => {
      made[0]!.reset()
    })
    advanceUntil(
      () => near.core.unflushedBytes === 0 && !near.isWriting && near.received.bytes === 3 * MIB,
      300_000,
    )
    expect(go.received).toMatchObject({ bytes: 6 * MIB, wrongAt: undefined })
    expect(near.received).toMatchObject({ bytes: 3 * MIB, wrongAt: undefined })
  })
})

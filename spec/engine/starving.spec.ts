// SPDX-License-Identifier: Apache-2.0
/** A path that pauses: the reader gets on before the path would be suspected, and calm paths cost nothing. */
import { describe, expect, it, vi } from 'vitest'
import type { LinkOptions } from '../../lib/testing/link.js'
import { corePair } from '../support/core-pair.js'
import { expectNoLoss } from '../support/expect-no-loss.js'

vi.setConfig({ testTimeout: 60_000 })

const MIB = 1_048_576
const EVEN: readonly LinkOptions[] = [
  { rateMbps: 50, delayMs: 10 },
  { rateMbps: 50, delayMs: 20 },
]

describe('a path that pauses in the middle of bulk data', () => {
  it.each([
    ['the shorter of two', 100, EVEN, 75],
    ['the shorter of two', 150, EVEN, 75],
    ['the longer of two', 100, [{ rateMbps: 50, delayMs: 25 }, EVEN[0]!], 100],
    // What comes on the slow one was ahead by 50 ms, and each word takes it 40 ms.
    ['the faster of two', 150, [EVEN[0]!, { rateMbps: 20, delayMs: 40 }], 140],
  ])(
    '%s, for %i ms, holds the reader up for little more than the other path takes',
    (_which, pauseMs, links, mostMs) => {
      const pair = corePair({ links })
      const { near, far, advance } = pair
      near.write(1000 * MIB)
      advance(2000)
      // It gets used to such silences, and is not suspected any more.
      pair.links[0]!.freeze()
      advance(pauseMs)
      pair.links[0]!.thaw()
      advance(1000)
      const [suspicions, sent] = [near.changes.length, near.sum('bytesSent')]
      for (let round = 0; round < 3; round++) {
        far.longestWaitMs = 0
        pair.links[0]!.freeze()
        advance(pauseMs)
        pair.links[0]!.thaw()
        advance(1500)
        expect(far.longestWaitMs).toBeLessThan(mostMs)
      }
      expect(near.changes).toHaveLength(suspicions)
      expect(near.sum('bytesRetransmitted') + near.sum('bytesCopied')).toBeLessThan(
        0.05 * (near.sum('bytesSent') - sent),
      )
      expect(far.received.wrongAt).toBeUndefined()
    },
  )
})

describe('calm bulk data over uneven paths', () => {
  it.each<[string, readonly LinkOptions[]]>([
    [
      'of different length',
      [
        { rateMbps: 50, delayMs: 10 },
        { rateMbps: 20, delayMs: 40 },
      ],
    ],
    [
      'one of them far longer',
      [
        { rateMbps: 50, delayMs: 5 },
        { rateMbps: 5, delayMs: 150 },
      ],
    ],
    [
      'three of them',
      [
        { rateMbps: 100, delayMs: 5 },
        { rateMbps: 50, delayMs: 5 },
        { rateMbps: 10, delayMs: 50 },
      ],
    ],
  ])('%s has nothing sent again, and says little', (_name, links) => {
    const { near, far, advance } = corePair({ links })
    near.write(1000 * MIB)
    advance(1500)
    const [sent, said] = [near.sum('bytesSent'), far.wireBytes]
    advance(4000)
    expectNoLoss(near, far)
    expect(far.wireBytes - said).toBeLessThan(0.003 * (near.sum('bytesSent') - sent))
  })

  it('with losses and jitter, where each repair is late, costs no more than its share', () => {
    const links = [
      { rateMbps: 20, delayMs: 10, jitterMs: 5, lossRate: 0.002 },
      { rateMbps: 20, delayMs: 30, jitterMs: 10, lossRate: 0.002 },
    ]
    let [allowed, resent] = [0, 0]
    for (const seed of [1, 2, 3]) {
      const { near, advance } = corePair({ links, seed })
      near.write(1000 * MIB)
      advance(10_000)
      allowed += 0.012 * near.sum('bytesSent') + 200_000
      resent += near.sum('bytesRetransmitted') + near.sum('bytesCopied')
    }
    expect(resent).toBeLessThan(allowed)
  })
})

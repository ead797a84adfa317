// SPDX-License-Identifier: Apache-2.0
/** Further subflows on a path with random losses, over simulated kernels. */
import { describe, expect, it, vi } from 'vitest'
import type { LinkOptions } from '../../lib/testing/link.js'
import type { PathPolicy } from '../../lib/core/path.js'
import type { CoreHost } from '../support/core-host.js'
import { parallelPair } from '../support/parallel-pair.js'
import { plainStream } from '../support/plain-stream.js'

// Minutes of virtual time are seconds of a busy machine's.
vi.setConfig({ testTimeout: 120_000 })

const LARGE = { maxUnackedBytes: 2 ** 27, maxUnreadBytes: 2 ** 27, maxReorderBytes: 2 ** 27 }
const LOSSY: LinkOptions = { rateMbps: 50, delayMs: 10, lossRate: 0.01, queueBytes: 125_000, kernel: 'cubic' }

interface Bulk {
  readonly link?: LinkOptions
  readonly policy?: PathPolicy
  readonly sends?: 'near' | 'far'
  readonly seed?: number
  readonly hasCount?: boolean
}

function bulk({ link = {}, policy = {}, sends = 'near', ...others }: Bulk = {}) {
  const pair = parallelPair({
    links: [{ ...LOSSY, ...link }],
    policies: [policy],
    options: LARGE,
    ...others,
  })
  const receiver = sends === 'near' ? pair.far : pair.near
  pair[sends].write(Number.MAX_SAFE_INTEGER)
  /** Mbit/s over so many milliseconds. */
  const rate = (ms: number): number => {
    const before = receiver.received.bytes
    pair.advance(ms)
    return ((receiver.received.bytes - before) * 8) / 1000 / ms
  }
  return { ...pair, rate }
}

describe('a path that loses 1 % of its packets, under CUBIC', () => {
  it.each(['near', 'far'] as const)('gets further subflows while %s sends', (sends) => {
    const one = bulk({ sends, policy: { parallel: 1 } })
    one.advance(4000)
    const many = bulk({ sends })
    many.advance(4000)
    expect(many.rate(4000)).toBeGreaterThan(2.5 * one.rate(4000))
    expect(one.most()).toBe(1)
    for (const { received } of [many.near, many.far]) expect(received.wrongAt).toBeUndefined()
  })

  it('keeps one where the kernel counts nothing and nobody asked for more', () => {
    const unknown = bulk({ hasCount: false })
    unknown.advance(8000)
    expect(unknown.most()).toBe(1)
    const asked = bulk({ hasCount: false, policy: { parallel: { max: 8 } } })
    asked.advance(8000)
    expect(asked.most()).toBeGreaterThan(1)
  })

  it('gets them within a few seconds even where only 0.3 % are lost, over 40 ms', () => {
    const link = { delayMs: 20, lossRate: 0.003, queueBytes: 250_000 }
    const mean =
      [1, 4, 7].map((seed) => bulk({ link, seed }).rate(10_000)).reduce((sum, rate) => sum + rate) / 3
    const alone = bulk({ link, seed: 1, policy: { parallel: 1 } }).rate(10_000)
    expect(mean).toBeGreaterThan(2 * alone)
  })

  it('gets no more than it may have', () => {
    const { advance, most } = bulk({ policy: { parallel: { max: 3 } } })
    advance(8000)
    expect(most()).toBe(3)
  })

  it.each([{ maxBytesPerSecond: 4_000_000 }, { maxBytes: 1e9 }])('keeps one under a cap: %o', (policy) => {
    const { advance, most } = bulk({ policy })
    advance(5000)
    expect(most()).toBe(1)
  })

  it('gives them up once the losses have ended', () => {
    const { advance, links, live } = bulk()
    advance(5000)
    expect(live()).toBeGreaterThan(2)
    links[0]!.change({ lossRate: 0 })
    advance(45_000)
    expect(live()).toBe(1)
  })

  it.each([
    { sends: 'near', seed: 1 },
    { sends: 'near', seed: 2 },
    { sends: 'far', seed: 1 },
    { sends: 'far', seed: 2 },
  ] as const)('opens none again after the losses have ended: %o', (given) => {
    const { advance, links, near } = bulk(given)
    advance(5000)
    links[0]!.change({ lossRate: 0 })
    advance(2000)
    const { length } = near.joined
    advance(60_000)
    expect(near.joined).toHaveLength(length)
  })

  it('takes nothing from a plain stream beside it', () => {
    const plainBytes = (parallel: number): number => {
      const each = [1, 2, 3, 4].map((seed) => {
        const { links, advance } = bulk({ policy: { parallel: { max: parallel } }, seed })
        const stream = plainStream(links[0]!)
        advance(20_000)
        return stream.bytes
      })
      return each.reduce((sum, bytes) => sum + bytes, 0)
    }
    expect(plainBytes(8)).toBeGreaterThan(0.9 * plainBytes(1))
  })
})

describe('under BBR, which fills a lossy path alone', () => {
  it.each(['near', 'far'] as const)('no further subflow is tried where %s sends', (sends) => {
    const { rate, most } = bulk({ sends, link: { kernel: 'bbr' } })
    expect(rate(12_000)).toBeGreaterThan(0.9 * 50)
    expect(most()).toBe(1)
  })
})

/** Stands still for about a round trip, a few times a second: what comes then looks as after a repair. */
function standsStill(host: CoreHost, { advance }: { advance(ms: number): void }, ms: number): void {
  for (let at = 0; at < ms; at += 130) {
    host.standStill(26)
    advance(130)
  }
}

describe('a process that stands still', () => {
  it.each([
    { sends: 'near', stands: 'far' },
    { sends: 'near', stands: 'near' },
    { sends: 'far', stands: 'near' },
    { sends: 'far', stands: 'far' },
  ] as const)('is no path with losses: %o', ({ sends, stands }) => {
    const pair = bulk({ sends, link: { lossRate: 0 } })
    standsStill(pair[stands], pair, 10_000)
    expect(pair.most()).toBe(1)
  })

  it('is tried as one where nobody counts and the application wants it', () => {
    const pair = bulk({ link: { lossRate: 0 }, hasCount: false, policy: { parallel: { max: 8 } } })
    standsStill(pair.far, pair, 10_000)
    expect(pair.most()).toBeGreaterThan(1)
  })
})

describe('a path without losses', () => {
  it.each(['cubic', 'bbr'] as const)(
    'keeps one where it carries nothing for 200 ms of each second, under %s',
    (kernel) => {
      const { links, advance, most } = bulk({ link: { lossRate: 0, kernel, queueBytes: 2_000_000 } })
      for (let second = 0; second < 20; second++) {
        advance(800)
        links[0]!.change({ rateMbps: 0.01 })
        advance(200)
        links[0]!.change({ rateMbps: 50 })
      }
      expect(most()).toBe(1)
    },
  )

  it.each([
    { kernel: 'cubic', rateMbps: 50, delayMs: 10, jitterMs: 0, pipes: 1 },
    { kernel: 'cubic', rateMbps: 50, delayMs: 10, jitterMs: 0, pipes: 0.25 },
    { kernel: 'cubic', rateMbps: 20, delayMs: 5, jitterMs: 60, pipes: 1 },
    { kernel: 'cubic', rateMbps: 20, delayMs: 15, jitterMs: 20, pipes: 4 },
    { kernel: 'cubic', rateMbps: 2, delayMs: 50, jitterMs: 5, pipes: 1 },
    { kernel: 'bbr', rateMbps: 50, delayMs: 10, jitterMs: 0, pipes: 1 },
    { kernel: 'bbr', rateMbps: 20, delayMs: 15, jitterMs: 60, pipes: 4 },
  ] as const)('keeps one subflow: %o', ({ pipes, ...link }) => {
    const queueBytes = Math.max(15_000, pipes * link.rateMbps * 125 * (2 * link.delayMs + link.jitterMs))
    const { advance, most } = bulk({ link: { ...link, lossRate: 0, queueBytes } })
    advance(10_000)
    expect(most()).toBe(1)
  })

  it('keeps one beside a plain stream that overflows its queue', () => {
    const { links, advance, most } = bulk({ link: { lossRate: 0 } })
    plainStream(links[0]!)
    advance(20_000)
    expect(most()).toBe(1)
  })
})

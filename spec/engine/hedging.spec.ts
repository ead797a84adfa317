// SPDX-License-Identifier: Apache-2.0
/** A frame that is late leaves again on another path, before its own is suspect. */
import { describe, expect, it } from 'vitest'
import type { ConnOptions } from '../../lib/core/options.js'
import type { PathPolicy } from '../../lib/core/path.js'
import type { Scheduler } from '../../lib/core/scheduler.js'
import { redundant } from '../../lib/core/schedulers/redundant.js'
import { roundRobin } from '../../lib/core/schedulers/round-robin.js'
import type { LinkOptions } from '../../lib/testing/link.js'
import type { CorePair } from '../support/core-pair.js'
import { corePair, goPair } from '../support/core-pair.js'

const MESSAGE = 200
const EVERY_MS = 5
const TWO: readonly LinkOptions[] = [
  { rateMbps: 50, delayMs: 5, jitterMs: 1 },
  { rateMbps: 50, delayMs: 20, jitterMs: 1 },
]

interface EchoInit {
  readonly links?: readonly LinkOptions[]
  readonly seed?: number
  readonly options?: ConnOptions
  readonly policies?: readonly PathPolicy[]
  readonly scheduler?: Scheduler
}

/** Messages that the other side sends back. */
class Echoes {
  readonly pair: CorePair
  worstMs = 0
  readonly #sentAt: number[] = []
  #bytes = 0

  constructor({ links = TWO, ...more }: EchoInit = {}) {
    this.pair = corePair({ links, ...more })
    const { near, far, clock } = this.pair
    far.onRead = (bytes) => {
      far.write(bytes.length)
    }
    near.onRead = (bytes) => {
      for (this.#bytes += bytes.length; this.#bytes >= MESSAGE; this.#bytes -= MESSAGE)
        this.worstMs = Math.max(this.worstMs, clock.now() - this.#sentAt.shift()!)
    }
  }

  run(ms: number): void {
    for (let passed = 0; passed < ms; passed += EVERY_MS) {
      this.#sentAt.push(this.pair.clock.now())
      this.pair.near.write(MESSAGE)
      this.pair.advance(EVERY_MS)
    }
  }

  /** The longest echo while the first link is silent for so long. */
  worstWhileSilent(ms: number): number {
    this.worstMs = 0
    this.pair.links[0]!.freeze()
    this.run(ms)
    this.pair.links[0]!.thaw()
    this.run(500)
    return this.worstMs
  }

  get resentBytes(): number {
    const { near, far } = this.pair
    return (
      near.sum('bytesCopied') +
      near.sum('bytesRetransmitted') +
      far.sum('bytesCopied') +
      far.sum('bytesRetransmitted')
    )
  }

  get suspicions(): number {
    const { near, far } = this.pair
    return [...near.changes, ...far.changes].filter(({ state }) => state === 'suspect').length
  }
}

describe('small messages while the best path is silent', () => {
  it.each([1, 2, 3, 4, 5])('take hardly longer than on the other one (seed %i)', (seed) => {
    const echoes = new Echoes({ seed })
    echoes.run(3000 + seed)
    expect(echoes.worstWhileSilent(3000)).toBeLessThan(60)
  })

  it.each(['there', 'back'] as const)('wait for no repair where the way %s returns a second later', (way) => {
    for (const silentMs of [1366, 2744, 2850, 2956]) {
      const echoes = new Echoes({ seed: silentMs })
      echoes.run(3000)
      echoes.worstMs = 0
      const [link] = echoes.pair.links
      link!.freeze()
      echoes.run(silentMs)
      link!.thaw()
      link!.freeze(way)
      echoes.run(200)
      link!.thaw()
      echoes.run(3000)
      expect(echoes.worstMs).toBeLessThan(60)
    }
  })

  it('are late for as long as a suspicion takes, without hedging', () => {
    for (const init of [{ options: { hedgePercent: 0 } }, { scheduler: roundRobin }]) {
      const echoes = new Echoes(init)
      echoes.run(3000)
      expect(echoes.worstWhileSilent(3000)).toBeGreaterThan(80)
    }
  })

  it('leave the path unjudged where it pauses for less than that', () => {
    const echoes = new Echoes()
    echoes.run(3000)
    // The first ones are news: they are suspicious.
    for (let pause = 0; pause < 4; pause++) {
      echoes.worstWhileSilent(40)
      echoes.run(1000)
    }
    const { suspicions } = echoes
    for (let pause = 0; pause < 10; pause++) {
      expect(echoes.worstWhileSilent(40)).toBeLessThan(65)
      echoes.run(1000)
    }
    expect(echoes.suspicions).toBe(suspicions)
    expect(echoes.pair.near.received.wrongAt).toBeUndefined()
  })

  it('reach a Go peer as soon', () => {
    const { near, go, links, clock, advance } = goPair({ links: TWO })
    for (let passed = 0; passed < 3000; passed += EVERY_MS) {
      near.write(MESSAGE)
      advance(EVERY_MS)
    }
    links[0]!.freeze()
    const before = go.received.bytes
    const from = clock.now()
    near.write(MESSAGE)
    while (go.received.bytes < before + MESSAGE) advance(1)
    expect(clock.now() - from).toBeLessThan(40)
  })

  it('do not use a backup while the path is up', () => {
    const echoes = new Echoes({ policies: [{}, { tier: 'backup' }], options: { suspectMs: 10_000 } })
    echoes.run(3000)
    echoes.worstWhileSilent(50)
    expect(echoes.pair.near.joined[1]!.counters).toMatchObject({
      bytesSent: 0,
      bytesRetransmitted: 0,
      bytesCopied: 0,
    })
  })
})

describe('calm paths', () => {
  const long: LinkOptions = { rateMbps: 20, delayMs: 40 }

  it.each<[string, readonly LinkOptions[]]>([
    ['even length', TWO],
    ['uneven length', [TWO[0]!, long]],
    ['jitter of 25 ms', [{ rateMbps: 50, delayMs: 20, jitterMs: 25 }, long]],
    ['some loss', [{ rateMbps: 20, delayMs: 20, lossRate: 0.01, kernel: 'bbr' }, long]],
  ])('of %s carry small messages with at most 3 %% more bytes', (_name, links) => {
    const echoes = new Echoes({ links })
    echoes.run(3000)
    const before = echoes.resentBytes
    echoes.run(10_000)
    expect(echoes.resentBytes - before).toBeLessThan(0.03 * 2 * MESSAGE * (10_000 / EVERY_MS))
  })

  it('carry bulk without a byte more', () => {
    const { near, advance } = corePair({ links: TWO })
    near.write(10 ** 9)
    advance(5000)
    expect(near.sum('bytesRetransmitted') + near.sum('bytesCopied')).toBe(0)
  })

  it('wake up nobody for it', () => {
    const { near, advance } = corePair({ links: TWO, scheduler: redundant })
    near.write(MESSAGE)
    advance(1000)
    expect(near.sum('bytesRetransmitted')).toBe(0)
    expect(near.core.nextTickAt()).toBeGreaterThan(1000)
  })
})

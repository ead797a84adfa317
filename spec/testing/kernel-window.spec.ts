// SPDX-License-Identifier: Apache-2.0
/** A stream whose sender's kernel has a congestion control, over simulated links. */
import { describe, expect, it } from 'vitest'
import type { LinkOptions } from '../../lib/testing/link.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'
import { patternAt, PatternChecker } from '../support/pattern.js'

const LINE = { rateMbps: 20, delayMs: 30, queueBytes: 150_000 }

/** Bytes that come in the right order, and the share of the line that they fill after the first three seconds. */
function stream(link: LinkOptions, ms = 20_000) {
  const network = new SimulatedNetwork({ seed: 3 })
  const { clock } = network
  const line = network.link({ ...LINE, ...link })
  const [near, far] = line.openRaw()
  const received = new PatternChecker(1)
  let [sent, pieces] = [0, 0]
  const fill = (): void => {
    do sent += 5000
    while (near.write(patternAt(1, sent - 5000, 5000)))
  }
  const handler = { onRoom: fill, onEnd: () => {}, onReset: () => {} }
  near.handle({ ...handler, onBytes: () => {} })
  far.handle({
    ...handler,
    onBytes: (bytes) => {
      pieces++
      received.add(bytes)
    },
  })
  fill()
  const share = (forMs: number): number => {
    const before = received.bytes
    clock.advance(forMs)
    return (received.bytes - before) / (forMs * (link.rateMbps ?? LINE.rateMbps) * 125)
  }
  clock.advance(3000)
  return { share: share(ms), received, line, clock, shareOf: share, pieces: () => pieces }
}

describe.each(['cubic', 'bbr'] as const)('a stream under %s', (kernel) => {
  it('fills its line, whose queue holds a pipe', () => {
    expect(stream({ kernel }).share).toBeGreaterThan(0.95)
  })

  it('keeps its bytes in order, whatever is lost and overflows', () => {
    const { received } = stream({ kernel, lossRate: 0.03, jitterMs: 10, queueBytes: 20_000 }, 5000)
    expect(received.bytes).toBeGreaterThan(100_000)
    expect(received.wrongAt).toBeUndefined()
  })

  it('leaves in pieces of many packets where the line is fast', () => {
    const { received, pieces } = stream({ kernel, rateMbps: 200, queueBytes: 1_500_000 }, 1000)
    expect(received.bytes / pieces()).toBeGreaterThan(6 * 1448)
  })

  it('goes on after a silence, with every byte', () => {
    const { received, line, clock, shareOf } = stream({ kernel, lossRate: 0.01 }, 1000)
    line.freeze()
    clock.advance(1000)
    line.thaw()
    clock.advance(3000)
    expect(shareOf(5000)).toBeGreaterThan(kernel === 'bbr' ? 0.8 : 0.05)
    expect(received.wrongAt).toBeUndefined()
  })

  it('ends in order behind what is still being repaired', () => {
    const network = new SimulatedNetwork({ seed: 1 })
    const [near, far] = network.link({ ...LINE, kernel, lossRate: 0.2 }).openRaw()
    let [bytes, endedAt] = [0, 0]
    far.handle({
      onBytes: (piece) => {
        expect(endedAt).toBe(0)
        bytes += piece.length
      },
      onRoom: () => {},
      onEnd: () => {
        endedAt = network.clock.now()
      },
      onReset: () => {},
    })
    near.write(new Uint8Array(60_000))
    near.end()
    network.clock.advance(10_000)
    expect(bytes).toBe(60_000)
    expect(endedAt).toBeGreaterThan(0)
  })
})

describe('random loss', () => {
  it('costs cubic what the inverse square root says, and BBR little', () => {
    const cubic = stream({ kernel: 'cubic', lossRate: 0.01 }).share
    // 1.2 segments / (RTT × √p) is 0.14 of this line.
    expect(cubic).toBeGreaterThan(0.08)
    expect(cubic).toBeLessThan(0.2)
    expect(stream({ kernel: 'bbr', lossRate: 0.01 }).share).toBeGreaterThan(0.9)
  })
})

describe('a burst', () => {
  it('loses single packets, to chance and to a full queue', () => {
    const lossy = { kernel: 'bbr', rateMbps: 200, queueBytes: 1_500_000, lossRate: 0.03 } as const
    expect(stream(lossy, 3000).share).toBeGreaterThan(0.9)
    const short = { kernel: 'bbr', rateMbps: 200, delayMs: 2, queueBytes: 25_000 } as const
    expect(stream(short, 1000).share).toBeGreaterThan(0.9)
  })
})

describe('the measurement of the RTT, each ten seconds', () => {
  it('leaves BBR its rate', () => {
    const { shareOf } = stream({ kernel: 'bbr', rateMbps: 200, delayMs: 5, queueBytes: 250_000 }, 6500)
    expect(Math.min(...Array.from({ length: 6 }, () => shareOf(250)))).toBeLessThan(0.5)
    expect(shareOf(500)).toBeGreaterThan(0.95)
  })
})

describe('a queue', () => {
  it('stays as long as cubic fills it, and shorter under BBR', () => {
    const waited = (kernel: 'cubic' | 'bbr'): number => {
      const { line, clock } = stream({ kernel, queueBytes: 600_000 })
      const [near, far] = line.openRaw()
      let at = Infinity
      far.handle({ onBytes: () => (at = Math.min(at, clock.now())), onRoom() {}, onEnd() {}, onReset() {} })
      const from = clock.now()
      near.write(new Uint8Array(1))
      clock.advance(2000)
      return at - from - 30
    }
    expect(waited('cubic')).toBeGreaterThan(100)
    expect(waited('bbr')).toBeLessThan(90)
  })
})

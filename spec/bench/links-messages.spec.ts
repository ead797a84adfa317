// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { leastMs, messageFigures } from '../../bench/links/messages.js'

/** Payload bytes for each millisecond that a link brings at so many Mbit/s. */
const rate = (mbits: number): number => (mbits * 125 * 1448) / 1500

describe('the least that a message can take', () => {
  it('is the delay of the shortest link and its bytes at that link’s rate, where the others are too long', () => {
    const ms = leastMs(1000, ['rate=5,delay=150', 'rate=50,delay=5', 'rate=20,delay=40'])
    expect(ms).toBeCloseTo(5 + 1000 / rate(50), 6)
  })

  it('has each link that is short enough bring its part until then', () => {
    const links = ['rate=50,delay=5', 'rate=20,delay=40', 'rate=5,delay=150']
    const ms = leastMs(1e6, links)
    expect(ms).toBeGreaterThan(40)
    expect(ms).toBeLessThan(150)
    expect(rate(50) * (ms - 5) + rate(20) * (ms - 40)).toBeCloseTo(1e6, 3)
  })
})

describe('the figures of messages', () => {
  it('are of each size by itself, without those that left before the warm-up was over', () => {
    const links = ['rate=8,delay=10']
    const least = leastMs(1000, links)
    const all = [
      [1000, 0, 999],
      [1000, 5, 2 * least],
      [5000, 6, 3 * leastMs(5000, links)],
    ] as const
    const { messageP50 } = messageFigures(all, { sizes: [1000, 5000], links, from: 1 })
    expect(messageP50[0]).toBeCloseTo(2, 6)
    expect(messageP50[1]).toBeCloseTo(3, 6)
  })
})

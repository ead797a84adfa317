// SPDX-License-Identifier: Apache-2.0
/** How long one message after another takes over several links, beside the bound that no scheduler can beat. */
import { expect, it } from 'vitest'
import { corePair } from '../support/core-pair.js'

interface Link {
  readonly rateMbps: number
  readonly delayMs: number
}

/** By delay. */
const UNEQUAL: readonly Link[] = [
  { rateMbps: 50, delayMs: 5 },
  { rateMbps: 20, delayMs: 40 },
  { rateMbps: 5, delayMs: 150 },
]
const EQUAL: readonly Link[] = [20, 20, 20].map((rateMbps) => ({ rateMbps, delayMs: 20 }))
/** The shorter one is the slower one. */
const CROSSED: readonly Link[] = [
  { rateMbps: 1, delayMs: 5 },
  { rateMbps: 50, delayMs: 20 },
]
const BYTES_PER_MBIT_MS = 125
/** The paths are found out meanwhile. */
const FIRST = 20
const MESSAGES = 60
const PAUSE_MS = 100

/** Milliseconds until all links together have brought as many bytes, each after its delay. */
function bound(links: readonly Link[], bytes: number): number {
  let rate = 0
  let brought = 0
  let at = 0
  for (const { rateMbps, delayMs } of links) {
    const more = brought + rate * (delayMs - at)
    if (more >= bytes) break
    brought = more
    at = delayMs
    rate += rateMbps * BYTES_PER_MBIT_MS
  }
  return at + (bytes - brought) / rate
}

/** Of each message, its time as a multiple of the bound, sorted. */
function completions(links: readonly Link[], bytes: number, kernel: 'none' | 'cubic'): number[] {
  const { near, far, clock, advance, advanceUntil } = corePair({
    links: links.map((link) => ({ ...link, kernel })),
    seed: 3,
  })
  let [written, got] = [0, 0]
  far.onRead = ({ length }) => {
    got += length
  }
  const times = Array.from({ length: FIRST + MESSAGES }, () => {
    advance(PAUSE_MS)
    const sentAt = clock.now()
    written += bytes
    near.write(bytes)
    advanceUntil(() => got === written)
    return (clock.now() - sentAt) / bound(links, bytes)
  })
  return times.slice(FIRST).sort((a, b) => a - b)
}

it('has the bound of three links', () => {
  const bounds = [1000, 1_000_000].map((bytes) => Math.round(bound(UNEQUAL, bytes) * 10) / 10)
  expect(bounds).toEqual([5.2, 129.3])
})

it.each([
  { name: 'three unequal links', links: UNEQUAL, bytes: 1000, median: 1.01, most: 1.02 },
  { name: 'three unequal links', links: UNEQUAL, bytes: 10_000, median: 1.01, most: 1.02 },
  { name: 'three unequal links', links: UNEQUAL, bytes: 100_000, median: 1.01, most: 1.02 },
  { name: 'three unequal links', links: UNEQUAL, bytes: 1_000_000, median: 1.02, most: 1.12 },
  { name: 'three equal links', links: EQUAL, bytes: 100_000, median: 1.1, most: 1.15 },
  { name: 'a short slow link and a longer fast one', links: CROSSED, bytes: 100_000, median: 2, most: 2 },
])(
  'a message of $bytes bytes over $name takes no longer than $median times the bound, at worst $most',
  ({ links, bytes, median, most }) => {
    for (const kernel of ['none', 'cubic'] as const) {
      const times = completions(links, bytes, kernel)
      expect(times[MESSAGES / 2]).toBeLessThan(median)
      expect(times.at(-1)).toBeLessThan(most)
    }
  },
)

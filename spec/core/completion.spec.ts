// SPDX-License-Identifier: Apache-2.0
/** How long one message after another takes over three unequal links, beside the bound that no scheduler can beat. */
import { expect, it } from 'vitest'
import { corePair } from '../support/core-pair.js'

const LINKS = [
  { rateMbps: 50, delayMs: 5 },
  { rateMbps: 20, delayMs: 40 },
  { rateMbps: 5, delayMs: 150 },
]
const BYTES_PER_MBIT_MS = 125
/** The paths are found out meanwhile. */
const FIRST = 20
const MESSAGES = 60
const PAUSE_MS = 100

/** Milliseconds until all links together have brought as many bytes, each after its delay. */
function bound(bytes: number): number {
  let rate = 0
  let brought = 0
  let at = 0
  for (const { rateMbps, delayMs } of LINKS) {
    const more = brought + rate * (delayMs - at)
    if (more >= bytes) break
    brought = more
    at = delayMs
    rate += rateMbps * BYTES_PER_MBIT_MS
  }
  return at + (bytes - brought) / rate
}

/** Milliseconds of each message, sorted. */
function completions(bytes: number, kernel: 'none' | 'cubic'): number[] {
  const { near, far, clock, advance, advanceUntil } = corePair({
    links: LINKS.map((link) => ({ ...link, kernel })),
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
    return clock.now() - sentAt
  })
  return times.slice(FIRST).sort((a, b) => a - b)
}

it('has the bound of three links', () => {
  expect([1000, 1_000_000].map((bytes) => Math.round(bound(bytes) * 10) / 10)).toEqual([5.2, 129.3])
})

it.each([
  { bytes: 1000, most: 1.02 },
  { bytes: 10_000, most: 1.02 },
  { bytes: 100_000, most: 1.02 },
  // The second link's rate is underestimated: all that it carries of a message leaves within one of its round trips.
  { bytes: 1_000_000, most: 1.25 },
])('a message of $bytes bytes takes no longer than $most times the bound', ({ bytes, most }) => {
  for (const kernel of ['none', 'cubic'] as const)
    expect(completions(bytes, kernel).at(-1)! / bound(bytes)).toBeLessThan(most)
})

// SPDX-License-Identifier: Apache-2.0
/** A path whose RTT was long when it was last used is asked again while it carries nothing. */
import { expect, it } from 'vitest'
import { corePair } from '../support/core-pair.js'

const MESSAGE_BYTES = 200
const EACH_MS = 20
/** Its RTT is long for twice that. */
const LONG_MS = 300

it('small messages return to the shorter path soon after its RTT was long for a while', () => {
  const pair = corePair({ links: [{ delayMs: 26 }, { delayMs: 33 }] })
  const [first] = pair.near.joined
  const talk = (ms: number): number => {
    const before = first!.path.spentBytes
    for (let passed = 0; passed < ms; passed += EACH_MS) {
      pair.near.write(MESSAGE_BYTES)
      pair.advance(EACH_MS)
    }
    return (first!.path.spentBytes - before) / ((ms / EACH_MS) * MESSAGE_BYTES)
  }
  expect(talk(2500)).toBeGreaterThan(0.9)
  pair.links[0]!.change({ delayMs: 60 })
  talk(LONG_MS)
  expect(talk(LONG_MS)).toBe(0)
  pair.links[0]!.change({ delayMs: 26 })
  talk(4000)
  expect(talk(1000)).toBeGreaterThan(0.9)
})

it('an idle path whose RTT is as short as ever is not asked before its keep-alive', () => {
  const pair = corePair({ links: [{ delayMs: 26 }, { delayMs: 36 }] })
  pair.near.write(MESSAGE_BYTES)
  pair.advance(1000)
  const askedAt = pair.near.joined.map(({ pings }) => pings.lastAt)
  pair.advance(8000)
  expect(pair.near.joined.map(({ pings }) => pings.lastAt)).toEqual(askedAt)
})

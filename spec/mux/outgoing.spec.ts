// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { Outgoing } from '../../lib/mux/outgoing.js'
import { SeededRandom } from '../../lib/testing/seeded-random.js'
import { memoryInUse } from '../support/memory.js'
import { patternAt } from '../support/pattern.js'

const LARGE = 65_536

describe('what waits to be sent on a stream', () => {
  it('keeps nothing of what has been taken, though the stream always has more to send', async () => {
    const outgoing = new Outgoing()
    outgoing.append(new Uint8Array(LARGE), false)
    const before = await memoryInUse()
    for (let n = 0; n < 500; n++) {
      outgoing.append(new Uint8Array(LARGE), false)
      outgoing.take(LARGE)
    }
    expect((await memoryInUse()) - before).toBeLessThan(16 * LARGE)
    expect(outgoing.bytes).toBe(LARGE)
  })

  it('is taken in order, in whatever pieces, also while it never runs out', () => {
    const random = new SeededRandom(7)
    const outgoing = new Outgoing()
    const bytes = patternAt(1, 0, 400_000)
    const taken: Uint8Array[] = []
    let at = 0
    while (at < bytes.length) {
      const end = Math.min(bytes.length, at + random.integer(1, 3000))
      outgoing.append(bytes.subarray(at, end), random.integer(0, 1) === 1)
      at = end
      if (outgoing.bytes > 20_000) taken.push(...outgoing.take(random.integer(1, 9000)))
      if (random.integer(0, 20) === 0) outgoing.keep()
    }
    taken.push(...outgoing.take(bytes.length))
    expect(Buffer.concat(taken).equals(bytes)).toBe(true)
    expect([outgoing.bytes, outgoing.take(1)]).toEqual([0, []])
  })
})

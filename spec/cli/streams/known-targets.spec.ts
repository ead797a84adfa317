// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { KnownTargets } from '../../../lib/cli/streams/known-targets.js'

describe('a target', () => {
  it('is known for a minute after it was reached', () => {
    const known = new KnownTargets()
    expect(known.has('a:1', 0)).toBe(false)
    known.reached('a:1', 1000)
    expect(known.has('a:1', 61_000)).toBe(true)
    expect(known.has('a:1', 61_001)).toBe(false)
    expect(known.has('a:2', 1000)).toBe(false)
  })

  it('is not known any more once it has failed', () => {
    const known = new KnownTargets()
    known.reached('a:1', 0)
    known.failed('a:1')
    expect(known.has('a:1', 0)).toBe(false)
  })

  it('is forgotten for the 1,024th that was reached after it', () => {
    const known = new KnownTargets()
    known.reached('first', 0)
    known.reached('again', 0)
    known.reached('first', 1)
    for (let n = 0; n < 1023; n++) known.reached(`a:${n}`, 2)
    expect(known.has('first', 3)).toBe(true)
    expect(known.has('again', 3)).toBe(false)
    known.reached('one more', 3)
    expect(known.has('first', 3)).toBe(false)
  })
})

// SPDX-License-Identifier: Apache-2.0
/** What one turn of the event loop reads. */
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Turn } from '../../lib/conn/turn.js'
import { HOLD } from '../../lib/conn/subflow-io.js'

const KIB = 1024

/** A stream, and who wants it unread. */
class Stream {
  held = 0

  hold(who: number): void {
    this.held |= who
  }

  release(who: number): void {
    this.held &= ~who
  }
}

const held = (...streams: readonly Stream[]): boolean[] => streams.map((stream) => stream.held === HOLD.turn)

describe('a turn of the event loop', () => {
  it('reads half a mebibyte of each stream', async () => {
    const budget = new Turn(() => 1000)
    const [first, second] = [new Stream(), new Stream()]
    for (const stream of [first, second]) {
      for (let n = 0; n < 7; n++) budget.takes(stream, 64 * KIB)
      expect(held(stream)).toEqual([false])
      budget.takes(stream, 64 * KIB)
      expect(held(stream)).toEqual([true])
    }
    await turn()
    expect(held(first, second)).toEqual([false, false])
    budget.takes(second, 64 * KIB)
    expect(held(second)).toEqual([false])
    await turn()
  })

  it('reads for two milliseconds, and of each stream that brings something after that no more', async () => {
    let now = 1000
    const budget = new Turn(() => now)
    const [first, second, third] = [new Stream(), new Stream(), new Stream()]
    budget.takes(first, 1)
    now += 1.9
    budget.takes(first, 1)
    budget.takes(third, 1)
    expect(held(first, second, third)).toEqual([false, false, false])
    now += 0.1
    budget.takes(second, 1)
    budget.takes(first, 1)
    expect(held(first, second, third)).toEqual([true, true, false])
    await turn()
  })

  it('is followed by one that reads all of them again, for as long', async () => {
    let now = 1000
    const budget = new Turn(() => now)
    const streams = [new Stream(), new Stream()]
    for (let n = 0; n < 3; n++) {
      for (const stream of streams) budget.takes(stream, 1)
      expect(held(...streams)).toEqual([false, false])
      now += 2
      for (const stream of streams) budget.takes(stream, 1)
      expect(held(...streams)).toEqual([true, true])
      await turn()
      expect(held(...streams)).toEqual([false, false])
    }
  })
})

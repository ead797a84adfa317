// SPDX-License-Identifier: Apache-2.0
/** What one turn of the event loop reads. */
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Portions, Turn } from '../../lib/stream/turn.js'

const KIB = 1024

/** A stream that may be held. */
class Stream {
  isStopped = false

  stopReading(): void {
    this.isStopped = true
  }

  resumeReading(): void {
    this.isStopped = false
  }
}

const held = (...streams: readonly Stream[]): boolean[] => streams.map(({ isStopped }) => isStopped)

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

  it('takes a portion at least of what each stream has brought, and of those that wait one in a turn', async () => {
    let now = 1000
    const taken: string[] = []
    const budget = new Turn(() => now)
    const streams = ['a', 'b', 'c'].map((name) => {
      const stream = new PassThrough()
      const portions: Portions = new Portions(
        stream,
        {
          isStopped: false,
          stopReading: () => void stream.pause(),
          resumeReading: () => void stream.resume(),
          take: () => {
            taken.push(name)
            now += 2
            return 1
          },
        },
        budget,
      )
      return stream.on('data', (bytes: Buffer) => {
        portions.push(bytes)
      })
    })
    for (const stream of streams) stream.write('xx')
    for (const so of ['abca', 'abcab', 'abcabc', 'abcabc']) {
      await turn()
      expect(taken.join('')).toBe(so)
    }
  })

  it('takes no more than a portion of a stream that is held for another reason, and loses nothing of it', async () => {
    const stream = new PassThrough()
    let read = ''
    const owner = {
      isStopped: false,
      stopReading: () => void stream.pause(),
      resumeReading: () => void stream.resume(),
      take: (bytes: Uint8Array) => {
        read += String(Buffer.from(bytes.subarray(0, 1)))
        if (read === 'h') owner.isStopped = true
        if (owner.isStopped) stream.pause()
        return 1
      },
    }
    const portions = new Portions(stream, owner, new Turn(() => 1000))
    stream.on('data', (bytes: Buffer) => {
      portions.push(bytes)
    })
    stream.end('hello')
    await turn()
    expect(read).toBe('h')
    owner.isStopped = false
    stream.resume()
    await once(stream, 'end')
    expect(read).toBe('hello')
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

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test } from 'vitest'
import { ByteQueue } from '../../lib/wire/byte-queue.js'
import { SeededRandom } from '../../lib/testing/seeded-random.js'
import { memoryInUse } from '../support/memory.js'
import { patternAt } from '../support/pattern.js'
import { seeds } from '../support/seeds.js'

const LARGE = 65_536

describe('a byte queue', () => {
  it('gives out what it took in, in order', () => {
    const queue = new ByteQueue()
    for (const text of ['one ', 'two ', '', 'three']) queue.append(Buffer.from(text))
    expect(queue.bytes).toBe(13)
    expect(Buffer.concat(queue.take(6)).toString()).toBe('one tw')
    expect(Buffer.concat(queue.take(100)).toString()).toBe('o three')
    expect(queue.bytes).toBe(0)
    expect(queue.take(1)).toEqual([])
    expect(queue.takeSlice()).toBeUndefined()
  })

  it('joins small chunks', () => {
    const queue = new ByteQueue()
    for (let at = 0; at < 100; at++) queue.append(Buffer.from('abcd'))
    expect(queue.take(400)).toHaveLength(1)
  })

  it('copies small chunks, so that they are the caller’s again, and keeps large ones as they are', () => {
    const queue = new ByteQueue()
    const small = Buffer.from('small')
    const large = new Uint8Array(100_000)
    queue.append(small)
    queue.append(large)
    small.fill(0)
    expect(Buffer.from(queue.takeSlice()!).toString()).toBe('small')
    expect(queue.takeSlice()?.buffer).toBe(large.buffer)
  })

  it('keeps small chunks that are its own by reference, while few wait and they pin little', () => {
    const queue = new ByteQueue()
    const exact = (): Uint8Array => new Uint8Array(100)
    const taken: Uint8Array[] = []
    const given = Array.from({ length: 256 }, exact)
    for (const chunk of given) queue.append(chunk, true)
    queue.append(exact(), true)
    queue.append(exact(), true)
    for (let slice = queue.takeSlice(); slice !== undefined; slice = queue.takeSlice()) taken.push(slice)
    expect(taken.slice(0, 256).every((slice, at) => slice === given[at])).toBe(true)
    expect(taken.slice(256).map(({ length }) => length)).toEqual([200])
  })

  it('copies small chunks that are its own where they are a small part of their buffer', () => {
    const queue = new ByteQueue()
    const buffer = new ArrayBuffer(LARGE)
    for (let at = 0; at < 3; at++) queue.append(new Uint8Array(buffer, at * 100, 100), true)
    const [first, second] = queue.take(Infinity)
    expect([first?.buffer === buffer, second?.buffer === buffer]).toEqual([true, false])
    expect(second).toHaveLength(200)
  })

  it('keeps nothing of what has been taken, however long it holds more', async () => {
    const queue = new ByteQueue()
    queue.append(new Uint8Array(LARGE))
    const before = await memoryInUse()
    for (let n = 0; n < 60; n++) {
      queue.append(new Uint8Array(LARGE))
      queue.takeSlice()
    }
    expect((await memoryInUse()) - before).toBeLessThan(10 * LARGE)
    expect(queue.bytes).toBe(LARGE)
  })

  it('does not pin much memory for a lone small chunk', () => {
    const queue = new ByteQueue()
    queue.append(Buffer.from('x'))
    expect(queue.takeSlice()?.buffer.byteLength).toBeLessThanOrEqual(1024)
  })

  it('drops everything when cleared', () => {
    const queue = new ByteQueue()
    queue.append(new Uint8Array(10_000))
    queue.append(new Uint8Array(10))
    queue.clear()
    expect(queue.bytes).toBe(0)
    queue.append(Buffer.from('new'))
    expect(Buffer.concat(queue.take(10)).toString()).toBe('new')
  })

  test.each(seeds(30))('keeps every byte under any mix of takes and appends (seed %i)', (seed) => {
    const random = new SeededRandom(seed)
    const queue = new ByteQueue()
    const kept: { at: number; slice: Uint8Array }[] = []
    let written = 0
    let read = 0
    for (let round = 0; round < 400; round++) {
      if (random.random() < 0.6) {
        const bytes = random.pick([1, 100, 3125, 4095, 4096, 10_000])
        queue.append(patternAt(1, written, bytes))
        written += bytes
      } else
        for (const slice of queue.take(random.pick([1, 100, 3125, 10_000, 50_000]))) {
          kept.push({ at: read, slice })
          read += slice.length
        }
      expect(queue.bytes).toBe(written - read)
    }
    // Only now: what was given out must not change later either.
    for (const { at, slice } of kept) expect(Buffer.compare(slice, patternAt(1, at, slice.length))).toBe(0)
  })
})

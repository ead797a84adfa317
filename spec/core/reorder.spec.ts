// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it, test } from 'vitest'
import { ReorderWindow } from '../../lib/core/reorder.js'
import { SeededRandom } from '../../lib/testing/seeded-random.js'
import { patternAt, PatternChecker } from '../support/pattern.js'
import { seeds } from '../support/seeds.js'

const ROOMY = { maxUnreadBytes: 1_000_000, maxReorderBytes: 1_000_000 }

/** Judges and stores a frame as the receiver does. */
function offer(window: ReorderWindow, fn: number, payload: Uint8Array): string {
  const verdict = window.judge(fn, payload.length)
  if (verdict === 'store') window.store(fn, payload.length, [payload])
  return verdict
}

function readAll(window: ReorderWindow): string {
  const pieces: Uint8Array[] = []
  for (let piece = window.take(); piece !== undefined; piece = window.take()) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

describe('a reorder window', () => {
  it('gives frames in order, whatever the order they come in', () => {
    const window = new ReorderWindow(ROOMY)
    for (const [fn, text] of [
      [12, 'c'],
      [11, 'b'],
      [13, 'd'],
    ] as const)
      expect(offer(window, fn, Buffer.from(text))).toBe('store')
    expect(readAll(window)).toBe('')
    expect(window.outOfOrderBytes).toBe(3)
    expect(window.isMissing(10)).toBe(true)
    expect(window.isMissing(12)).toBe(false)
    offer(window, 10, Buffer.from('a'))
    expect(window.outOfOrderBytes).toBe(0)
    expect(readAll(window)).toBe('abcd')
  })

  it('keeps a piece for later that is not as short as was asked for', () => {
    const window = new ReorderWindow(ROOMY)
    offer(window, 10, Buffer.alloc(5000))
    expect(window.take(5000)).toBeUndefined()
    expect(window.take(5001)).toHaveLength(5000)
    expect([window.take(1), window.unreadBytes]).toEqual([undefined, 0])
  })

  it('knows what it has had, read or not', () => {
    const window = new ReorderWindow(ROOMY)
    offer(window, 10, Buffer.from('a'))
    offer(window, 12, Buffer.from('c'))
    expect(offer(window, 10, Buffer.from('a'))).toBe('duplicate')
    expect(offer(window, 12, Buffer.from('c'))).toBe('duplicate')
    readAll(window)
    expect(offer(window, 10, Buffer.from('a'))).toBe('duplicate')
    expect(window.isMissing(10)).toBe(false)
  })

  it('drops what is ahead beyond its budget, but never the next frame', () => {
    const window = new ReorderWindow({ maxUnreadBytes: 1000, maxReorderBytes: 100 })
    expect(offer(window, 11, new Uint8Array(50))).toBe('store')
    expect(offer(window, 12, new Uint8Array(60))).toBe('drop')
    expect(offer(window, 12, new Uint8Array(50))).toBe('store')
    expect(offer(window, 13, new Uint8Array(1))).toBe('drop')
    expect(window.outOfOrderBytes).toBe(100)
    expect(offer(window, 10, new Uint8Array(500))).toBe('store')
    expect(window.unreadBytes).toBe(600)
    expect(offer(window, 13, new Uint8Array(1))).toBe('store')
  })

  it('keeps the second half of its budget for the frames that come next, so that resends in any order fill it', () => {
    const window = new ReorderWindow({ maxUnreadBytes: 100_000, maxReorderBytes: 1000 })
    for (const fn of [30, 50, 70, 90, 110]) expect(offer(window, fn, new Uint8Array(100))).toBe('store')
    expect(offer(window, 130, new Uint8Array(100))).toBe('store')
    expect(offer(window, 150, new Uint8Array(100))).toBe('drop')
    expect(offer(window, 20, new Uint8Array(100))).toBe('drop')
    for (const fn of [11, 13, 12, 14]) expect(offer(window, fn, new Uint8Array(100))).toBe('store')
    expect(offer(window, 10, new Uint8Array(100))).toBe('store')
    expect(window.unreadBytes).toBe(500)
  })

  it('drops the next frame while the reader is behind, and takes one alone however large', () => {
    const window = new ReorderWindow({ maxUnreadBytes: 100, maxReorderBytes: 1000 })
    expect(offer(window, 10, new Uint8Array(500))).toBe('store')
    expect(offer(window, 11, new Uint8Array(1))).toBe('drop')
    window.take()
    expect(offer(window, 11, new Uint8Array(1))).toBe('store')
  })

  it('holds no more frames ahead than a Go receiver, however small they are', () => {
    const window = new ReorderWindow(ROOMY)
    expect(offer(window, 10 + 4095, new Uint8Array(1))).toBe('store')
    expect(offer(window, 10 + 4096, new Uint8Array(1))).toBe('drop')
    expect(offer(window, Number.MAX_SAFE_INTEGER, new Uint8Array(1))).toBe('drop')
  })

  it('drops everything when cleared', () => {
    const window = new ReorderWindow(ROOMY)
    offer(window, 10, Buffer.from('a'))
    offer(window, 12, Buffer.from('c'))
    window.clear()
    expect([window.unreadBytes, window.outOfOrderBytes]).toEqual([0, 0])
    expect(window.take()).toBeUndefined()
  })

  it('does not keep the whole of a socket’s buffer for a small held frame', () => {
    const window = new ReorderWindow(ROOMY)
    const read = Buffer.alloc(65_536, 'x')
    offer(window, 11, read.subarray(100, 110))
    read.fill('y')
    offer(window, 10, Buffer.from('-'))
    expect(readAll(window)).toBe('-xxxxxxxxxx')
  })

  it('does not keep the whole of a socket’s buffers for a slow reader', () => {
    const window = new ReorderWindow(ROOMY)
    offer(window, 10, new Uint8Array(300_000))
    const read = Buffer.alloc(65_536, 'x')
    offer(window, 11, read.subarray(0, 5000))
    window.take()
    expect(window.take()?.buffer.byteLength).toBe(5000)
  })

  test.each(seeds(20))('puts any order with duplicates right (seed %i)', (seed) => {
    const random = new SeededRandom(seed)
    const window = new ReorderWindow(ROOMY)
    const checker = new PatternChecker(1)
    const frames: { fn: number; at: number; size: number }[] = []
    let bytes = 0
    for (let fn = 10; fn < 210; fn++) {
      const size = random.pick([1, 10, 1400, 5000])
      frames.push({ fn, at: bytes, size })
      bytes += size
    }
    const order = frames
      .flatMap((frame) => (random.random() < 0.3 ? [frame, frame] : [frame]))
      .map((frame) => ({ frame, key: frame.fn + random.integer(0, 30) }))
      .sort((a, b) => a.key - b.key)
    for (const { frame } of order) {
      expect(offer(window, frame.fn, patternAt(1, frame.at, frame.size))).not.toBe('drop')
      if (random.random() < 0.5)
        for (let piece = window.take(); piece !== undefined; piece = window.take()) checker.add(piece)
    }
    for (let piece = window.take(); piece !== undefined; piece = window.take()) checker.add(piece)
    expect(checker).toMatchObject({ bytes, wrongAt: undefined })
    expect(window.outOfOrderBytes).toBe(0)
  })

  it('has room for what was promised, whichever of the two budgets it would need, and for nothing else', () => {
    const window = new ReorderWindow({ maxUnreadBytes: 100, maxReorderBytes: 100 })
    window.promise(3000)
    expect(window.judge(12, 1000)).toBe('store')
    window.store(12, 1000, [new Uint8Array(1000)])
    window.store(10, 1000, [new Uint8Array(1000)])
    expect(window.judge(11, 1001)).toBe('drop')
    expect(window.judge(11, 1000)).toBe('store')
    expect(window.judge(10 + 4096 + 1, 10)).toBe('drop')
  })

  it('charges a frame that two paths bring at the same time once', () => {
    const window = new ReorderWindow({ maxUnreadBytes: 100, maxReorderBytes: 100 })
    window.promise(1000)
    expect(window.begin(11, 1000)).toBeDefined()
    expect(window.judge(11, 1000)).toBe('store')
    expect(window.judge(12, 1)).toBe('drop')
  })
})

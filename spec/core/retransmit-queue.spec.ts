// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import type { SentFrame } from '../../lib/core/flight.js'
import { RetransmitQueue } from '../../lib/core/retransmit-queue.js'
import { range } from '../support/scripted-core.js'

function frame(fn: number): SentFrame {
  return { fn, size: 1, wire: [], carriers: new Set(), sends: 1 }
}

describe('frames to send again', () => {
  let queue: RetransmitQueue
  beforeEach(() => {
    queue = new RetransmitQueue()
  })
  const takeAll = (): number[] => {
    const fns: number[] = []
    for (let next = queue.first(); next; next = queue.first()) {
      fns.push(next.fn)
      queue.remove(next)
    }
    return fns
  }

  it('come lowest number first, whatever the order they were added in', () => {
    for (const fn of [14, 10, 12, 11, 13]) queue.add(frame(fn))
    expect(queue.first()?.fn).toBe(10)
    expect(takeAll()).toEqual([10, 11, 12, 13, 14])
    expect(queue.length).toBe(0)
  })

  it('are there once, however often they are added', () => {
    const once = frame(10)
    queue.add(once)
    queue.add(once)
    expect(takeAll()).toEqual([10])
    queue.add(once)
    expect(takeAll()).toEqual([10])
  })

  it('come first again where they must leave again, before others that have waited for longer', () => {
    const frames = range(10, 300).map(frame)
    for (const each of frames) queue.add(each)
    for (const each of frames.slice(0, 200)) {
      expect(queue.first()).toBe(each)
      queue.remove(each)
    }
    for (const at of [150, 3, 199]) queue.add(frames[at]!)
    expect(takeAll()).toEqual([13, 160, ...range(209, 300)])
  })

  it('are neither there nor counted once they are removed', () => {
    const frames = [10, 11, 12].map(frame)
    for (const each of frames) queue.add(each)
    queue.remove(frames[0]!)
    expect([queue.first()?.fn, queue.length]).toEqual([11, 2])
    queue.remove(frames[2]!)
    expect(queue.length).toBe(1)
    expect(takeAll()).toEqual([11])
    queue.remove(frames[1]!)
    expect([queue.first(), queue.length]).toEqual([undefined, 0])
  })

  it('are there once where they were removed and added again', () => {
    const frames = [10, 11, 12].map(frame)
    for (const each of frames) queue.add(each)
    queue.remove(frames[1]!)
    queue.add(frames[1]!)
    expect(queue.length).toBe(3)
    expect(takeAll()).toEqual([10, 11, 12])
  })

  it('can be dropped, and added again', () => {
    const frames = [10, 11, 12].map(frame)
    for (const each of frames) queue.add(each)
    queue.removeWhere((each) => each.fn !== 11)
    expect(queue.first()?.fn).toBe(11)
    queue.add(frames[0]!)
    expect(takeAll()).toEqual([10, 11])
  })
})

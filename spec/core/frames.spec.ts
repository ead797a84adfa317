// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import type { SentFrame } from '../../lib/core/frames.js'
import { ResendQueue } from '../../lib/core/frames.js'

function frame(fn: number): SentFrame {
  return { fn, size: 1, wire: [], carriers: new Set(), sends: 1, isAcked: false, isQueued: false }
}

describe('frames to send again', () => {
  let queue: ResendQueue
  beforeEach(() => {
    queue = new ResendQueue()
  })
  const takeAll = (): number[] => {
    const fns: number[] = []
    for (let next = queue.take(() => true); next; next = queue.take(() => true)) fns.push(next.fn)
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

  it('are no longer there once they are acked', () => {
    const frames = [10, 11, 12].map(frame)
    for (const each of frames) queue.add(each)
    frames[0]!.isAcked = true
    expect(queue.first()?.fn).toBe(11)
    frames[2]!.isAcked = true
    expect(takeAll()).toEqual([11])
    const acked = frame(13)
    acked.isAcked = true
    queue.add(acked)
    expect(queue.first()).toBeUndefined()
  })

  it('can be taken by choice', () => {
    for (const fn of [10, 11, 12]) queue.add(frame(fn))
    expect(queue.take((each) => each.fn > 10)?.fn).toBe(11)
    expect(queue.take((each) => each.fn > 99)).toBeUndefined()
    expect(takeAll()).toEqual([10, 12])
  })

  it('can be dropped, and added again', () => {
    const frames = [10, 11, 12].map(frame)
    for (const each of frames) queue.add(each)
    queue.drop((each) => each.fn !== 11)
    expect(queue.first()?.fn).toBe(11)
    queue.add(frames[0]!)
    expect(takeAll()).toEqual([10, 11])
  })
})

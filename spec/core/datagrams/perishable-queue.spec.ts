// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { Perishable } from '../../../lib/core/datagrams/perishable-queue.js'
import { PerishableQueue } from '../../../lib/core/datagrams/perishable-queue.js'

const item = (name: string, priority = 0, expiresAt = Infinity): Perishable & { name: string } => ({
  name,
  bytes: new Uint8Array(36),
  priority,
  expiresAt,
})

function queueOf(maxBytes: number, ...items: ReturnType<typeof item>[]) {
  const queue = new PerishableQueue<ReturnType<typeof item>>(maxBytes)
  for (const each of items) queue.push(each)
  return queue
}

/** The names of all that leave, in order. */
function drain(queue: ReturnType<typeof queueOf>, now = 0): string {
  let names = ''
  for (let next = queue.first(now); next !== undefined; next = queue.first(now)) {
    names += next.name
    queue.remove(next)
  }
  return names
}

describe('a queue of what perishes', () => {
  it('lets go what matters more first, and else what came first', () => {
    const queue = queueOf(10_000, item('a'), item('b', 2), item('c', 1), item('d'), item('e', 2))
    expect(queue.bytes).toBe(500)
    expect(drain(queue)).toBe('becad')
    expect([queue.bytes, queue.isEmpty]).toEqual([0, true])
  })

  it('drops the oldest of what matters least beyond its limit', () => {
    const queue = queueOf(300, item('a', 1), item('b'), item('c'), item('d', 1), item('e'))
    expect(queue.dropped).toBe(2)
    expect(drain(queue)).toBe('ade')
  })

  it('drops the new one where all others matter more, and keeps one that is longer than the limit alone', () => {
    expect(drain(queueOf(100, item('a', 1), item('b')))).toBe('a')
    const queue = queueOf(10, item('a'), item('b'))
    expect(drain(queue)).toBe('b')
    expect(queue.push(item('c'))).toBe(true)
  })

  it('drops what has become late when it would leave', () => {
    const queue = queueOf(1000, item('a', 0, 5), item('b', 0, 10), item('c', 1, 7))
    expect(drain(queue, 8)).toBe('b')
    expect([queue.expired, queue.dropped]).toEqual([2, 0])
  })
})

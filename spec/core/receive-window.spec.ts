// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import { CONN_OPTIONS, type ConnOptions } from '../../lib/core/options.js'
import { type Received, ReceiveWindow } from '../../lib/core/receive-window.js'
import { resolveOptions } from '../../lib/options.js'

const MIB = 1_048_576

let window: ReceiveWindow
let takenBytes: number
let now: number
const opened = (options: ConnOptions): void => {
  window = new ReceiveWindow(resolveOptions(CONN_OPTIONS, options))
  takenBytes = 0
  now = 0
}
beforeEach(() => {
  opened({ maxUnreadBytes: 16 * MIB, maxReorderBytes: 40 * MIB })
  reviewed({ takenBytes: 0, unreadBytes: 0, outOfOrderBytes: 0 }, 0)
})

/** @returns whether the limit has grown */
function reviewed(received: Received, at: number): boolean {
  const isDue = window.isDue(received)
  if (isDue) window.raise(received, at, 20)
  return isDue
}

/** What the peer may send beyond what was taken. */
const size = (): number => window.limitBytes - takenBytes

/** The reader takes so many bytes a millisecond for `ms`, and the peer keeps up; round trips are 20 ms. */
function reads(bytesPerMs: number, ms: number): number {
  let updates = 0
  for (const end = now + ms; now < end; now++) {
    takenBytes += bytesPerMs
    if (reviewed({ takenBytes, unreadBytes: 0, outOfOrderBytes: 0 }, now)) updates++
  }
  return updates
}

describe('the window of a receiver', () => {
  it('is an eighth of the budget at first, and stays so for a slow reader', () => {
    expect(size()).toBe(2 * MIB)
    reads(1000, 10_000)
    expect(size()).toBeLessThanOrEqual(2 * MIB)
    expect(size()).toBeGreaterThan(1.5 * MIB)
  })

  it('grows to several times what a fast reader takes in a round trip, and never over the budget', () => {
    reads(50_000, 1000)
    expect(size()).toBeGreaterThan(4 * 20 * 50_000)
    reads(1_000_000, 1000)
    expect(size()).toBeGreaterThan(11 * MIB)
    expect(size()).toBeLessThanOrEqual(16 * MIB)
  })

  it('is told of four times for each of its sizes', () => {
    expect(reads(1000, 20_000)).toBeLessThanOrEqual(4 * (20 / 2) + 1)
  })

  it('never takes back what was promised', () => {
    opened({ maxUnreadBytes: 65_536, maxReorderBytes: MIB })
    const first = { takenBytes: 0, unreadBytes: 0, outOfOrderBytes: 500_000 }
    expect(reviewed(first, 0)).toBe(true)
    expect(window.limitBytes).toBe(565_536)
    expect(reviewed({ ...first, unreadBytes: 500_000, outOfOrderBytes: 0 }, 1)).toBe(false)
    expect(window.limitBytes).toBe(565_536)
  })

  it('lets no more than maxReorderBytes come ahead of a missing frame', () => {
    opened({ maxUnreadBytes: MIB, maxReorderBytes: 200_000 })
    expect(reviewed({ takenBytes: 0, unreadBytes: 1000, outOfOrderBytes: 150_000 }, 0)).toBe(true)
    expect(window.limitBytes).toBe(201_000)
  })

  it('goes on under the smallest budgets', () => {
    opened({ maxUnreadBytes: 1, maxReorderBytes: 1 })
    for (let total = 0; total < 20_000; total += 1400) {
      takenBytes = total
      expect(reviewed({ takenBytes, unreadBytes: 0, outOfOrderBytes: 0 }, total)).toBe(true)
      expect(size()).toBe(1400)
    }
  })
})

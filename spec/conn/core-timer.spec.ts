// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../lib/clock.js'
import { CoreTimer } from '../../lib/conn/core-timer.js'
import type { ConnectionCore } from '../../lib/core/connection.js'

function scene(dueAt: number) {
  const forgiveSilence = vi.fn()
  const core = { forgiveSilence, nextTickAt: () => dueAt } as Partial<ConnectionCore> as ConnectionCore
  const clock = { now: () => 0, wall: () => 0, callAt: () => () => {} }
  const timer = new CoreTimer(core, clock, { isReadingStopped: false, wake: () => {}, flush: () => {} })
  timer.arm()
  return { timer, forgiveSilence }
}

describe('bytes that come while the timer is overdue', () => {
  it('are no measure of the path, since our own process stood still', () => {
    const { timer, forgiveSilence } = scene(100)
    timer.beforeReading(2100)
    expect(forgiveSilence).toHaveBeenCalledExactlyOnceWith(2100, 'once')
  })

  it('are one where it is hardly late, or not due', () => {
    for (const dueAt of [100, 2500, Infinity]) {
      const { timer, forgiveSilence } = scene(dueAt)
      timer.beforeReading(130)
      expect(forgiveSilence).not.toHaveBeenCalled()
    }
  })
})

describe('a timer of the process', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())
  const DAY_MS = 86_400_000

  it('may be weeks away, and is cancelled at any time', () => {
    const run = vi.fn()
    const cancelled = vi.fn()
    systemClock.callAt(systemClock.now() + 60 * DAY_MS, run)
    const cancel = systemClock.callAt(systemClock.now() + 60 * DAY_MS, cancelled)
    vi.advanceTimersByTime(59 * DAY_MS)
    expect(run).not.toHaveBeenCalled()
    cancel()
    vi.advanceTimersByTime(DAY_MS + 1)
    expect(run).toHaveBeenCalledOnce()
    expect(cancelled).not.toHaveBeenCalled()
  })
})

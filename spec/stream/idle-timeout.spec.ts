// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { IdleTimeout } from '../../lib/stream/idle-timeout.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a socket that nobody reads or writes', () => {
  const scene = () => {
    const onIdle = vi.fn()
    const state: { sent: number | undefined } = { sent: undefined }
    const idle = new IdleTimeout(onIdle, () => state.sent)
    idle.set(1000)
    return { idle, onIdle, state }
  }

  it('is not idle while what was written still leaves, and is once that stands still', () => {
    const { idle, onIdle, state } = scene()
    state.sent = 0
    idle.refresh()
    for (let n = 0; n < 5; n++) {
      vi.advanceTimersByTime(900)
      state.sent += 1000
      vi.advanceTimersByTime(100)
    }
    expect(onIdle).not.toHaveBeenCalled()
    vi.advanceTimersByTime(999)
    expect(onIdle).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(onIdle).toHaveBeenCalledOnce()
  })

  it('has all of its time from when the last of what was written has left, and no more', () => {
    const { idle, onIdle, state } = scene()
    vi.advanceTimersByTime(500)
    state.sent = 0
    idle.refresh()
    vi.advanceTimersByTime(20)
    state.sent = undefined
    idle.progressed()
    idle.progressed()
    vi.advanceTimersByTime(999)
    expect(onIdle).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(onIdle).toHaveBeenCalledOnce()
  })
})

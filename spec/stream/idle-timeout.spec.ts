// SPDX-License-Identifier: Apache-2.0
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { IdleTimeout } from '../../lib/stream/idle-timeout.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('a socket that nobody reads or writes', () => {
  it('is not idle while what was written still leaves, and is once that stands still', () => {
    const onIdle = vi.fn()
    let sent = 0
    const idle = new IdleTimeout(onIdle, () => sent)
    idle.set(1000)
    for (let n = 0; n < 5; n++) {
      vi.advanceTimersByTime(900)
      sent += 1000
      vi.advanceTimersByTime(100)
    }
    expect(onIdle).not.toHaveBeenCalled()
    vi.advanceTimersByTime(999)
    expect(onIdle).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1)
    expect(onIdle).toHaveBeenCalledOnce()
  })
})

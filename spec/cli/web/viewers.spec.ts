// SPDX-License-Identifier: Apache-2.0
import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { MOST_VIEWERS, Viewers } from '../../../lib/cli/web/viewers.js'

/** What is used of a response. */
class FakeResponse extends EventEmitter {
  readonly written: string[] = []
  writableNeedDrain = false

  write(text: string): void {
    this.written.push(text)
  }

  destroy(): void {
    this.emit('close')
  }
}

function join(viewers: Viewers): FakeResponse {
  const response = new FakeResponse()
  viewers.add(response as unknown as ServerResponse)
  return response
}

describe('the viewers of the page', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('get the state at once and four times a second, and nothing is asked for while nobody watches', () => {
    const state = vi.fn(() => '{}')
    const viewers = new Viewers(state)
    vi.advanceTimersByTime(10_000)
    expect(state).not.toHaveBeenCalled()
    const [one, other] = [join(viewers), join(viewers)]
    expect(one.written).toEqual(['data: {}\n\n'])
    vi.advanceTimersByTime(1000)
    expect([one.written.length, other.written.length]).toEqual([5, 5])
    // Made once for all.
    expect(state).toHaveBeenCalledTimes(6)
    one.destroy()
    other.destroy()
    vi.advanceTimersByTime(10_000)
    expect(state).toHaveBeenCalledTimes(6)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('that are slow are left out until they have taken what was sent, and cut off after ten seconds', () => {
    const state = vi.fn(() => '{}')
    const viewers = new Viewers(state)
    const slow = join(viewers)
    const dead = join(viewers)
    slow.writableNeedDrain = true
    dead.writableNeedDrain = true
    vi.advanceTimersByTime(9000)
    expect([slow.written.length, dead.written.length]).toEqual([1, 1])
    expect(state).toHaveBeenCalledTimes(2)
    slow.writableNeedDrain = false
    vi.advanceTimersByTime(1500)
    expect(slow.written.length).toBe(7)
    expect(viewers.count).toBe(1)
  })

  it('are at most eight, until one leaves', () => {
    const viewers = new Viewers(() => '{}')
    const all = Array.from({ length: MOST_VIEWERS }, () => join(viewers))
    expect(viewers.isFull).toBe(true)
    all[0]!.destroy()
    expect(viewers.isFull).toBe(false)
  })
})

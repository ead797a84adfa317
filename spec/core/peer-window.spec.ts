// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from 'vitest'
import { PeerWindow } from '../../lib/core/peer-window.js'

describe('what the receiver takes', () => {
  let window: PeerWindow
  beforeEach(() => {
    window = new PeerWindow()
  })

  /** The waits before each of `count` probes that nothing answers. */
  const waits = (count: number, start: number): number[] => {
    const found: number[] = []
    let now = start
    for (let probe = 0; probe < count; probe++) {
      found.push(window.probeAt - now)
      now = window.probeAt
      window.probed(now)
    }
    return found
  }

  /** Frames that may be unacked. */
  const opening = (): number => {
    let frames = 0
    while (frames < 5000 && window.allows(frames)) frames++
    return frames
  }
  const acks = (count: number): void => {
    for (let ack = 0; ack < count; ack++) window.acked(false)
  }

  it('is everything as long as nothing is dropped', () => {
    expect(window.allows(4000)).toBe(true)
    expect(window.isStopped).toBe(false)
    expect(window.probeAt).toBe(Infinity)
  })

  it('is nothing new, nor anything again, once it dropped a frame', () => {
    window.dropped(1000)
    expect(window.isStopped).toBe(true)
    expect(window.allows(0)).toBe(false)
    expect(window.allowsResend(0)).toBe(false)
    expect(window.probeAt).toBeGreaterThan(1000)
  })

  it('is asked about ever more seldom, up to seconds', () => {
    window.dropped(1000)
    const found = waits(10, 1000)
    for (let index = 1; index < found.length; index++)
      expect(found[index]).toBeGreaterThanOrEqual(found[index - 1]!)
    expect(found[0]).toBeLessThanOrEqual(500)
    expect(found.at(-1)).toBeGreaterThanOrEqual(2000)
    expect(found.at(-1)).toBeLessThanOrEqual(10_000)
  })

  it('does not change when a second frame is dropped', () => {
    window.dropped(1000)
    const { probeAt } = window
    window.dropped(1100)
    expect(window.probeAt).toBe(probeAt)
  })

  it('opens a little after an ack, then more with each', () => {
    window.dropped(1000)
    window.acked(true)
    expect(window.isStopped).toBe(false)
    expect(window.allowsResend(0)).toBe(true)
    const first = opening()
    expect(first).toBeGreaterThan(0)
    expect(first).toBeLessThan(32)
    for (let ack = 0; ack < 10; ack++) window.acked(false)
    expect(opening()).toBeGreaterThanOrEqual(first + 10)
    for (let ack = 0; ack < 5000; ack++) window.acked(false)
    expect(window.allows(1_000_000)).toBe(true)
  })

  it('is nothing new while the peer asks us to hold, until it says go', () => {
    window.hold(1000)
    expect(window.allows(0)).toBe(false)
    expect(window.probeAt).toBeGreaterThan(1000)
    window.go()
    expect(window.allows(4000)).toBe(true)
    expect(window.probeAt).toBe(Infinity)
  })

  it('may be sent frames again while it holds: they were promised room', () => {
    window.hold(1000)
    expect(window.allowsResend(0)).toBe(true)
  })

  it('goes on after an ack of the probe, should the go have been lost', () => {
    window.hold(1000)
    window.acked(false)
    expect(window.isStopped).toBe(true)
    window.acked(true)
    expect(window.isStopped).toBe(false)
  })

  it('waits less again once a lot was taken in between, and as at first after a go', () => {
    window.dropped(1000)
    const first = waits(5, 1000)
    for (let ack = 0; ack < 1000; ack++) window.acked(ack === 0)
    window.dropped(50_000)
    expect(waits(1, 50_000)[0]).toBeLessThan(first.at(-1)!)
    window.go()
    window.hold(90_000)
    expect(waits(1, 90_000)).toEqual(first.slice(0, 1))
  })

  it('waits on where little was taken: the reader is slow, and each dropped frame costs a few frames', () => {
    window.dropped(1000)
    const first = waits(5, 1000)
    for (let ack = 0; ack < 3; ack++) window.acked(ack === 0)
    window.dropped(50_000)
    expect(waits(1, 50_000)[0]).toBeGreaterThanOrEqual(first.at(-1)!)
  })

  it('does not put a probe off because it is asked to hold again', () => {
    window.hold(1000)
    const { probeAt } = window
    window.hold(1100)
    expect(window.probeAt).toBe(probeAt)
  })

  it('grows by a frame for each ack up to half of what was too much, then by one a round', () => {
    window.dropped(1000)
    acks(97)
    expect(opening()).toBe(100)
    window.dropped(5000)
    acks(1 + 46)
    expect(opening()).toBe(50)
    acks(50)
    expect(opening()).toBeLessThanOrEqual(51)
  })

  it('is not halved again by what was on its way when a frame was dropped', () => {
    window.dropped(1000)
    acks(97)
    window.dropped(5000)
    acks(1)
    window.dropped(5050)
    acks(1 + 46)
    expect(opening()).toBe(50)
  })

  it('is never asked about sooner than at first, however much was taken', () => {
    window.dropped(1000)
    const first = window.probeAt - 1000
    acks(1000)
    window.dropped(50_000)
    expect(window.probeAt - 50_000).toBe(first)
  })

  it('has what was taken counted anew from each dropped frame on', () => {
    window.dropped(1000)
    waits(6, 1000)
    acks(1000)
    window.dropped(50_000)
    const second = window.probeAt - 50_000
    expect(second).toBeGreaterThan(500)
    acks(3)
    window.dropped(90_000)
    expect(window.probeAt - 90_000).toBe(second)
  })

  it('is what it says, in bytes, from the first one on; and it takes nothing back', () => {
    expect(window.roomAfter(1e12)).toBe(Infinity)
    window.opened(5000)
    expect(window.roomAfter(1000)).toBe(4000)
    window.opened(4000)
    window.opened(0)
    expect(window.roomAfter(1000)).toBe(4000)
    expect(window.roomAfter(9000)).toBe(0)
    window.opened(2 ** 53 - 1)
    expect(window.roomAfter(9000)).toBeGreaterThan(1e12)
  })

  it('is asked for while data waits, ever more seldom, and as at first once it has said more', () => {
    window.opened(1000)
    expect(window.probeAt).toBe(Infinity)
    window.awaited(1000)
    const found = waits(6, 1000)
    expect(found[0]).toBe(200)
    expect(found.at(-1)).toBe(5000)
    window.awaited(50_000)
    expect(window.probeAt).toBeLessThan(50_000)
    window.opened(2000)
    expect(window.probeAt).toBe(Infinity)
    window.awaited(60_000)
    expect(waits(1, 60_000)).toEqual([200])
  })

  it('lets resends pass while new data waits: they were promised room', () => {
    window.opened(1000)
    window.awaited(1000)
    expect(window.isStopped).toBe(false)
    expect(window.allowsResend(0)).toBe(true)
  })

  it('is no hold any more once it has said in bytes how much', () => {
    window.hold(1000)
    window.opened(9000)
    expect(window.isStopped).toBe(false)
  })
})

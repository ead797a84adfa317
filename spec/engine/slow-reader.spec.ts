// SPDX-License-Identifier: Apache-2.0
/** A reader that is slow or stops: no resending beyond probes, memory within its budgets, nothing lost. */
import { describe, expect, it, test, vi } from 'vitest'
import { corePair, goPair } from '../support/core-pair.js'
import { expectNoLoss } from '../support/expect-no-loss.js'

// Minutes of virtual time are seconds of a busy machine's.
vi.setConfig({ testTimeout: 60_000 })

const KIB = 1024
const MIB = 1024 * KIB
const ONE = [{ rateMbps: 100, delayMs: 10 }]
const TWO = [
  { rateMbps: 50, delayMs: 10 },
  { rateMbps: 50, delayMs: 20 },
]

describe.each([
  ['one path', ONE],
  ['two paths', TWO],
])('a reader of our kind behind %s', (_name, links) => {
  it('that stops for 10 s costs no resending and little memory', () => {
    const options = { maxUnreadBytes: 2 * MIB, maxReorderBytes: 4 * MIB }
    const { near, far, advance, advanceUntil } = corePair({ links, options })
    near.write(40 * MIB)
    advance(300)
    far.readBytesPerMs = 0
    advance(10_000)
    expect(far.core.unreadBytes + far.core.metrics.outOfOrderBytes).toBeLessThanOrEqual(6 * MIB)
    const wire = near.wireBytes
    advance(5000)
    expect(near.wireBytes - wire).toBeLessThan(50 * KIB)
    far.readBytesPerMs = Infinity
    advanceUntil(() => far.received.bytes === 40 * MIB)
    expect(near.sum('bytesRetransmitted')).toBe(0)
    expectNoLoss(near, far)
    expect(far.peak.unread).toBeLessThanOrEqual(6 * MIB)
  })

  it('that stops and goes on over and over has not one frame refused, whatever is on its way', () => {
    const options = { maxUnreadBytes: 256 * KIB, maxReorderBytes: MIB }
    const { near, far, advance, advanceUntil } = corePair({ links, options })
    near.write(60 * MIB)
    for (let round = 0; round < 20; round++) {
      far.readBytesPerMs = Infinity
      advance(100)
      far.readBytesPerMs = 0
      advance(50 + 37 * round)
      expect(far.core.unreadBytes + far.core.metrics.outOfOrderBytes).toBeLessThanOrEqual(1.25 * MIB)
    }
    far.readBytesPerMs = Infinity
    advanceUntil(() => far.received.bytes === 60 * MIB)
    expectNoLoss(near, far)
    // Each byte has come once: none was refused.
    expect(far.sum('bytesReceived')).toBe(60 * MIB)
  })

  it('that stops keeps no more than the paths can use, though it had room for more', () => {
    const { near, far, advance } = corePair({ links })
    near.write(100 * MIB)
    advance(300)
    far.readBytesPerMs = 0
    advance(10_000)
    expect(far.core.unreadBytes).toBeLessThanOrEqual(6 * MIB)
    expectNoLoss(near, far)
  })

  it('that is slow gets data as fast as it reads', () => {
    const { near, far, advance, clock } = corePair({ links, options: { maxUnreadBytes: 2 * MIB } })
    near.write(40 * MIB)
    // 8 Mbit/s.
    far.readBytesPerMs = 1000
    advance(2000)
    const [bytes, from] = [far.received.bytes, clock.now()]
    advance(10_000)
    expect((far.received.bytes - bytes) / (clock.now() - from)).toBeGreaterThan(950)
    expectNoLoss(near, far)
    expect(far.peak.unread).toBeLessThanOrEqual(2 * MIB)
  })

  it('goes on at full rate after it has caught up', () => {
    const { near, far, advance, clock } = corePair({ links, options: { maxUnreadBytes: 2 * MIB } })
    near.write(100 * MIB)
    advance(500)
    far.readBytesPerMs = 0
    advance(3000)
    far.readBytesPerMs = Infinity
    advance(500)
    const [bytes, from] = [far.received.bytes, clock.now()]
    advance(2000)
    expect(((far.received.bytes - bytes) * 8) / 1000 / (clock.now() - from)).toBeGreaterThan(0.85 * 100)
  })
})

describe('the word of a reader that goes on', () => {
  it('is not lost with the path on which it was said: it is repeated, and asked for', () => {
    const { near, far, links, advance, advanceUntil } = corePair({
      links: TWO,
      options: { maxUnreadBytes: MIB },
    })
    near.write(8 * MIB)
    far.readBytesPerMs = 0
    advance(5000)
    const before = far.received.bytes
    // The answers of both paths are swallowed, then one returns.
    for (const link of links) link.freeze('back')
    far.readBytesPerMs = Infinity
    advance(1000)
    links[1]!.thaw()
    advance(1000)
    expect(far.received.bytes).toBeGreaterThan(before + 2 * MIB)
    links[0]!.thaw()
    advanceUntil(() => far.received.bytes === 8 * MIB)
    expect(far.received.wrongAt).toBeUndefined()
  })

  it('is heard after the connection was held without a path, however much it had said before', () => {
    const options = { maxUnreadBytes: MIB }
    const { near, far, links, join, advance, advanceUntil } = corePair({ links: TWO, options })
    near.write(20 * MIB)
    far.readBytesPerMs = 0
    advance(2000)
    for (const link of links) link.reset()
    advance(1000)
    expect(near.core.isSuspended).toBe(true)
    far.readBytesPerMs = Infinity
    join(0)
    advanceUntil(() => far.received.bytes === 20 * MIB)
    expect(far.received.wrongAt).toBeUndefined()
    expect(far.peak.unread).toBeLessThanOrEqual(2 * MIB)
  })
})

describe('a Go peer whose reader stops', () => {
  test.each([
    ['one path', ONE],
    ['two paths', TWO],
  ])('behind %s gets nothing again but probes', (_name, links) => {
    const options = { maxFrameBytes: 1400 }
    const { near, go, advance, advanceUntil } = goPair({ links, options })
    near.write(16 * MIB)
    advance(100)
    go.readBytesPerMs = 0
    advance(10_000)
    const { dropped } = go
    const resent = near.sum('bytesRetransmitted')
    expect(near.changes.map(({ state }) => state)).not.toContain('suspect')
    advance(20_000)
    expect(go.dropped - dropped).toBeLessThan(30)
    expect(near.sum('bytesRetransmitted') - resent).toBeLessThan(30 * 1400)
    expect(near.core.unflushedBytes).toBeLessThan(8 * MIB)
    go.readBytesPerMs = Infinity
    advanceUntil(() => go.received.bytes === 16 * MIB)
    expect(go.received.wrongAt).toBeUndefined()
    expect(near.states()).not.toContain('closed')
  })

  it('takes back up where it was, soon after it reads again', () => {
    const { near, go, advance, clock } = goPair({ links: TWO, options: { maxFrameBytes: 1400 } })
    near.write(200 * MIB)
    go.readBytesPerMs = 0
    advance(10_000)
    go.readBytesPerMs = Infinity
    const before = go.received.bytes
    advance(7000)
    expect(go.received.bytes - before).toBeGreaterThan(8 * MIB)
    const [bytes, from] = [go.received.bytes, clock.now()]
    advance(1000)
    expect(((go.received.bytes - bytes) * 8) / 1000 / (clock.now() - from)).toBeGreaterThan(50)
  })

  it('is slow costs little resending', () => {
    const { near, go, advance } = goPair({ links: TWO, options: { maxFrameBytes: 1400 } })
    near.write(200 * MIB)
    // 16 Mbit/s of 100.
    go.readBytesPerMs = 2000
    advance(10_000)
    const [bytes, resent] = [go.received.bytes, near.sum('bytesRetransmitted')]
    advance(10_000)
    expect((go.received.bytes - bytes) / 10_000).toBeGreaterThan(1800)
    expect((near.sum('bytesRetransmitted') - resent) / (go.received.bytes - bytes)).toBeLessThan(0.1)
  })
})

describe('our reader of what a Go peer writes', () => {
  it('pushes back by TCP when it stops, without a frame sent again, and within its budget', () => {
    const options = { maxUnreadBytes: 2 * MIB, maxReorderBytes: 2 * MIB }
    const links = [{ rateMbps: 100, delayMs: 10, receiveBufferBytes: 256 * KIB, sendBufferBytes: 64 * KIB }]
    const { near, go, advance, advanceUntil } = goPair({ links, options })
    advance(100)
    go.write(20 * MIB)
    near.readBytesPerMs = 0
    advance(10_000)
    expect(near.isReadingStopped).toBe(true)
    expect(near.states()).toEqual(['up'])
    expect(near.core.unreadBytes).toBeLessThanOrEqual(2 * MIB + 64 * KIB)
    near.readBytesPerMs = Infinity
    advanceUntil(() => near.received.bytes === 20 * MIB)
    expect(near.received.wrongAt).toBeUndefined()
  })
})

describe('applications that write before they read', () => {
  const bytes = 24 * MIB
  const options = {
    maxUnreadBytes: MIB,
    maxReorderBytes: MIB,
    maxUnackedBytes: MIB,
    sendBufferBytes: 256 * KIB,
  }

  it('get through where the other reads as it writes', () => {
    const { near, far, advanceUntil } = corePair({ links: TWO, options })
    near.readBytesPerMs = 0
    near.write(bytes)
    far.write(bytes)
    advanceUntil(() => !near.isWriting && near.core.unflushedBytes === 0)
    expect(far.received).toMatchObject({ bytes, wrongAt: undefined })
    expect(near.peak.unread).toBeLessThanOrEqual(2 * MIB)
    near.readBytesPerMs = Infinity
    advanceUntil(() => near.received.bytes === bytes)
    expect(near.received.wrongAt).toBeUndefined()
  })

  it('get through with a Go peer that reads as it writes', () => {
    const { near, go, advanceUntil } = goPair({ links: TWO, options })
    near.readBytesPerMs = 0
    near.write(bytes)
    go.write(bytes)
    advanceUntil(() => !near.isWriting && near.core.unflushedBytes === 0, 600_000)
    expect(go.received).toMatchObject({ bytes, wrongAt: undefined })
    expect(near.peak.unread).toBeLessThanOrEqual(2 * MIB)
    near.readBytesPerMs = Infinity
    advanceUntil(() => near.received.bytes === bytes, 600_000)
    expect(near.received.wrongAt).toBeUndefined()
  })

  it('both get through as far as the budgets of the other allow, and on once one reads', () => {
    const { near, far, advance, advanceUntil } = corePair({ links: TWO, options })
    near.readBytesPerMs = 0
    far.readBytesPerMs = 0
    near.write(bytes)
    far.write(bytes)
    advance(10_000)
    expect(near.states()).toEqual(['up', 'up'])
    far.readBytesPerMs = Infinity
    advanceUntil(() => far.received.bytes === bytes)
    near.readBytesPerMs = Infinity
    advanceUntil(() => near.received.bytes === bytes)
    expect([far.received.wrongAt, near.received.wrongAt]).toEqual([undefined, undefined])
  })
})

describe('memory', () => {
  it('of the sender stays within its budgets however long a path is silent', () => {
    const options = { maxUnackedBytes: 2 * MIB, sendBufferBytes: MIB }
    const { near, links, advance } = corePair({ links: ONE, options })
    near.write(100 * MIB)
    advance(100)
    links[0]!.freeze()
    advance(8000)
    expect(near.peak.unflushed).toBeLessThanOrEqual(3 * MIB + 128 * KIB)
  })

  it('of the receiver stays within its budget however far a path lags behind', () => {
    const options = { maxReorderBytes: MIB, maxUnreadBytes: MIB, maxUnackedBytes: 64 * MIB }
    const { near, far, links, advance, advanceUntil } = corePair({ links: TWO, options })
    near.write(60 * MIB)
    for (let round = 0; round < 10; round++) {
      advance(200)
      links[round % 2]!.freeze('there')
      advance(100)
      links[round % 2]!.thaw()
    }
    advanceUntil(() => far.received.bytes === 60 * MIB)
    expect(far.peak.held).toBeLessThanOrEqual(MIB)
    expect(far.received.wrongAt).toBeUndefined()
  })
})

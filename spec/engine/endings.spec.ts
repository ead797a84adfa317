// SPDX-License-Identifier: Apache-2.0
/** How connections end over simulated links, with whom, and what either side is told. */
import { describe, expect, it } from 'vitest'
import { corePair, goPair } from '../support/core-pair.js'
import { expectNoLoss } from '../support/expect-no-loss.js'

const MIB = 1_048_576
const TWO = [
  { rateMbps: 50, delayMs: 10 },
  { rateMbps: 50, delayMs: 60 },
]

describe('an end between two of ours', () => {
  it('of one side leaves the other side writing', () => {
    const { near, far, advance, advanceUntil } = corePair({ links: TWO })
    near.write(MIB)
    near.end()
    advanceUntil(() => far.core.isReadEnd)
    expect(far.received.bytes).toBe(MIB)
    expect(near.core.isWriteEnd).toBe(true)
    far.write(2 * MIB)
    advance(1000)
    expect(near.received.bytes).toBe(2 * MIB)
    expect(near.core.isReadEnd).toBe(false)
    far.end()
    advanceUntil(() => near.finishedAt !== undefined && far.finishedAt !== undefined)
    expect([near.error, far.error]).toEqual([undefined, undefined])
    expectNoLoss(near, far)
  })

  it('comes after all data, however slow the reader', () => {
    const { near, far, advance, advanceUntil } = corePair({ links: TWO })
    far.readBytesPerMs = 500
    near.write(3 * MIB)
    near.end()
    far.end()
    let wasEarly = false
    far.onRead = () => {
      wasEarly ||= far.core.isReadEnd && far.received.bytes < 3 * MIB
    }
    advanceUntil(() => far.core.isReadEnd)
    expect(far.received.bytes).toBe(3 * MIB)
    expect(wasEarly).toBe(false)
    advance(1000)
    expect([near.error, far.error]).toEqual([undefined, undefined])
    expect(near.finishedAt).toBeDefined()
  })

  it('gets through although the path that carried the last frame falls silent', () => {
    const { near, far, links, advance, advanceUntil } = corePair({ links: TWO })
    near.write(5 * MIB)
    near.end()
    far.end()
    advance(700)
    links[0]!.freeze()
    advanceUntil(() => near.finishedAt !== undefined && far.finishedAt !== undefined, 30_000)
    expect(far.received).toMatchObject({ bytes: 5 * MIB, wrongAt: undefined })
    expect([near.error, far.error]).toEqual([undefined, undefined])
  })

  it('is an error on both sides where every path breaks under data', () => {
    const { near, far, links, advance } = corePair({ links: TWO, options: { holdMs: 0 } })
    near.write(20 * MIB)
    advance(500)
    for (const link of links) link.cut()
    advance(10)
    expect(near.error?.multipathCode).toBe('ERR_MULTIPATH_UNACKED')
    expect(far.error?.multipathCode).toBe('ERR_MULTIPATH_INCOMPLETE')
    expect(far.received.wrongAt).toBeUndefined()
  })

  it('is an error where every path breaks while nothing is under way: more may have been to come', () => {
    const { near, far, links, advance } = corePair({ links: TWO, options: { holdMs: 0 } })
    near.write(1000)
    advance(500)
    for (const link of links) link.cut()
    advance(10)
    expect([near.error?.multipathCode, far.error?.multipathCode]).toEqual([
      'ERR_MULTIPATH_INCOMPLETE',
      'ERR_MULTIPATH_INCOMPLETE',
    ])
  })

  it('is seen in order by the other side where one is destroyed with everything acked', () => {
    const { near, far, advance } = corePair({ links: TWO })
    near.write(1000)
    advance(500)
    near.destroy()
    advance(500)
    expect(far.received.bytes).toBe(1000)
    expect(far.core.isReadEnd).toBe(true)
    expect(far.error).toBeUndefined()
  })

  it('is seen as an error by the other side where one aborts', () => {
    const { near, far, advance } = corePair({ links: TWO })
    near.write(1000)
    advance(500)
    near.destroy(true)
    advance(500)
    expect(far.error?.multipathCode).toBe('ERR_MULTIPATH_RESET')
  })

  it('is an error after lingerMs where the reader never reads on', () => {
    const { near, far, advance, advanceUntil } = corePair({
      links: TWO,
      options: { lingerMs: 5000, maxUnreadBytes: MIB, maxReorderBytes: MIB },
    })
    far.readBytesPerMs = 0
    near.write(20 * MIB)
    advance(2000)
    near.end()
    near.destroy()
    advanceUntil(() => near.finishedAt !== undefined, 60_000)
    advance(1000)
    expect(far.error?.multipathCode).toBe('ERR_MULTIPATH_INCOMPLETE')
  })

  it('leaves no timers', () => {
    const { near, far, clock, advance } = corePair({ links: TWO })
    near.write(MIB)
    near.end()
    far.end()
    advance(5000)
    expect(near.finishedAt).toBeDefined()
    expect(clock.nextTimerAt).toBe(Infinity)
  })
})

describe('an end with a Go peer', () => {
  it('of ours waits until all is acked, then closes', () => {
    const { near, go, advanceUntil } = goPair({ links: TWO })
    near.write(5 * MIB)
    near.end()
    advanceUntil(() => near.finishedAt !== undefined && go.isClosed)
    expect(go.received).toMatchObject({ bytes: 5 * MIB, wrongAt: undefined })
    expect(near.error).toBeUndefined()
    expectNoLoss(near)
  })

  it('of its own, all acked, is in order', () => {
    const { near, go, advance, advanceUntil } = goPair({ links: TWO })
    go.write(5 * MIB)
    advanceUntil(() => go.isWritten)
    go.close()
    advance(1000)
    expect(near.received).toMatchObject({ bytes: 5 * MIB, wrongAt: undefined })
    expect(near.core.isReadEnd).toBe(true)
    expect(near.error).toBeUndefined()
  })

  it('of its own in the middle is in order or an error, but what was read is right', () => {
    const { near, go, links, advance } = goPair({ links: TWO })
    go.write(20 * MIB)
    advance(500)
    // What the one path still carries is lost, what the other carries comes in.
    links[0]!.reset()
    go.close()
    advance(5000)
    expect(near.error?.multipathCode).toBe('ERR_MULTIPATH_INCOMPLETE')
    expect(near.received.wrongAt).toBeUndefined()
  })
})

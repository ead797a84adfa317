// SPDX-License-Identifier: Apache-2.0
/** Connections that lose all their paths and get them back, in virtual time: nothing is lost, doubled or swapped. */
import { env } from 'node:process'
import { describe, expect, it, test, vi } from 'vitest'
import { encodeReset, RESET } from '../../lib/wire/end-frames.js'
import { ANNOUNCEMENT } from '../../lib/wire/settings.js'
import { SeededRandom } from '../../lib/testing/seeded-random.js'
import type { CorePair } from '../support/core-pair.js'
import { corePair } from '../support/core-pair.js'

vi.setConfig({ testTimeout: 600_000 })

const MIB = 1_048_576
/** Sequences of cuts, holds, joins and ends; HOLD_SEQUENCES=10000 for all. */
const SEQUENCES = Number(env['HOLD_SEQUENCES'] ?? 300)
const FIRST_SEED = Number(env['HOLD_SEED'] ?? 1)
const TWO = [
  { rateMbps: 50, delayMs: 10 },
  { rateMbps: 50, delayMs: 60 },
]

/** As a dialer does: joins where no subflow is, and where the listener has forgotten the connection, hears so. */
function rejoin({ near, far, links, join }: CorePair, index: number): void {
  if (near.core.isOver) return
  if (!far.core.isOver) {
    join(index)
    return
  }
  const [nearEnd, farEnd] = links[index]!.openRaw()
  near.join(nearEnd, { label: `link ${index}` })
  const ignore = (): void => {}
  farEnd.handle({ onBytes: ignore, onRoom: ignore, onEnd: ignore, onReset: ignore })
  farEnd.write(ANNOUNCEMENT)
  farEnd.write(encodeReset({ code: RESET.unknown }))
  farEnd.end()
}

describe('a connection that loses all its paths', () => {
  it('goes on when one comes back, and only what is missing is sent again', () => {
    const pair = corePair({ links: TWO, hasProofs: true })
    const { near, far, links, advance, advanceUntil, join } = pair
    near.write(8 * MIB)
    far.write(4 * MIB)
    advance(500)
    for (const link of links) link.cut()
    advance(60_000)
    expect([near.core.isSuspended, far.core.isSuspended]).toEqual([true, true])
    const [before, unacked] = [far.received.bytes, near.core.metrics.unackedBytes]
    for (const link of links) link.restore()
    join(1)
    advance(400)
    expect(far.received.bytes).toBeGreaterThan(before)
    near.end()
    far.end()
    advanceUntil(() => near.finishedAt !== undefined && far.finishedAt !== undefined)
    expect(far.received).toMatchObject({ bytes: 8 * MIB, wrongAt: undefined })
    expect(near.received).toMatchObject({ bytes: 4 * MIB, wrongAt: undefined })
    expect([near.error, far.error]).toEqual([undefined, undefined])
    expect(near.resumptions).toEqual([expect.closeTo(60_000, -3)])
    expect(near.sum('bytesRetransmitted')).toBeLessThanOrEqual(unacked)
  })

  it('on one side alone goes on, though the other side has not noticed', () => {
    const { near, far, links, clock, advance, advanceUntil, join } = corePair({
      links: [TWO[0]!],
      hasProofs: true,
    })
    near.write(4 * MIB)
    far.write(4 * MIB)
    advance(300)
    links[0]!.freeze()
    near.core.closeSubflow(near.joined[0]!, 'failed', clock.now())
    near.flush()
    expect(near.core.isSuspended).toBe(true)
    advance(50)
    links[0]!.thaw()
    join(0)
    expect(far.core.isSuspended).toBe(false)
    near.end()
    far.end()
    advanceUntil(() => near.finishedAt !== undefined && far.finishedAt !== undefined)
    expect([near.error, far.error]).toEqual([undefined, undefined])
    expect([near.received.bytes, far.received.bytes]).toEqual([4 * MIB, 4 * MIB])
  })

  it('fills the buffers while it waits, and no more', () => {
    const { near, links, advance } = corePair({ links: TWO, options: { sendBufferBytes: MIB } })
    advance(100)
    for (const link of links) link.cut()
    near.write(64 * MIB)
    advance(10_000)
    expect(near.core.isSuspended).toBe(true)
    expect(near.core.unflushedBytes).toBeLessThan(1.1 * MIB)
  })

  it('ends on both sides when the hold time is over, and leaves no timer', () => {
    const { near, far, links, clock, advance } = corePair({ links: TWO, options: { holdMs: 5000 } })
    near.write(100)
    advance(500)
    for (const link of links) link.cut()
    advance(4900)
    expect([near.error, far.error]).toEqual([undefined, undefined])
    advance(200)
    expect([near.error?.multipathCode, far.error?.multipathCode]).toEqual([
      'ERR_MULTIPATH_HOLD',
      'ERR_MULTIPATH_HOLD',
    ])
    expect(clock.nextTimerAt).toBe(Infinity)
  })
})

/** Draws what happens to the paths for `ms`, and dials as long as anything is left to be done. */
function shake(pair: CorePair, random: SeededRandom, ms: number): void {
  const { clock, links, near, far } = pair
  const end = clock.now() + ms
  const later = (after: number, run: () => void): void => void clock.callAt(clock.now() + after, run)
  const isDone = (): boolean => near.core.isOver
  const dial = (): void => {
    if (isDone()) return
    const index = random.integer(0, links.length - 1)
    const live = near.core.subflows.filter(({ label }) => label === `link ${index}`)
    if (live.length === 0 && !down.has(index)) rejoin(pair, index)
    later(random.integer(20, 900), dial)
  }
  const down = new Set<number>()
  const cut = (index: number): void => {
    links[index]!.cut()
    down.add(index)
    later(random.integer(1, 6000), () => {
      links[index]!.restore()
      down.delete(index)
    })
  }
  const step = (): void => {
    if (clock.now() > end || isDone()) return
    const index = random.integer(0, links.length - 1)
    const dice = random.random()
    if (dice < 0.35) links.forEach((_link, each) => cut(each))
    else if (dice < 0.55) cut(index)
    else if (dice < 0.7) links[index]!.reset()
    else if (dice < 0.85) {
      links[index]!.freeze(random.pick(['both', 'there', 'back']))
      later(random.integer(1, 3000), () => {
        links[index]!.thaw()
      })
    } else {
      const side = random.pick([near, far])
      const subflow = side.core.subflows[0]
      if (subflow !== undefined) side.core.closeSubflow(subflow, 'failed', clock.now())
      side.flush()
    }
    later(random.integer(1, 2500), step)
  }
  dial()
  later(random.integer(1, 500), step)
}

function sequence(seed: number): void {
  const random = new SeededRandom(seed)
  const links = Array.from({ length: random.integer(1, 3) }, () => ({
    rateMbps: random.integer(1, 50),
    delayMs: random.integer(1, 100),
    jitterMs: random.integer(0, 5),
  }))
  const pair = corePair({
    links,
    seed,
    hasProofs: true,
    options: { deadMs: 1000, maxFrameBytes: random.pick([100, 1400, 65_536]) },
  })
  const { near, far, clock, advanceUntil } = pair
  const [toFar, toNear] = [random.integer(1, 60_000), random.integer(1, 60_000)]
  for (const [side, bytes] of [
    [near, toFar],
    [far, toNear],
  ] as const) {
    const half = Math.ceil(bytes / 2)
    side.write(half)
    clock.callAt(random.integer(1, 8000), () => {
      side.write(bytes - half)
      side.end()
    })
  }
  // Before that, neither side knows how long the other would hold it.
  advanceUntil(() => [near, far].every(({ core }) => core.peerSettings !== undefined))
  shake(pair, random, 10_000)
  advanceUntil(() => near.finishedAt !== undefined && far.finishedAt !== undefined, 400_000)
  expect([near.error, far.error], `seed ${seed}`).toEqual([undefined, undefined])
  expect(far.received, `seed ${seed}`).toMatchObject({ bytes: toFar, wrongAt: undefined })
  expect(near.received, `seed ${seed}`).toMatchObject({ bytes: toNear, wrongAt: undefined })
}

describe('cuts, holds, joins and ends, drawn', () => {
  test(`lose nothing, in ${SEQUENCES} sequences from seed ${FIRST_SEED} on`, () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEQUENCES; seed++) sequence(seed)
  })
})

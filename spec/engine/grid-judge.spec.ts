// SPDX-License-Identifier: Apache-2.0
/** What neighbouring cells of the grid may differ by. */
import { describe, expect, it } from 'vitest'
import type { Cell } from '../../bench/grid/cell.js'
import type { Measured } from '../../bench/grid/judge.js'
import { cliffs } from '../../bench/grid/judge.js'

const CELL: Cell = {
  setting: 'one',
  kernel: 'cubic',
  rttMs: 60,
  lossRate: 0.01,
  jitterMs: 5,
  queuePipes: 1,
  rateMbps: 20,
}

/** The own RTT of {@link CELL} counts as 85 ms: with jitter, and what is unavoidable. */
function measured(cell: Partial<Cell>, share: number, queueMs = 0, errors?: Measured['errors']): Measured {
  return { cell: { ...CELL, ...cell }, outcome: { share, queueMs, queueP99Ms: queueMs, resent: 0 }, errors }
}

const found = (...all: readonly Measured[]): string[] =>
  cliffs(all).map(({ axis, what }) => `${what} ${axis}`)

describe('neighbouring cells of the grid', () => {
  it('may differ by 15 % in share, and no more', () => {
    expect(found(measured({}, 0.9), measured({ rttMs: 100 }, 0.76))).toEqual([])
    expect(found(measured({}, 0.9), measured({ rttMs: 100 }, 0.74))).toEqual(['share rttMs'])
    expect(found(measured({}, 0.74), measured({ jitterMs: 20 }, 0.9))).toEqual(['share jitterMs'])
  })

  it('may differ twice in RTT over their own, and no more', () => {
    expect(found(measured({}, 1, 80), measured({ lossRate: 0.03 }, 1))).toEqual([])
    expect(found(measured({}, 1, 90), measured({ lossRate: 0.03 }, 1))).toEqual(['queue lossRate'])
  })

  it('are those next to each other on one axis, of one setting and kernel', () => {
    const all = [{ rttMs: 140 }, { rttMs: 100, jitterMs: 20 }, { kernel: 'bbr' }, { setting: 'two' }] as const
    expect(found(measured({}, 0.9), ...all.map((cell) => measured(cell, 0.2)))).toEqual([])
  })

  it('may differ by as much more as chance explains', () => {
    const [from, to] = [measured({}, 0.9, 90, { share: 0.03, queueMs: 10 }), { rttMs: 100 }]
    expect(found(from, measured(to, 0.66, 90, { share: 0.04, queueMs: 10 }))).toEqual([])
    expect(found(from, measured(to, 0.64, 90, { share: 0.04, queueMs: 10 }))).toEqual(['share rttMs'])
    expect(found(from, measured({ lossRate: 0.03 }, 0.9))).toEqual([])
  })

  it('may differ where physics says so, and nowhere beside', () => {
    const bbr = (cell: Partial<Cell>, share: number, queueMs = 0): Measured =>
      measured({ kernel: 'bbr', ...cell }, share, queueMs)
    expect(found(measured({ lossRate: 0 }, 1), measured({ lossRate: 0.001 }, 1, 300))).toEqual([])
    expect(found(measured({ lossRate: 0 }, 1), measured({ lossRate: 0.001 }, 0.5))).toEqual([
      'share lossRate',
    ])
    expect(found(bbr({ queuePipes: 0.25 }, 0.5), bbr({}, 1))).toEqual([])
    expect(found(bbr({ queuePipes: 4 }, 0.5), bbr({}, 1))).toEqual(['share queuePipes'])
    expect(found(measured({ queuePipes: 0.25 }, 0.5), measured({}, 1))).toEqual(['share queuePipes'])
    expect(found(measured({ rateMbps: 2 }, 1, 300), measured({}, 1))).toEqual([])
    expect(found(measured({ rateMbps: 200 }, 1, 300), measured({}, 1))).toEqual(['queue rateMbps'])
    expect(found(bbr({ rttMs: 8 }, 1), bbr({ rttMs: 8, jitterMs: 20 }, 0.2))).toEqual([])
    // 4 packets of losses in a round trip are not many; 11 are.
    expect(found(bbr({ lossRate: 0.001, rttMs: 200 }, 1), bbr({ rttMs: 200 }, 0.5))).toEqual([
      'share lossRate',
    ])
    expect(found(bbr({ lossRate: 0.001, rttMs: 600 }, 1), bbr({ rttMs: 600 }, 0.5))).toEqual([])
    expect(found(bbr({ rateMbps: 2, rttMs: 600 }, 1), bbr({ rttMs: 600 }, 0.5))).toEqual([])
    expect(found(measured({ rateMbps: 2, rttMs: 600 }, 1), measured({ rttMs: 600 }, 0.5))).toEqual([
      'share rateMbps',
    ])
    // The shortest queue has 15 kB: of 2 Mbit/s and 65 ms, it is nearly a pipe.
    const slow = { rateMbps: 2, queuePipes: 0.25, lossRate: 0 }
    expect(found(bbr(slow, 1), bbr({ ...slow, jitterMs: 20 }, 1, 300))).toEqual([])
    const fast = { queuePipes: 0.25, lossRate: 0 }
    expect(found(bbr(fast, 1), bbr({ ...fast, jitterMs: 20 }, 1, 300))).toEqual(['queue jitterMs'])
    expect(found(bbr({ ...fast, rateMbps: 2, rttMs: 300 }, 1), bbr({ ...fast, rttMs: 300 }, 0.5))).toEqual([])
    const falls = { setting: 'steps', lossRate: 0 } as const
    expect(found(bbr(falls, 1), bbr({ ...falls, rttMs: 100 }, 0.5))).toEqual([])
    expect(
      found(bbr({ ...falls, queuePipes: 4 }, 1), bbr({ ...falls, queuePipes: 4, rttMs: 100 }, 0.5)),
    ).toEqual(['share rttMs'])
    expect(found(bbr({}, 1), bbr({ jitterMs: 20 }, 0.2))).toEqual(['share jitterMs'])
  })
})

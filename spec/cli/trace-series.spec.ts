// SPDX-License-Identifier: Apache-2.0
/** The lines of a chart: what they say must be what was traced. */
import { describe, expect, it } from 'vitest'
import type { TracedConnection } from '../../lib/cli/trace/read-trace.js'
import { readTrace } from '../../lib/cli/trace/read-trace.js'
import { scaleTo, scaleWithin } from '../../lib/cli/trace/scale.js'
import type { Point } from '../../lib/cli/trace/series.js'
import { flights, progress, rates, roundTrips } from '../../lib/cli/trace/series.js'
import { handMade, joins, OPEN } from '../support/drawn-trace.js'

async function read(lines: readonly object[]): Promise<TracedConnection> {
  async function* texts(): AsyncGenerator<string> {
    for (const line of lines) yield JSON.stringify(line)
  }
  return (await readTrace(texts(), 1)).connection!
}

/** Bytes under a line of Mbit/s in steps. */
function bytesUnder(points: readonly Point[]): number {
  return points
    .slice(1)
    .reduce((sum, { t }, index) => sum + (points[index]!.value * (t - points[index]!.t) * 1000) / 8, 0)
}

describe('the rate of a path', () => {
  it('adds up to the bytes that were sent and sent again', async () => {
    const [wifi, lte] = rates(await read(handMade()))
    expect(wifi!.label).toBe('wifi')
    expect(bytesUnder(wifi!.points)).toBeCloseTo(50 * 20_000, 3)
    expect(bytesUnder(lte!.points)).toBeCloseTo(1000, 3)
  })

  it('is what it was while it was so, and 0 in a pause', async () => {
    const [wifi] = rates(await read(handMade()))
    const at = (t: number): number => wifi!.points.findLast((point) => point.t <= t)!.value
    expect(at(500)).toBeCloseTo(8, 6)
    expect(at(1200)).toBe(0)
  })

  it('is of the last 20 ms where a sample follows a pause', async () => {
    const lines = [
      { t: 0, c: 1, ...OPEN },
      ...joins(1, 'wifi', 0),
      { t: 1000, c: 1, subs: [{ id: 1, sent: 5000 }] },
      { t: 4000, c: 1, ev: 'end' },
    ]
    const [wifi] = rates(await read(lines))
    const busy = wifi!.points.filter(({ value }) => value > 0).map(({ t }) => t)
    expect(Math.min(...busy)).toBeGreaterThanOrEqual(960)
    expect(Math.max(...busy)).toBeLessThanOrEqual(1000)
    expect(bytesUnder(wifi!.points)).toBeCloseTo(5000, 3)
  })

  it('adds up over the subflows of a path that was dialled again', async () => {
    const lines = [
      { t: 0, c: 1, ...OPEN },
      ...joins(1, 'wifi', 0),
      ...joins(2, 'wifi', 0),
      { t: 1000, c: 1, subs: [1, 2].map((id) => ({ id, sent: 5000 })) },
    ]
    const series = rates(await read(lines))
    expect(series).toHaveLength(1)
    expect(bytesUnder(series[0]!.points)).toBeCloseTo(10_000, 3)
  })
})

describe('the figures of a subflow', () => {
  it('begin with its first sample and end when it closes', async () => {
    const [wifi, lte] = roundTrips(await read(handMade()))
    expect([wifi!.points[0], wifi!.points.at(-1)]).toEqual([
      { t: 20, value: 12.5 },
      { t: 1900, value: 12.5 },
    ])
    expect(lte!.points).toEqual([
      { t: 1950, value: 80 },
      { t: 2000, value: 80 },
    ])
  })

  it('have no round trip while it is unknown', async () => {
    const lines = [
      { t: 0, c: 1, ...OPEN },
      ...joins(1, 'wifi', 0),
      { t: 9, c: 1, subs: [{ id: 1, sent: 1 }] },
    ]
    expect(roundTrips(await read(lines))).toEqual([])
  })

  it('show what is in flight, and with dashes the window', async () => {
    const series = flights(await read(handMade()))
    const shown = series.map(({ label, isDashed, points }) => [label, isDashed, points[0]!.value])
    expect(shown).toEqual([
      ['wifi', false, 20_000],
      ['l<t>e "5G"', false, 1000],
      ['wifi', true, 50_000],
      ['l<t>e "5G"', true, 9000],
    ])
  })
})

describe('progress', () => {
  it('is of acks and of reads, from nothing to the end', async () => {
    const [acked, bytesRead] = progress(await read(handMade()))
    expect(acked!.points[0]).toEqual({ t: 0, value: 0 })
    expect(acked!.points.at(-1)).toEqual({ t: 2000, value: 2_097_152 })
    expect(bytesRead!.points.find(({ t }) => t === 1000)).toEqual({ t: 1000, value: 7 * 49 })
  })
})

describe('an axis', () => {
  it.each([
    [9.2, 1, ['0', '5', '10']],
    [8, 1, ['0', '2', '4', '6', '8']],
    [0.33, 1, ['0.0', '0.1', '0.2', '0.3', '0.4']],
    [3_000_000, 1_048_576, ['0', '1', '2', '3']],
    [1, 1, ['0.0', '0.5', '1.0']],
  ])('to %d in units of %d has round numbers, the last no less', (most, size, words) => {
    const scale = scaleTo(most, size, 4)
    expect(scale.ticks.map((tick) => tick.words)).toEqual(words)
    expect(scale.most).toBeGreaterThanOrEqual(most)
    expect(scale.ticks.at(-1)!.value).toBe(scale.most)
  })

  it('of time ends with the connection', () => {
    const scale = scaleWithin(12_340, 1000, 10)
    expect(scale.most).toBe(12_340)
    expect(scale.ticks.map(({ words }) => words)).toEqual(['0', '2', '4', '6', '8', '10', '12'])
  })
})

// SPDX-License-Identifier: Apache-2.0
/** What is said, given what was measured. */
import { describe, expect, it } from 'vitest'
import type { Delivery, Measured } from '../../../lib/cli/measure/measure.js'
import type { SpeedFacts } from '../../../lib/cli/speed/speed-report.js'
import { speedReport, speedText } from '../../../lib/cli/speed/speed-report.js'

const MBIT = 125_000
const at = (label: string): SpeedFacts['paths'][number] => ({
  label,
  host: '10.81.9.1',
  port: 7000,
  localAddress: '10.81.1.1',
})

function delivery(down?: number, up?: number, both?: number, rtts: Record<string, number> = {}): Delivery {
  const rate = (value?: number): number | undefined => value && value * MBIT
  return {
    oneWay: { downBytesPerSecond: rate(down), upBytesPerSecond: rate(up) },
    bothWays:
      both === undefined ? undefined : { downBytesPerSecond: rate(both), upBytesPerSecond: rate(both - 1) },
    rttMs: new Map(Object.entries(rtts)),
  }
}

function facts(measured: Partial<Measured>, more: Partial<SpeedFacts> = {}): SpeedFacts {
  return {
    peer: 'multipath-net',
    role: 'measures',
    paths: [at('dsl'), at('lte')],
    failures: new Map(),
    idleRttMs: new Map([
      ['dsl', 10.2],
      ['lte', 40.7],
    ]),
    measured: {
      ...{ alone: new Map(), together: undefined, unopened: new Map(), endedBy: undefined, error: undefined },
      ...measured,
    },
    ...more,
  }
}

describe('the report of speed', () => {
  it('is a table, and one sentence', () => {
    const alone = new Map([
      ['dsl', delivery(48.12, 9.5, 45, { dsl: 25 })],
      ['lte', delivery(19, 18, 12, { lte: 120 })],
    ])
    const report = speedReport(facts({ alone, together: delivery(65, 27, 50, { dsl: 30, lte: 130 }) }))
    expect(report.isComplete).toBe(true)
    expect(speedText(report)).toBe(`\
                 DOWNLOAD      UPLOAD       BOTH WAYS  RTT IDLE  UNDER LOAD
dsl           48.1 Mbit/s  9.5 Mbit/s  45 + 44 Mbit/s     10 ms       25 ms
lte             19 Mbit/s   18 Mbit/s  12 + 11 Mbit/s     41 ms      120 ms
all together    65 Mbit/s   27 Mbit/s  50 + 49 Mbit/s     10 ms       30 ms

Together, 2 paths deliver 65 Mbit/s down and 27 Mbit/s up: 97 % and 98 % of the sum of the paths alone.
`)
  })

  it('of one path has no row for all', () => {
    const alone = new Map([['dsl', delivery(48, 9, 40)]])
    const report = speedReport(facts({ alone }, { paths: [at('dsl')] }))
    expect(report.together).toBeNull()
    expect(report.verdict).toBe('The path delivers 48 Mbit/s down and 9 Mbit/s up.')
  })

  it('of a peer that only reads tells how to measure the rest', () => {
    const alone = new Map([['dsl', delivery(undefined, 9)]])
    const { verdict } = speedReport(facts({ alone }, { paths: [at('dsl')], role: 'reads' }))
    expect(verdict).toMatch(/^The path delivers 9 Mbit\/s up; with multipath speed serve at the other end/)
  })

  it('names the path that does not work, and is not complete', () => {
    const alone = new Map([['dsl', delivery(48, 9)]])
    const report = speedReport(facts({ alone }, { failures: new Map([['lte', 'connection refused']]) }))
    expect(report.isComplete).toBe(false)
    expect(report.verdict).toMatch(/^The only path that works delivers 48 Mbit\/s down/)
    expect(speedText(report)).toContain('\nlte: connection refused\n')
  })

  it.each([
    ['lost', undefined, 'The measurement is incomplete: the connection was lost.'],
    ['stopped-reading', undefined, 'The measurement is incomplete: the peer stopped reading.'],
    ['refused', 'busy', 'Nothing was measured: the peer refused (busy).'],
  ] as const)('says why it was %s', (endedBy, error, verdict) => {
    expect(speedReport(facts({ endedBy, error }))).toMatchObject({ verdict, isComplete: false })
  })

  it('is data that JSON keeps', () => {
    const report = speedReport(facts({ alone: new Map([['dsl', delivery(undefined, undefined, 5)]]) }))
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
    expect(report.paths[0]).toEqual({
      ...{ label: 'dsl', downBytesPerSecond: null, upBytesPerSecond: null, error: null },
      bothWays: { downBytesPerSecond: 5 * MBIT, upBytesPerSecond: 4 * MBIT },
      ...{ idleRttMs: 10.2, loadedRttMs: null },
    })
  })
})

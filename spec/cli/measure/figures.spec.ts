// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { Rates, Sample } from '../../../lib/cli/measure/figures.js'
import { medianRttMs, rateOf, ratesOf, sumOf } from '../../../lib/cli/measure/figures.js'

const sample = (atMs: number, upBytes: number, rtt?: number): Sample => ({
  atMs,
  downBytes: 2 * upBytes,
  upBytes,
  rttMs: rtt === undefined ? {} : { a: rtt },
})

describe('rateOf', () => {
  it('leaves out the time in which the windows are found', () => {
    const samples = [sample(100, 0), sample(200, 10), sample(300, 100), sample(600, 400), sample(900, 700)]
    expect(rateOf(samples, 'up')).toBe(1000)
  })

  it('takes all there is of a short upload', () => {
    expect(rateOf([sample(50, 5000)], 'up')).toBe(100_000)
  })

  it('takes the whole time where all came before that', () => {
    const samples = [sample(100, 900), sample(500, 900), sample(900, 900)]
    expect(rateOf(samples, 'up')).toBe(1000)
  })

  it('is nothing where nothing was sampled', () => {
    expect(rateOf([], 'up')).toBe(0)
    expect(rateOf([sample(100, 0), sample(200, 0)], 'up')).toBe(0)
  })
})

describe('medianRttMs', () => {
  it('is that of the path, once it runs', () => {
    const samples = [
      sample(10, 0, 900),
      sample(100, 0, 7),
      sample(200, 0, 500),
      sample(290, 0, 8),
      sample(300, 0),
    ]
    expect(medianRttMs(samples, 'a')).toBe(8)
  })

  it('is unknown of a path without one', () => {
    expect(medianRttMs([sample(100, 0, 5)], 'b')).toBeUndefined()
    expect(medianRttMs([], 'a')).toBeUndefined()
  })
})

describe('ratesOf', () => {
  const samples = [sample(0, 0), sample(1000, 500)]

  it('knows only the direction that was measured', () => {
    expect(ratesOf(samples, 'download')).toEqual({ downBytesPerSecond: 1000, upBytesPerSecond: undefined })
    expect(ratesOf(samples, 'upload')).toEqual({ downBytesPerSecond: undefined, upBytesPerSecond: 500 })
    expect(ratesOf(samples, 'both')).toEqual({ downBytesPerSecond: 1000, upBytesPerSecond: 500 })
  })
})

describe('sumOf', () => {
  const rates = (down: number | undefined, up: number | undefined): Rates => ({
    downBytesPerSecond: down,
    upBytesPerSecond: up,
  })

  it('is unknown in a direction in which a path is', () => {
    expect(sumOf([rates(1, 2), rates(3, undefined)])).toEqual(rates(4, undefined))
    expect(sumOf([rates(1, 2), undefined])).toEqual(rates(undefined, undefined))
  })
})

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { medianRttMs, rateOf } from '../../../lib/cli/doctor/figures.js'
import type { Sample } from '../../../lib/cli/doctor/upload.js'

const sample = (atMs: number, ackedBytes: number, rtt?: number): Sample => ({
  atMs,
  ackedBytes,
  rttMs: rtt === undefined ? {} : { a: rtt },
})

describe('rateOf', () => {
  it('leaves out the time in which the windows are found', () => {
    const samples = [sample(100, 0), sample(200, 10), sample(300, 100), sample(600, 400), sample(900, 700)]
    expect(rateOf(samples)).toBe(1000)
  })

  it('takes all there is of a short upload', () => {
    expect(rateOf([sample(50, 5000)])).toBe(100_000)
  })

  it('is nothing where nothing was sampled', () => {
    expect(rateOf([])).toBe(0)
    expect(rateOf([sample(100, 0), sample(200, 0)])).toBe(0)
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

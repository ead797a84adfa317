// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { Forecast } from '../../lib/core/forecast.js'
import { SmoothedRtt } from '../../lib/core/congestion/rtt.js'
import type { Subflow } from '../../lib/core/subflow.js'
import { lands, leaves, subflowOf } from '../support/flights.js'

/** Round trips of 50 ms without variance, and 140 bytes in a millisecond. */
function known(): Subflow {
  const subflow = subflowOf(50)
  for (let sample = 0; sample < 100; sample++) subflow.sampleRtt(50, 0, true)
  lands(subflow, leaves(subflow, 0, 14_000), 100)
  return subflow
}

describe('when a frame would arrive', () => {
  it('is unknown before the first round trip', () => {
    const [rtt, idleRtt] = [new SmoothedRtt(), new SmoothedRtt()]
    const nothing = { oldestFlight: undefined, inFlightBytes: 0, bytesPerMs: 0 }
    const forecast = new Forecast({ rtt, idleRtt, ...nothing, window: { transferMs: () => 0 } })
    expect(forecast.arrivalMs(0, 0)).toBe(Infinity)
    expect(forecast.arrivalMs(1400, 0)).toBe(Infinity)
  })

  it('is half a round trip from now on an empty path, and later by what its rate takes for many bytes', () => {
    const { forecast } = known()
    expect(forecast.arrivalMs(0, 1000)).toBeCloseTo(25)
    expect(forecast.arrivalMs(14_000, 1000)).toBeCloseTo(125)
  })

  it('is behind all that is in flight', () => {
    const subflow = known()
    leaves(subflow, 1000, 14_000)
    expect(subflow.forecast.arrivalMs(0, 1000)).toBeCloseTo(125)
    expect(subflow.forecast.arrivalMs(0, 1010)).toBeCloseTo(115)
  })

  it('is not delayed by what is in flight where only a lower bound of the rate is known', () => {
    const subflow = subflowOf(50)
    for (let sample = 0; sample < 100; sample++) subflow.sampleRtt(50, 0, true)
    leaves(subflow, 1000, 14_000)
    expect(subflow.forecast.arrivalMs(0, 1000)).toBeCloseTo(25)
  })

  it('is later where acks have come later than expected, but not on an empty path', () => {
    const subflow = known()
    leaves(subflow, 1000, 1400)
    for (let round = 0; round < 100; round++) {
      const flight = { ...leaves(subflowOf(50), round * 80, 1400), expectedMs: 50 }
      subflow.forecast.landed(flight, (round + 1) * 80)
    }
    expect(subflow.forecast.arrivalMs(0, 1000)).toBeCloseTo(25 + 10 + 30)
    subflow.flights.clear()
    expect(subflow.forecast.arrivalMs(0, 1000)).toBeCloseTo(25)
  })
})

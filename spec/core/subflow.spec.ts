// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import { delivers, lands, leaves, subflowOf } from '../support/flights.js'

describe('the ack that a subflow owes', () => {
  it('is expected after a round trip', () => {
    const subflow = subflowOf(50)
    delivers(subflow, 0, 14_000, 100)
    leaves(subflow, 1000, 1400)
    expect(subflow.expectedRttMs).toBe(50)
    expect(subflow.timeoutMs(60)).toBe(60)
  })

  it('is expected later where what left before the frame was acked late', () => {
    const subflow = subflowOf(50)
    delivers(subflow, 0, 14_000, 100)
    const before = leaves(subflow, 1000, 138_600, 10)
    leaves(subflow, 1000, 1400, 11)
    subflow.flights.remove(before)
    expect(subflow.expectedRttMs).toBe(50)
    lands(subflow, before, 1990)
    expect(subflow.expectedRttMs).toBe(1000)
    expect(subflow.timeoutMs(60)).toBeGreaterThan(1000)
  })

  it('is expected later where the frame is long and the path slow', () => {
    const subflow = subflowOf(50)
    delivers(subflow, 0, 1400, 100)
    leaves(subflow, 1000, 14_000)
    expect(subflow.expectedRttMs).toBe(1000)
  })
})

describe('the ack that a subflow owes after a tiny frame', () => {
  it('is expected after a round trip: a frame that had nothing behind it says nothing of the rate', () => {
    const subflow = subflowOf(50)
    const tiny = leaves(subflow, 0, 5)
    subflow.window.markAppLimited(subflow.inFlightBytes)
    lands(subflow, tiny, 50)
    leaves(subflow, 1000, 14_000)
    expect(subflow.expectedRttMs).toBe(50)
  })
})

describe('a subflow that was suspect', () => {
  const rateAfter = (rttMs: number, silenceMs: number): number => {
    const subflow = subflowOf(rttMs)
    delivers(subflow, 0, 14_000, 100)
    leaves(subflow, 1000, 1400)
    subflow.lastHeardAt = 1000
    subflow.suspected(1000 + silenceMs / 2)
    subflow.heard(1000 + silenceMs, 60)
    subflow.returned(1000 + silenceMs)
    return subflow.window.rate
  }

  it('is as fast as before where it was silent for a moment only, as where TCP repairs a loss', () => {
    expect(rateAfter(20, 290)).toBe(140)
    expect(rateAfter(600, 3700)).toBe(140)
  })

  it('begins anew where it was silent for long: its kernel does, too', () => {
    expect(rateAfter(20, 310)).toBe(0)
    expect(rateAfter(600, 3800)).toBe(0)
  })
})

describe('the round trip by which a subflow is chosen', () => {
  it('is that of idle times while nothing is in flight: the queue that made the other is gone', () => {
    const subflow = subflowOf(20)
    for (let sample = 0; sample < 50; sample++) subflow.sampleRtt(90, 1000, false)
    expect(subflow.smoothedRttMs).toBe(20)
    leaves(subflow, 1000, 1400)
    expect(subflow.smoothedRttMs).toBeGreaterThan(85)
  })
})

describe('a pong', () => {
  it('tells the round trip of an idle path only where its ping left on one', () => {
    const subflow = subflowOf(20)
    const flight = leaves(subflow, 1000, 14_000)
    subflow.ping(1001)
    subflow.flights.acked(flight, 1110)
    subflow.ponged(1111)
    expect(subflow.idleRtt.smoothed).toBe(20)
    subflow.ping(2000)
    subflow.ponged(2100)
    expect(subflow.idleRtt.smoothed).toBe(30)
  })

  it('has a subflow begin anew that has delivered nothing for long and carries nothing', () => {
    const subflow = subflowOf(20)
    delivers(subflow, 0, 14_000, 100)
    subflow.ping(20_000)
    subflow.ponged(20_020)
    expect(subflow.window.rate).toBe(140)
    const flight = leaves(subflowOf(20), 0, 1400)
    subflow.flights.add(flight)
    subflow.ping(40_000)
    subflow.ponged(40_020)
    expect(subflow.window.rate).toBe(140)
    subflow.flights.remove(flight)
    subflow.ping(41_000)
    subflow.ponged(41_020)
    expect(subflow.window.rate).toBe(0)
  })
})

// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest'
import type { Subflow } from '../../../lib/core/subflow.js'
import { lands, leaves, subflowOf } from '../../support/flights.js'

const RTT_MS = 80
const FRAME_BYTES = 2500
/** Bytes per millisecond. */
const LINE = 2500

interface Train {
  readonly frames: number
  /** Milliseconds between two departures. */
  readonly everyMs?: number
  /** How much later than by the line the ack of a frame comes, milliseconds. */
  readonly lateMs?: (index: number) => number
}

/** Sends frames at once or spread, of which the application has no more, over a line that delivers one in a millisecond. */
function train(subflow: Subflow, at: number, { frames, everyMs = 0, lateMs = () => 0 }: Train): void {
  const flights = Array.from({ length: frames }, (_, index) =>
    leaves(subflow, at + index * everyMs, FRAME_BYTES, 10 + index),
  )
  subflow.window.markAppLimited(subflow.inFlightBytes)
  let ackAt = 0
  flights.forEach((flight, index) => {
    const carriedAt = at + index * Math.max(1, everyMs) + 1
    ackAt = Math.max(ackAt, carriedAt + RTT_MS + lateMs(index))
    lands(subflow, flight, ackAt)
  })
}

describe('the rate of a burst that is over within two round trips', () => {
  it('is that of the line where it took as long as a round trip', () => {
    const subflow = subflowOf(RTT_MS)
    train(subflow, 0, { frames: 100 })
    expect(subflow.bytesPerMs).toBeCloseTo(LINE)
    expect(subflow.window.transferMs(LINE)).toBeCloseTo(1)
  })

  it('is no more than was seen in a round trip where it was over sooner: its kernel may send no more', () => {
    const subflow = subflowOf(RTT_MS)
    train(subflow, 0, { frames: 20 })
    expect(subflow.bytesPerMs).toBeCloseTo((20 * FRAME_BYTES) / RTT_MS)
    expect(subflow.window.transferMs(LINE)).toBe(0)
  })

  it.each([
    ['its first acks', (index: number) => (index < 30 ? 60 : 0)],
    ['its last acks', (index: number) => (index > 70 ? 60 : 0)],
    ['all its acks', () => 30],
  ])('is never more than that of the line, where %s are late', (_which, lateMs) => {
    const subflow = subflowOf(RTT_MS)
    train(subflow, 0, { frames: 100, lateMs })
    expect(subflow.bytesPerMs).toBeLessThanOrEqual(LINE + 1)
    expect(subflow.bytesPerMs).toBeGreaterThan(LINE / 2)
  })

  it('is only a lower bound where it left no faster than it was delivered', () => {
    const subflow = subflowOf(RTT_MS)
    train(subflow, 0, { frames: 100, everyMs: 2 })
    expect(subflow.bytesPerMs).toBeLessThan(LINE / 2 + 100)
    expect(subflow.window.transferMs(LINE)).toBe(0)
  })

  it('falls again where later bursts bring less', () => {
    const subflow = subflowOf(RTT_MS)
    train(subflow, 0, { frames: 100 })
    for (let at = 1000; at < 7000; at += 1000) train(subflow, at, { frames: 100, lateMs: (index) => index })
    expect(subflow.bytesPerMs).toBeLessThan(0.6 * LINE)
  })
})

// SPDX-License-Identifier: Apache-2.0
/** When an ack is late by the statistics of its own path. */
import type { Millis } from '../clock.js'
import type { Subflow } from './subflow.js'

/**
 * How long an ack of `subflow` takes before it is late, milliseconds: the mean and four times the variance (RFC 6298), as about one
 * in a hundred does, and at least `leastMs` more than the mean; `undefined` while nothing is known.
 */
export function lateAfterMs(subflow: Subflow, leastMs: number): Millis | undefined {
  const usualMs = subflow.expectedRttMs
  return usualMs === undefined ? undefined : Math.max(subflow.timeoutMs(0), usualMs + leastMs)
}

/** When the oldest ack that `subflow` owes is late, by `leastMs` at least; Infinity where it owes none. */
export function lateAt(subflow: Subflow, leastMs: number): Millis {
  const { oldestFlight } = subflow
  return oldestFlight === undefined
    ? Infinity
    : oldestFlight.sentAt + (lateAfterMs(subflow, leastMs) ?? Infinity)
}

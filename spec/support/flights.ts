// SPDX-License-Identifier: Apache-2.0
/** Flights of frames over a subflow that no sender is behind. */
import type { Flight, SentFrame } from '../../lib/core/flight.js'
import type { PathPolicy } from '../../lib/core/path.js'
import { Path } from '../../lib/core/path.js'
import { Subflow } from '../../lib/core/subflow.js'
import { NullTracker } from '../../lib/core/tracker.js'
import { AbuseLimiter } from '../../lib/core/abuse-limiter.js'

const ALLOWANCE = new AbuseLimiter({ maxWasteBytesPerSecond: Infinity })

/** A subflow that carries data, and has seen round trips of `rttMs` only. */
export function subflowOf(rttMs: number, id = 1, policy: PathPolicy = {}): Subflow {
  const init = { label: `path ${id}`, tracker: new NullTracker(), isDialer: true, helloAt: 0 }
  const subflow = new Subflow(id, { ...init, path: new Path(policy) }, ALLOWANCE, 0)
  subflow.moveTo('up')
  for (let sample = 0; sample < 50; sample++) subflow.sampleRtt(rttMs, 0, true)
  return subflow
}

/** A data frame that has been sent once. */
export function frameOf(size: number, fn = 10): SentFrame {
  return { fn, size, wire: [], carriers: new Set(), sends: 1 }
}

/** A frame leaves. */
export function leaves(subflow: Subflow, sentAt: number, size: number, fn = 10): Flight {
  const flight: Flight = {
    frame: frameOf(size, fn),
    sentAt,
    wasIdle: subflow.inFlightBytes === 0,
    expectedMs: Infinity,
    ...subflow.window.stamp(sentAt, subflow.inFlightBytes, size),
  }
  subflow.flights.add(flight)
  return flight
}

/** The subflow delivers so many bytes in so many milliseconds from `sentAt` on, and then carries nothing. */
export function delivers(subflow: Subflow, sentAt: number, bytes: number, ms: number): void {
  lands(subflow, leaves(subflow, sentAt, bytes), sentAt + ms)
}

/** Its ack comes back. */
export function lands(subflow: Subflow, flight: Flight, now: number, isTrusted = true): void {
  subflow.flights.remove(flight)
  subflow.window.acked(flight, { now, isTrusted })
}

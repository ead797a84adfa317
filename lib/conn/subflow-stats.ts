// SPDX-License-Identifier: Apache-2.0
/** A subflow as users see it. */
import type { Eligibility } from '../core/eligibility.js'
import type { SubflowState } from '../core/health.js'
import type { Tier } from '../core/path.js'
import type { Subflow } from '../core/subflow.js'

/** What has been carried. */
export interface Carried {
  /** Data frames that were sent for the first time. */
  readonly sentFrames: number
  /** Payload bytes of these frames. */
  readonly sentBytes: number
  /** Copies among them of frames that another path also carries. */
  readonly copiedFrames: number
  /** Payload bytes of these copies. */
  readonly copiedBytes: number
  /** Data frames received, including duplicates. */
  readonly receivedFrames: number
  /** Payload bytes received, including duplicates. */
  readonly receivedBytes: number
  /** Data frames that were sent again. */
  readonly retransmittedFrames: number
  /** Payload bytes that were sent again. */
  readonly retransmittedBytes: number
}

/** A snapshot: it does not change later. */
export interface SubflowStats extends Carried {
  /** Number of the subflow, unique within its connection. */
  readonly id: number
  /** Label of its path on this side. */
  readonly label: string
  /** On the side that listens, the dialer's label of the path; `undefined` on the other side, and until it is known. */
  readonly peerLabel: string | undefined
  /** State of the subflow. */
  readonly state: SubflowState
  /** Tier of its path. */
  readonly tier: Tier
  /** Whether a new frame may leave on it now: `eligible`, or the reason why not. */
  readonly eligibility: Eligibility
  /** Smoothed round-trip time, milliseconds; `undefined` before the first sample. */
  readonly smoothedRttMs: number | undefined
  /** Lowest recent round-trip time, milliseconds; `undefined` before the first sample. */
  readonly minRttMs: number | undefined
  /** Measured delivery rate; 0 while unknown. */
  readonly bytesPerSecond: number
  /** Bytes sent on it and not acked. */
  readonly inFlightBytes: number
}

export function subflowStats(subflow: Subflow, eligibility: Eligibility): SubflowStats {
  const { rtt } = subflow
  return {
    id: subflow.id,
    label: subflow.label,
    peerLabel: subflow.peerLabel,
    state: subflow.state,
    tier: subflow.path.tier,
    eligibility,
    smoothedRttMs: rtt.smoothed,
    minRttMs: rtt.min === Infinity ? undefined : rtt.min,
    bytesPerSecond: Math.round(subflow.bytesPerMs * 1000),
    inFlightBytes: subflow.inFlightBytes,
    ...carriedBy(subflow),
  }
}

/** What a subflow has carried so far. */
export function carriedBy({ counters }: Subflow): Carried {
  return {
    sentFrames: counters.framesSent,
    sentBytes: counters.bytesSent,
    copiedFrames: counters.framesCopied,
    copiedBytes: counters.bytesCopied,
    receivedFrames: counters.framesReceived,
    receivedBytes: counters.bytesReceived,
    retransmittedFrames: counters.framesRetransmitted,
    retransmittedBytes: counters.bytesRetransmitted,
  }
}

export const NOTHING_CARRIED: Carried = {
  sentFrames: 0,
  sentBytes: 0,
  copiedFrames: 0,
  copiedBytes: 0,
  receivedFrames: 0,
  receivedBytes: 0,
  retransmittedFrames: 0,
  retransmittedBytes: 0,
}

/** Both together. */
export function carriedPlus(a: Carried, b: Carried): Carried {
  const names = Object.keys(NOTHING_CARRIED) as (keyof Carried)[]
  return Object.fromEntries(names.map((name) => [name, a[name] + b[name]])) as unknown as Carried
}

// SPDX-License-Identifier: Apache-2.0
/** What a user plugs in to follow one path. Go: multipath.go, StatsTracker. */

/** Called for each data frame of a path, and for each RTT sample. A method that throws is ignored. */
export interface StatsTracker {
  /** A data frame arrived, duplicates too. `bytes`: its payload. */
  onRecv(bytes: number): void
  /** A data frame was sent for the first time, or as a copy of one that another path carries too. */
  onSent(bytes: number): void
  /** A data frame was sent again. */
  onRetransmit(bytes: number): void
  /** A round trip was measured, milliseconds. */
  updateRTT(milliseconds: number): void
}

/** Follows nothing. */
export class NullTracker implements StatsTracker {
  onRecv(_bytes: number): void {}
  onSent(_bytes: number): void {}
  onRetransmit(_bytes: number): void {}
  updateRTT(_milliseconds: number): void {}
}

/** Frames and payload bytes of one subflow. */
export interface SubflowCounters {
  framesSent: number
  bytesSent: number
  /** Of those sent, copies of what another path carries too. */
  framesCopied: number
  bytesCopied: number
  framesRetransmitted: number
  bytesRetransmitted: number
  /** Of all that left, what was acked on the same subflow. */
  bytesAcked: number
  framesReceived: number
  bytesReceived: number
}

/** Nothing has been sent or received yet. */
export function emptyCounters(): SubflowCounters {
  return {
    framesSent: 0,
    bytesSent: 0,
    framesCopied: 0,
    bytesCopied: 0,
    framesRetransmitted: 0,
    bytesRetransmitted: 0,
    bytesAcked: 0,
    framesReceived: 0,
    bytesReceived: 0,
  }
}

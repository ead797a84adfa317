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

// SPDX-License-Identifier: Apache-2.0
/** What is counted, and for whom: a user's tracker of one path, a subflow, a connection. Go: multipath.go, StatsTracker. */

/** Called for each data frame of a path, and for each RTT sample. A method that throws is ignored. */
export interface StatsTracker {
  /** A data frame arrived; duplicates count. `bytes` is its payload. */
  onRecv(bytes: number): void
  /** A data frame was sent for the first time, or as a copy of one that another path also carries. */
  onSent(bytes: number): void
  /** A data frame was sent again. */
  onRetransmit(bytes: number): void
  /** A round trip was measured, milliseconds. */
  updateRTT(milliseconds: number): void
}

/** A tracker whose methods do nothing, as a base class. */
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

/** Why a data frame leaves: for the first time, as a copy of one that another path carries too, or again. */
export type Sending = 'first' | 'copy' | 'again'

/** Counts the data frames of one subflow, and tells its tracker. */
export class Traffic {
  readonly tracker: StatsTracker
  readonly #counters: SubflowCounters = {
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

  constructor(tracker: StatsTracker) {
    this.tracker = tracker
  }

  get counters(): Readonly<SubflowCounters> {
    return this.#counters
  }

  sent(bytes: number, sending: Sending): void {
    const counters = this.#counters
    if (sending === 'again') {
      counters.framesRetransmitted++
      counters.bytesRetransmitted += bytes
      this.tracker.onRetransmit(bytes)
      return
    }
    counters.framesSent++
    counters.bytesSent += bytes
    if (sending === 'copy') {
      counters.framesCopied++
      counters.bytesCopied += bytes
    }
    this.tracker.onSent(bytes)
  }

  /** One that left on the subflow was acked on it. */
  acked(bytes: number): void {
    this.#counters.bytesAcked += bytes
  }

  received(bytes: number): void {
    this.#counters.framesReceived++
    this.#counters.bytesReceived += bytes
    this.tracker.onRecv(bytes)
  }
}

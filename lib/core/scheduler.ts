// SPDX-License-Identifier: Apache-2.0
/** The one decision of a scheduler: which subflow carries the next frame, and whether the others do too. */

/** What a scheduler may know of a subflow that is fit to carry data. */
export interface SubflowView {
  /** Number of the subflow, unique within its connection. */
  readonly id: number
  /** Label of its path. */
  readonly label: string
  /** Smoothed round-trip time, milliseconds; while nothing is in flight, the one of an idle path. Infinity if unknown. */
  readonly smoothedRttMs: number
  /** How much its round-trip time varies, milliseconds. */
  readonly rttVarianceMs: number
  /** Delivery rate, bytes per millisecond, no more than the path's cap; 0 while unknown. */
  readonly bytesPerMs: number
  /** The rate is still being found, and may be much more. */
  readonly isStartup: boolean
  /** Bytes sent on it and not acked. */
  readonly inFlightBytes: number
  /** The path's weight, at least 1. */
  readonly weight: number
  /** Bytes that this scheduler has given to it, divided by its weight. It starts level with the other subflows. */
  readonly served: number
}

/** The state of a connection at the moment of a choice. */
export interface Snapshot<View extends SubflowView = SubflowView> {
  /** Subflows that are up, of the tiers in use; each may carry this frame. */
  readonly subflows: readonly View[]
  /** The subflow that was chosen for the frame before this one, if any. */
  readonly lastId: number | undefined
  /** Bytes that wait to be sent, this frame included; Infinity while the application waits for room. */
  readonly queuedBytes: number
  /** Bytes sent and not acked, over all subflows, without copies. */
  readonly unackedBytes: number
  /** Whether a subflow has room in its window, its socket and under its caps. */
  readonly hasRoom: (subflow: View) => boolean
  /**
   * When a frame behind what is in flight on a subflow is expected at the peer, milliseconds from now, or the last one of `bytes`
   * there. The way to the peer counts as half of a round trip. Infinity before the first one.
   */
  readonly arrivalMs: (subflow: View, bytes: number) => number
}

/**
 * Chooses the path of each frame, by pure functions of a snapshot. If one throws, or chooses a subflow that does not exist
 * or has no room, the connection ends with ERR_MULTIPATH_SCHEDULER.
 */
export interface Scheduler {
  /** Name of the scheduler in traces and statistics. */
  readonly name: string
  /** The subflow for the next frame, or `undefined` to wait for one that has no room now. */
  choose<View extends SubflowView>(snapshot: Snapshot<View>): View | undefined
  /** Whether all other subflows carry a copy of the frame as soon as they have room. Default: no. */
  isShared?<View extends SubflowView>(snapshot: Snapshot<View>): boolean
  /** Whether a frame that is late on its path leaves again on another one (option `hedgePercent`). Default: no. */
  readonly isHedging?: boolean
}

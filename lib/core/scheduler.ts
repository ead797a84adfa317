/** The one decision of a scheduler: which subflow carries the next frame. */

/** What a scheduler may know of a subflow that is fit to carry data. */
export interface SubflowView {
  readonly id: number
  readonly label: string
  /** Smoothed round-trip time, milliseconds: of idle times while nothing is in flight. Infinity if unknown. */
  readonly smoothedRttMs: number
  readonly rttVarianceMs: number
  /** Delivery rate, bytes per millisecond; 0 while unknown. */
  readonly bytesPerMs: number
  /** The rate is still being found, and may be much more. */
  readonly isStartup: boolean
  /** Bytes sent on it and not acked. */
  readonly inFlightBytes: number
}

/** The state of a connection at the moment of a choice. */
export interface Snapshot<View extends SubflowView = SubflowView> {
  /** Subflows that are up and may carry this frame. */
  readonly subflows: readonly View[]
  /** The subflow that carried the frame before this one, if any. */
  readonly lastId: number | undefined
  /** Bytes that wait to be sent, this frame included; Infinity while the application is held back. */
  readonly queuedBytes: number
  /** Whether a subflow has room in its window and its socket. */
  hasRoom(subflow: View): boolean
}

/** A pure choice; `undefined`: better wait for a subflow that has no room now. */
export interface Scheduler {
  readonly name: string
  choose<View extends SubflowView>(snapshot: Snapshot<View>): View | undefined
}

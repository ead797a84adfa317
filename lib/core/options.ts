// SPDX-License-Identifier: Apache-2.0
/** Knobs of one connection, with their limits. The shell passes them on to users. */
import type { OptionTable, Resolved } from '../options.js'

/** Options of a connection, whichever side opened it. */
export interface ConnOptions {
  /** Largest payload of a data frame that we send, bytes. Slow paths get smaller ones. */
  maxFrameBytes?: number | undefined
  /** Bytes sent and not yet acked, over all subflows. */
  maxUnackedBytes?: number | undefined
  /** Frames sent and not yet acked; a Go receiver drops what is 4,096 beyond its reader. */
  maxUnackedFrames?: number | undefined
  /** Bytes taken from the application and not yet sent; beyond it, writes wait. */
  sendBufferBytes?: number | undefined
  /** As of Node's streams: bytes that wait for the reader, and that `write()` takes before it asks for a pause. */
  highWaterMark?: number | undefined
  /** Bytes received in order that the application has not read. */
  maxUnreadBytes?: number | undefined
  /** Bytes received ahead of a missing frame. A Go peer has up to 500 of its writes under way. */
  maxReorderBytes?: number | undefined
  /** Subflows of one connection at the same time: a dialer dials no more, a listener refuses more. */
  maxSubflows?: number | undefined
  /** Acks and pongs, in bytes, that wait for one subflow; a peer that reads none of them loses it. */
  maxOutstandingAckBytes?: number | undefined
  /**
   * Bytes a second that are of no use: copies, frames that are dropped, and 64 for each ping or needless ack. A subflow that
   * brings more than its connection has earned by progress is read more slowly: all of those of a listener share this.
   */
  maxWasteBytesPerSecond?: number | undefined
  /** A ping goes out on a subflow that brought nothing for so long, milliseconds. */
  keepAliveMs?: number | undefined
  /** A subflow that owes us an answer and brings nothing for so long is closed, milliseconds. */
  deadMs?: number | undefined
  /** A subflow is not suspected sooner than after so much silence, milliseconds. */
  suspectMs?: number | undefined
  /** After end() or destroy(): time without a new ack, milliseconds, until unacked data becomes an error. */
  lingerMs?: number | undefined
  /** A Go peer that answers pings and for so long sends nothing new, although a frame is missing, has lost it, milliseconds. */
  missingMs?: number | undefined
}

const KIB = 1024
const MIB = 1024 * KIB

export const CONN_OPTIONS: OptionTable<ConnOptions> = {
  maxFrameBytes: { default: 64 * KIB, min: 1, max: MIB },
  maxUnackedBytes: { default: 16 * MIB, min: 64 * KIB, max: 1024 * MIB },
  maxUnackedFrames: { default: 2048, min: 1, max: 3072 },
  sendBufferBytes: { default: MIB, min: 1, max: 1024 * MIB },
  // Node's own default since 22.
  highWaterMark: { default: 64 * KIB, min: 0, max: 1024 * MIB },
  maxUnreadBytes: { default: 8 * MIB, min: 1, max: 1024 * MIB },
  maxReorderBytes: { default: 40 * MIB, min: 1, max: 1024 * MIB },
  maxSubflows: { default: 64, min: 1, max: 1024 },
  maxOutstandingAckBytes: { default: 256 * KIB, min: 64, max: 64 * MIB },
  maxWasteBytesPerSecond: { default: 32 * MIB, min: KIB, max: Infinity },
  keepAliveMs: { default: 15_000, min: 10, max: 3_600_000 },
  deadMs: { default: 10_000, min: 100, max: 3_600_000 },
  suspectMs: { default: 60, min: 10, max: 60_000 },
  lingerMs: { default: 60_000, min: 0, max: Infinity },
  missingMs: { default: 60_000, min: 100, max: Infinity },
}

export type ResolvedConnOptions = Resolved<ConnOptions>

/** Options that may change while a connection stands. */
export type ConnLimits = Pick<
  ConnOptions,
  'maxUnackedBytes' | 'sendBufferBytes' | 'maxUnreadBytes' | 'maxReorderBytes' | 'maxOutstandingAckBytes'
>

const { maxUnackedBytes, sendBufferBytes, maxUnreadBytes, maxReorderBytes, maxOutstandingAckBytes } =
  CONN_OPTIONS

export const LIMIT_OPTIONS: OptionTable<ConnLimits> = {
  maxUnackedBytes,
  sendBufferBytes,
  maxUnreadBytes,
  maxReorderBytes,
  maxOutstandingAckBytes,
}

// SPDX-License-Identifier: Apache-2.0
/** Knobs of one connection, with their limits. The shell passes them on to users. */
import type { OptionTable, Resolved } from '../options.js'

/** Options of a connection, whichever side opened it. */
export interface ConnOptions {
  /** Largest payload of a data frame that we send, bytes. Slow paths get smaller frames. Default: 64 KiB; 1 to 1 MiB. */
  maxFrameBytes?: number | undefined
  /** Unacked bytes on all subflows together. Default: 16 MiB; 64 KiB to 1 GiB. */
  maxUnackedBytes?: number | undefined
  /** Unacked frames. A Go receiver drops frames that are 4,096 beyond its reader. Default: 2,048; 1 to 3,072. */
  maxUnackedFrames?: number | undefined
  /** Bytes accepted from the application that are not sent yet. Beyond the limit, writes wait. Default: 1 MiB; 1 to 1 GiB. */
  sendBufferBytes?: number | undefined
  /**
   * Bytes buffered for the reader, and bytes that `write()` accepts before it returns `false`, as in streams of Node.
   * Default: 65,536; 0 to 1,073,741,824.
   */
  highWaterMark?: number | undefined
  /**
   * Bytes received in order that the application has not read. A multipath-net peer sends at most this number of bytes
   * ahead of the reader. The value therefore also limits the data in flight: rate times round-trip time. Default: 16 MiB; 1
   * to 1 GiB.
   */
  maxUnreadBytes?: number | undefined
  /**
   * Bytes received ahead of a missing frame. A Go peer has up to 500 of its writes in flight. Default: 40 MiB; 1 to 1 GiB.
   */
  maxReorderBytes?: number | undefined
  /**
   * Subflows of one connection at the same time. A dialer opens no more, and a listener refuses more. Default: 64; 1 to
   * 1,024.
   */
  maxSubflows?: number | undefined
  /**
   * Acks and pongs, in bytes, that wait for one subflow. A subflow whose peer does not read them is closed. Default: 256
   * KiB; 64 to 64 MiB.
   */
  maxOutstandingAckBytes?: number | undefined
  /**
   * Wasted bytes per second: copies, dropped frames, and 64 bytes for each ping or needless ack. If a subflow brings more
   * than its connection has earned by progress, it is read more slowly. All connections of a listener share this limit.
   * Default: 33,554,432; 1,024 or more.
   */
  maxWasteBytesPerSecond?: number | undefined
  /** Silence of a subflow after which a ping is sent, milliseconds. Default: 15,000; 10 to 3,600,000. */
  keepAliveMs?: number | undefined
  /** Silence after which a subflow that owes us an answer is closed, milliseconds. Default: 10,000; 100 to 3,600,000. */
  deadMs?: number | undefined
  /** Shortest silence after which a subflow may become suspect, milliseconds. Default: 60; 10 to 60,000. */
  suspectMs?: number | undefined
  /**
   * Hedging: a frame that is later than 99 of 100 acks of its path leaves again on another path before its path is suspect.
   * The value limits the bytes of such copies, in percent of the acked bytes; 256 KiB are always allowed. With 0, no frame
   * is sent again before its path is suspect or lost. Default: 1; 0 to 100.
   */
  hedgePercent?: number | undefined
  /**
   * Time without a new ack, after end() or destroy(), until unacked data becomes an error, milliseconds. Default: 60,000; 0
   * or more.
   */
  lingerMs?: number | undefined
  /**
   * Time after which a Go peer has lost a missing frame, if it answers pings but sends nothing new, milliseconds. Default:
   * 60,000; 100 or more.
   */
  missingMs?: number | undefined
  /**
   * Time for which a connection without a subflow is held, milliseconds: until then, a subflow may join and the connection
   * resumes without a loss. The smaller of the values of both sides applies. With 0 on either side, with Go peers, and with
   * earlier versions, a connection ends with its last subflow. Default: 120,000; 0 to 86,400,000.
   */
  holdMs?: number | undefined
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
  maxUnreadBytes: { default: 16 * MIB, min: 1, max: 1024 * MIB },
  maxReorderBytes: { default: 40 * MIB, min: 1, max: 1024 * MIB },
  maxSubflows: { default: 64, min: 1, max: 1024 },
  maxOutstandingAckBytes: { default: 256 * KIB, min: 64, max: 64 * MIB },
  maxWasteBytesPerSecond: { default: 32 * MIB, min: KIB, max: Infinity },
  keepAliveMs: { default: 15_000, min: 10, max: 3_600_000 },
  deadMs: { default: 10_000, min: 100, max: 3_600_000 },
  suspectMs: { default: 60, min: 10, max: 60_000 },
  hedgePercent: { default: 1, min: 0, max: 100 },
  lingerMs: { default: 60_000, min: 0, max: Infinity },
  missingMs: { default: 60_000, min: 100, max: Infinity },
  holdMs: { default: 120_000, min: 0, max: 86_400_000 },
}

export type ResolvedConnOptions = Resolved<ConnOptions>

/** Options that may change on a live connection. */
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

// SPDX-License-Identifier: Apache-2.0
/** Knobs of datagrams, with their limits, and what is counted of them. */
import type { OptionTable } from '../../options.js'

/** Options of one datagram. */
export interface DatagramSendOptions {
  /**
   * Time until the datagram is worthless, milliseconds. The sender drops a datagram that it has not sent by then, and the
   * peer drops one that arrives or is read later. Default: ∞; 1 or more.
   */
  expiresMs?: number | undefined
  /**
   * Further paths on which the datagram is sent at once, if they have room. With 0, it is sent again only if its path is
   * late. Default: 0; 0 to 7.
   */
  copies?: number | undefined
  /**
   * Among queued datagrams, those with a higher priority leave first, and those with a lower one are dropped first.
   * Default: 0; 0 to 7.
   */
  priority?: number | undefined
}

/** Defaults for the datagrams of a stream, and the limit of its queues. */
export interface DatagramOptions extends DatagramSendOptions {
  /**
   * Limit of the bytes that wait to be sent, and of those that wait to be read; each datagram counts 64 bytes more. Beyond
   * it, the oldest are dropped. Default: 1 MiB; 65,600 to 1 GiB.
   */
  maxQueuedBytes?: number | undefined
}

export const DATAGRAM_SEND_TABLE: OptionTable<DatagramSendOptions> = {
  expiresMs: { default: Infinity, min: 1, max: Infinity },
  copies: { default: 0, min: 0, max: 7 },
  priority: { default: 0, min: 0, max: 7 },
}

export const DATAGRAM_TABLE: OptionTable<DatagramOptions> = {
  ...DATAGRAM_SEND_TABLE,
  maxQueuedBytes: { default: 1024 * 1024, min: 65_600, max: 1024 * 1024 * 1024 },
}

/** Counters of the datagrams of a connection. */
export interface DatagramStats {
  /** Sent, each counted once. */
  readonly sent: number
  /** Copies that were sent at once on a further path (`copies`). */
  readonly copied: number
  /** Sent again because the first path was late, silent or gone. */
  readonly resent: number
  /** Acknowledged by the peer. */
  readonly acked: number
  /** Dropped unsent because `expiresMs` was over. */
  readonly expired: number
  /** Dropped unsent because the queue was full. */
  readonly dropped: number
  /** Read by the application. */
  readonly received: number
  /** Dropped because they arrived or were read after `expiresMs`. */
  readonly late: number
  /** Further copies that arrived. */
  readonly duplicates: number
  /** Dropped unread because the reader was too slow. */
  readonly unread: number
  /** Bytes that wait to be sent, and 64 for each datagram. */
  readonly queuedBytes: number
}

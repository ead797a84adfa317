// SPDX-License-Identifier: Apache-2.0
/** Knobs of datagrams, with their limits, and what is counted of them. */
import type { OptionTable } from '../options.js'

/** How one datagram is sent. */
export interface DatagramSendOptions {
  /**
   * Time for which it is worth something, milliseconds. Then it is dropped: by us where it has not left, and by the peer
   * where it comes or is read later. Default: ∞; 1 or more.
   */
  expiresMs?: number | undefined
  /**
   * Further paths on which it leaves at once, as far as they have room. Without any, it leaves again only where its path is
   * late. Default: 0; 0 to 7.
   */
  copies?: number | undefined
  /** Among those that wait for room, a higher one leaves first, and a lower one is dropped first. Default: 0; 0 to 7. */
  priority?: number | undefined
}

/** How datagrams are sent that say nothing else, and how many may wait. */
export interface DatagramOptions extends DatagramSendOptions {
  /**
   * Bytes that wait to be sent, and to be read, and 64 for each datagram. Beyond it, the oldest are dropped. Default: 1
   * MiB; 65,600 to 1 GiB.
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

/** What has become of the datagrams of a connection. */
export interface DatagramStats {
  /** Left, each counted once. */
  readonly sent: number
  /** Left at once on a further path (`copies`). */
  readonly copied: number
  /** Left again since the path that carried them was late, silent or gone. */
  readonly resent: number
  /** Acknowledged by the peer. */
  readonly acked: number
  /** Became late before they left. */
  readonly expired: number
  /** Made room for newer ones before they left. */
  readonly dropped: number
  /** Read by the application. */
  readonly received: number
  /** Came late, or became late before they were read. */
  readonly late: number
  /** Came more than once. */
  readonly duplicates: number
  /** Made room for newer ones before they were read. */
  readonly unread: number
  /** Bytes that wait to be sent, and 64 for each datagram. */
  readonly queuedBytes: number
}

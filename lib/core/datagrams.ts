// SPDX-License-Identifier: Apache-2.0
/** The datagrams of one connection, both ways: what an application may send and take, and how many of them became what. */
import type { Millis } from '../clock.js'
import type { OptionTable, Resolved } from '../options.js'
import { DatagramReceiver } from './datagram-receiver.js'
import type { DatagramSenderInit } from './datagram-sender.js'
import { DatagramSender } from './datagram-sender.js'
import type { Extensions } from './extensions.js'

/** How one datagram is sent. */
export interface DatagramSendOptions {
  /**
   * Time for which it is worth something, milliseconds. Then it is dropped: by us where it has not left, and by the peer where it comes
   * or is read later.
   */
  expiresMs?: number | undefined
  /** Further paths on which it leaves at once, as far as they have room. Without any, it leaves again only where its path is late. */
  copies?: number | undefined
  /** Among those that wait for room, a higher one leaves first, and a lower one is dropped first. */
  priority?: number | undefined
}

/** How datagrams are sent that say nothing else, and how many may wait. */
export interface DatagramOptions extends DatagramSendOptions {
  /** Bytes that wait to be sent, and to be read, and 64 for each datagram. Beyond it, the oldest are dropped. */
  maxQueuedBytes?: number | undefined
}

const SEND_TABLE: OptionTable<DatagramSendOptions> = {
  expiresMs: { default: Infinity, min: 1, max: Infinity },
  copies: { default: 0, min: 0, max: 7 },
  priority: { default: 0, min: 0, max: 7 },
}

export const DATAGRAM_TABLE: OptionTable<DatagramOptions> = {
  ...SEND_TABLE,
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
  /** Of those sent, what has come to the peer for sure. */
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

export class Datagrams {
  readonly sender: DatagramSender
  readonly receiver: DatagramReceiver
  readonly #init: DatagramSenderInit & { readonly extensions: Extensions }

  constructor(init: DatagramSenderInit & { readonly extensions: Extensions }) {
    this.#init = init
    this.sender = new DatagramSender(init, DATAGRAM_TABLE.maxQueuedBytes.default)
    this.receiver = new DatagramReceiver(init.subflows)
  }

  /** Whether the peer takes datagrams; `undefined` while it has not shown that. */
  get isTaken(): boolean | undefined {
    const { peer, extensions } = this.#init
    const { kind, takesDatagrams, takesExtensions } = peer.profile
    if (takesDatagrams) return true
    const isUnknown = takesExtensions ? extensions.peerSettings === undefined : kind === 'unknown'
    return isUnknown ? undefined : false
  }

  /** The application has asked for them. */
  set maxQueuedBytes(bytes: number) {
    this.sender.queue.maxBytes = bytes
    this.receiver.queue.maxBytes = bytes
  }

  /** Takes a datagram of the application. Its bytes must not change any more. */
  send(bytes: Uint8Array, { expiresMs, copies, priority }: Resolved<DatagramSendOptions>, now: Millis): void {
    const sentOn = new Set<never>()
    this.sender.queue.push({ bytes, priority, expiresAt: now + expiresMs, copies, number: undefined, sentOn })
  }

  /** Bytes that wait, on either side. */
  get heldBytes(): number {
    return this.sender.queue.bytes + this.receiver.queue.bytes + this.sender.unackedBytes
  }

  get stats(): DatagramStats {
    const { sender, receiver } = this
    return {
      ...sender.counts,
      expired: sender.queue.expired,
      dropped: sender.queue.dropped,
      received: receiver.received,
      late: receiver.late,
      duplicates: receiver.duplicates,
      unread: receiver.queue.dropped,
      queuedBytes: sender.queue.bytes,
    }
  }
}

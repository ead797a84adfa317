// SPDX-License-Identifier: Apache-2.0
/** The datagrams of one connection, both ways: what an application gives and takes, and what became of it. */
import type { Millis } from '../clock.js'
import type { Resolved } from '../options.js'
import { DATAGRAM_TABLE, type DatagramSendOptions, type DatagramStats } from './datagram-options.js'
import { DatagramReceiver } from './datagram-receiver.js'
import type { DatagramSenderInit } from './datagram-sender.js'
import { DatagramSender } from './datagram-sender.js'
import type { Extensions } from './extensions.js'

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

// SPDX-License-Identifier: Apache-2.0
/** The datagrams of one connection, both ways: what an application gives and takes, and what became of it. */
import type { Millis } from '../../clock.js'
import type { Resolved } from '../../options.js'
import { DATAGRAM_TABLE, type DatagramSendOptions, type DatagramStats } from './datagram-options.js'
import { DatagramReceiver } from './datagram-receiver.js'
import type { DatagramSenderInit } from './datagram-sender.js'
import { DatagramSender } from './datagram-sender.js'
import type { Extensions } from '../extensions.js'

export class Datagrams {
  /** Made when they are used first: most connections have no datagrams. */
  #sender: DatagramSender | undefined
  #receiver: DatagramReceiver | undefined
  readonly #init: DatagramSenderInit & { readonly extensions: Extensions }

  constructor(init: DatagramSenderInit & { readonly extensions: Extensions }) {
    this.#init = init
  }

  get sender(): DatagramSender {
    return (this.#sender ??= new DatagramSender(this.#init, DATAGRAM_TABLE.maxQueuedBytes.default))
  }

  get receiver(): DatagramReceiver {
    return (this.#receiver ??= new DatagramReceiver(this.#init.subflows))
  }

  /** Hands those that wait to subflows for as long as there is room. */
  pump(now: Millis): void {
    this.#sender?.pump(now)
  }

  /** When time alone has one leave; Infinity for never. */
  get dueAt(): Millis {
    return this.#sender?.dueAt ?? Infinity
  }

  /** Sends no more: the connection is over. What has come may still be taken. */
  clear(): void {
    this.#sender?.clear()
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
    const sent = this.#sender === undefined ? 0 : this.#sender.queue.bytes + this.#sender.unackedBytes
    return sent + (this.#receiver?.queue.bytes ?? 0)
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

// SPDX-License-Identifier: Apache-2.0
/**
 * Messages that all arrive, in whatever order: parts of them are datagrams that never become late, and so are sent until they are
 * acked. Each side says how much it takes, so that none has to be dropped.
 */
import type { Millis } from '../clock.js'
import { DATAGRAM_TABLE } from '../core/datagrams/datagram-options.js'
import type { Datagrams } from '../core/datagrams/datagrams.js'
import { Inbox } from '../messages/inbox.js'
import { BUFFERED_BYTES, tooManyError } from '../messages/message-bytes.js'
import { Outbox } from '../messages/outbox.js'
import { resolveOptions } from '../options.js'

/** Bytes that wait in the core for room on a path: what comes later is still cut when it is known what the peer takes. */
const WAITING_BYTES = 262_144
/** Datagrams from the oldest that is not acked on. Its receiver tells 64,000 numbers from copies, and some wait for theirs. */
const MAX_SPAN = 32_768
const HOW = resolveOptions(DATAGRAM_TABLE, {})
/** What the peer waits for leaves in front of messages. */
const URGENT = resolveOptions(DATAGRAM_TABLE, { priority: 1 })
/** Room in the window beside two of the longest messages. */
const SPARE_BYTES = 65_536

export class MessageExchange {
  readonly #datagrams: Datagrams
  readonly #inbox: Inbox
  readonly #outbox = new Outbox()
  #hasSaidEnd = false
  #hasHeardEnd = false

  /** @param maxMessageBytes - longest message, in both directions */
  constructor(datagrams: Datagrams, maxMessageBytes: number) {
    // Parts cost less than a hundredth of their message beside its bytes; the last quarter may not be known to the peer yet.
    const windowBytes = Math.max(BUFFERED_BYTES, 2 * maxMessageBytes + SPARE_BYTES)
    this.#datagrams = datagrams
    this.#inbox = new Inbox({ maxMessageBytes, windowBytes })
    datagrams.maxQueuedBytes = windowBytes
  }

  /** Bytes that it keeps for the reader, with what they cost. */
  get keptBytes(): number {
    return this.#inbox.keptBytes
  }

  /** Its last message has been handed over, so that it takes another. */
  get isReady(): boolean {
    return this.#outbox.isEmpty
  }

  /** All messages have been acked, and the peer knows that no more follow. */
  get isWriteEnd(): boolean {
    const { queue, unackedBytes } = this.#datagrams.sender
    return this.#hasSaidEnd && queue.isEmpty && unackedBytes === 0
  }

  /** The peer has said that no more follow. */
  get hasPeerEnd(): boolean {
    return this.#hasHeardEnd
  }

  /** All messages of the peer have come. */
  get hasAll(): boolean {
    return this.#inbox.hasEnded
  }

  /** No complete message waits. */
  get isDrained(): boolean {
    return this.#inbox.isEmpty
  }

  /** All messages of the peer have been taken. */
  get isReadEnd(): boolean {
    return this.hasAll && this.isDrained
  }

  /** Takes a message, once it is ready. Its bytes may change once it is ready again. */
  write(message: Uint8Array): void {
    this.#outbox.add(message)
  }

  /** No more will be written. */
  end(now: Millis): void {
    this.#hasSaidEnd = true
    this.#datagrams.send(this.#outbox.end(), HOW, now)
  }

  /** Hands over what there is room for. @returns whether that was anything */
  pump(now: Millis): boolean {
    const { sender } = this.#datagrams
    let hasSent = false
    while (sender.queue.bytes < WAITING_BYTES && sender.span < MAX_SPAN) {
      const part = this.#outbox.next()
      if (part === undefined) break
      this.#datagrams.send(part, HOW, now)
      hasSent = true
    }
    return hasSent
  }

  /**
   * Takes all in that has come. @returns whether that was anything
   *
   * @throws ERR_MULTIPATH_FRAME and ERR_MULTIPATH_LIMIT: what the peer sends are no such messages, or too long, or too many
   */
  hear(now: Millis): boolean {
    const { receiver } = this.#datagrams
    let hasHeard = false
    for (let part = receiver.take(now); part !== undefined; part = receiver.take(now)) {
      const heard = this.#inbox.add(part)
      if (heard.type === 'limit') this.#outbox.opened(heard.limitBytes)
      else if (heard.type === 'end') this.#hasHeardEnd = true
      hasHeard = true
    }
    // What is too old is a copy: its sender has at most MAX_SPAN numbers that are not acked.
    if (receiver.expired + receiver.queue.dropped > 0) throw tooManyError()
    return hasHeard
  }

  /** The next message, in the order in which they were complete. */
  take(): Buffer | undefined {
    return this.#inbox.take()
  }

  /** Tells the peer how much is taken by now, where it needs to know. @returns whether it did */
  sayLimit(now: Millis): boolean {
    const part = this.#hasHeardEnd ? undefined : this.#inbox.limitDue()
    if (part !== undefined) this.#datagrams.send(part, URGENT, now)
    return part !== undefined
  }

  /** Nothing more is taken in, nor sent. */
  close(): void {
    this.#datagrams.maxQueuedBytes = 0
  }
}

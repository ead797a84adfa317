// SPDX-License-Identifier: Apache-2.0
/** Messages with their boundaries over any byte stream. */
import { Duplex } from 'node:stream'
import { toError } from '../errors.js'
import type { OptionTable } from '../options.js'
import { refuseUnknown, resolveOptions } from '../options.js'
import { varIntLen, writeVarInt } from '../wire/varint.js'
import { bufferedMessages, incompleteError, messageBytes, sendMessage } from './message-bytes.js'
import { MessageReader } from './message-reader.js'

/** Limits of a stream of messages. */
export interface MessageOptions {
  /** Longest message, bytes, in both directions. Default: 1 MiB; 1 to 1 GiB. */
  maxMessageBytes?: number | undefined
}

export const MESSAGE_TABLE: OptionTable<MessageOptions> = {
  maxMessageBytes: { default: 1024 * 1024, min: 1, max: 1024 * 1024 * 1024 },
}

type Callback = (error?: Error | null) => void

/**
 * Each `write` or `send` is one message, each `data` event or step of `for await` is one, even an empty one. The stream
 * ends and is destroyed together with the stream below, which it takes over: do not read or write that one.
 *
 * Errors (events, callbacks, rejections): ERR_MULTIPATH_LIMIT for a message that is too long, sent or received;
 * ERR_MULTIPATH_INCOMPLETE where the stream below ends within one; ERR_MULTIPATH_FRAME for an invalid length; and those of
 * the stream below. Messages that arrived in full before are read first.
 */
export class MessageStream extends Duplex {
  readonly #below: Duplex
  readonly #maxMessageBytes: number
  readonly #reader: MessageReader
  /** Messages of the last bytes that came, while the reader wants no more. */
  #messages: Generator<Buffer, void, undefined> | undefined
  #isBelowEnded = false
  #hasPushedEnd = false
  /** Follows what the reader can still get. */
  #failure: Error | undefined
  #belowError: Error | undefined

  /** @throws {OptionError} */
  constructor(below: Duplex, options?: MessageOptions) {
    refuseUnknown(options, MESSAGE_TABLE)
    const { maxMessageBytes } = resolveOptions<MessageOptions>(MESSAGE_TABLE, options)
    super({
      objectMode: true,
      highWaterMark: bufferedMessages(maxMessageBytes),
      allowHalfOpen: below.allowHalfOpen,
    })
    this.#below = below
    this.#maxMessageBytes = maxMessageBytes
    this.#reader = new MessageReader(maxMessageBytes)
    below.on('data', this.#belowOnData)
    below.on('end', this.#belowOnEnd)
    below.on('error', this.#belowOnError)
    below.on('close', this.#belowOnClose)
    below.pause()
    if (below.closed) process.nextTick(this.#belowOnClose)
    else if (below.readableEnded) process.nextTick(this.#belowOnEnd)
  }

  /**
   * Sends one message. Resolves once the stream below has taken it; then the caller may reuse `message`.
   *
   * @throws ERR_MULTIPATH_LIMIT if it is longer than `maxMessageBytes`: nothing is sent, and the stream continues
   */
  send(message: Uint8Array | string): Promise<void> {
    return sendMessage(this, message, this.#maxMessageBytes)
  }

  /** @internal */ override _write(message: unknown, _encoding: BufferEncoding, callback: Callback): void {
    try {
      this.#send(messageBytes(message, this.#maxMessageBytes), callback)
    } catch (error) {
      callback(toError(error))
    }
  }

  /** @internal */ override _final(callback: Callback): void {
    const below = this.#below
    if (below.writableFinished) callback()
    else if (below.writableEnded) below.once('finish', callback)
    else below.end(callback)
  }

  /** @internal */ override _read(): void {
    if (this.#pump() && !this.#isBelowEnded) this.#below.resume()
  }

  override read(size?: number): unknown {
    const message: unknown = super.read(size)
    this.#checkFailure()
    return message
  }

  /** @internal */ override _destroy(error: Error | null, callback: Callback): void {
    const below = this.#below
    below.off('data', this.#belowOnData)
    below.off('end', this.#belowOnEnd)
    below.off('close', this.#belowOnClose)
    const isOver = below.readableEnded && below.writableFinished
    if (error !== null || !isOver) below.destroy(error ?? undefined)
    callback(error)
  }

  readonly #belowOnData = (bytes: Uint8Array): void => {
    this.#messages = this.#reader.read(bytes)
    if (!this.#pump()) this.#below.pause()
  }

  readonly #belowOnEnd = (): void => {
    this.#isBelowEnded = true
    this.#pump()
  }

  readonly #belowOnError = (error: Error): void => {
    this.#belowError = error
  }

  readonly #belowOnClose = (): void => {
    if (this.#hasPushedEnd && (this.writableFinished || this.#below.writableFinished)) return
    this.#failure ??=
      this.#belowError ?? incompleteError('the stream below closed without an end of its data')
    this.#checkFailure()
  }

  /** Hands on messages until the reader has enough. @returns whether it wants more */
  #pump(): boolean {
    try {
      while (this.#messages !== undefined) {
        const { done, value } = this.#messages.next()
        if (done === true) this.#messages = undefined
        else if (!this.push(value)) return false
      }
    } catch (error) {
      this.#messages = undefined
      this.#fail(toError(error))
    }
    if (!this.#isBelowEnded || this.#hasPushedEnd || this.#failure !== undefined) return true
    if (this.#reader.isBetweenMessages) {
      this.#hasPushedEnd = true
      this.push(null)
    } else this.#fail(incompleteError('the stream below ended within a message'))
    return true
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#below.off('data', this.#belowOnData)
    this.#below.resume()
    this.#checkFailure()
  }

  #checkFailure(): void {
    const failure = this.#failure
    if (failure !== undefined && this.readableLength === 0 && this.#messages === undefined)
      process.nextTick(() => this.destroy(failure))
  }

  #send(bytes: Uint8Array, callback: Callback): void {
    const head = new Uint8Array(varIntLen(bytes.length))
    writeVarInt(head, bytes.length)
    this.#below.cork()
    if (bytes.length === 0) this.#below.write(head, callback)
    else {
      this.#below.write(head)
      this.#below.write(bytes, callback)
    }
    this.#below.uncork()
  }
}

/** Messages over `below`, whose other end must speak the same: see {@link MessageStream}. */
export function messages(below: Duplex, options?: MessageOptions): MessageStream {
  return new MessageStream(below, options)
}

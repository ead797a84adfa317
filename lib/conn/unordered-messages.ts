// SPDX-License-Identifier: Apache-2.0
/** A connection as messages without an order, for an application. */
import { Duplex } from 'node:stream'
import { RemoteProtocolError, toError } from '../errors.js'
import { bufferedMessages, incompleteError, messageBytes, sendMessage } from '../messages/message-bytes.js'
import { type MessageOptions, MESSAGE_TABLE } from '../messages/messages.js'
import { refuseUnknown, resolveOptions } from '../options.js'
import { callForeign } from '../stream/foreign.js'
import type { Callback } from '../stream/socket-surface.js'
import { type DatagramStreamInit, peerError } from './datagram-stream.js'
import type { Driver } from './driver.js'
import { MessageExchange } from './message-exchange.js'
import { closedError } from './net-conn.js'

/**
 * Messages of a connection between two multipath-net peers. Each arrives once, in any order: none waits for another that is
 * missing or late. Each `write` or `send` is one message, each `data` event or step of `for await` is one. The stream ends and is
 * destroyed together with its connection, whose bytes it takes over: do not read or write them beside it.
 *
 * Errors (events, callbacks, rejections): ERR_MULTIPATH_PEER where the peer takes none, as Go's; ERR_MULTIPATH_LIMIT for a message
 * that is too long, sent or received; ERR_MULTIPATH_INCOMPLETE where the connection ends before all have come;
 * ERR_MULTIPATH_FRAME where the peer sends anything else; and those of the connection. What came in full before is read first.
 */
export class UnorderedMessageStream extends Duplex {
  readonly #conn: Duplex
  readonly #driver: Driver<unknown>
  readonly #onUse: () => void
  readonly #maxMessageBytes: number
  readonly #exchange: MessageExchange
  #isWanted = false
  #hasPushedEnd = false
  #isPumping = false
  /** Of the write, or the end, that is under way. */
  #writeCallback: Callback | undefined
  #finalCallback: Callback | undefined
  /** Follows what the reader can still get. */
  #failure: Error | undefined
  #connError: Error | undefined

  /** @internal */
  constructor({ conn, driver, onUse }: DatagramStreamInit, options: MessageOptions) {
    refuseUnknown(options, MESSAGE_TABLE)
    const { maxMessageBytes } = resolveOptions<MessageOptions>(MESSAGE_TABLE, options)
    super({
      objectMode: true,
      highWaterMark: bufferedMessages(maxMessageBytes),
      allowHalfOpen: conn.allowHalfOpen,
    })
    this.#conn = conn
    this.#driver = driver
    this.#onUse = onUse
    this.#maxMessageBytes = maxMessageBytes
    this.#exchange = new MessageExchange(driver.core.datagrams, maxMessageBytes)
    conn.on('data', this.#connOnData)
    conn.on('end', this.#connOnEnd)
    conn.on('error', this.#connOnError)
    conn.on('close', this.#connOnClose)
    if (conn.closed) process.nextTick(this.#connOnClose)
    else this.#sayLimit()
  }

  /** Bytes that it keeps for the reader. @internal */
  get keptBytes(): number {
    return this.#exchange.keptBytes
  }

  /**
   * Sends one message. Resolves once it is on its way as far as the peer and the paths have room: `message` is the caller's again.
   *
   * @throws ERR_MULTIPATH_LIMIT where it is longer than `maxMessageBytes`: nothing is sent, and the stream goes on
   */
  send(message: Uint8Array | string): Promise<void> {
    return sendMessage(this, message, this.#maxMessageBytes)
  }

  /** Something has come on the connection. @internal */
  pull(): void {
    if (this.destroyed || this.#failure !== undefined) return
    if (this.#driver.core.datagrams.isTaken === false) {
      this.destroy(peerError())
      return
    }
    try {
      if (!this.#exchange.hear(this.#driver.clock.now())) return
    } catch (error) {
      this.#fail(toError(error))
      return
    }
    this.#onUse()
    this.#deliver()
    this.progressed()
  }

  /** There may be room to send, or all may have been acked. @internal */
  progressed(): void {
    if (this.#isPumping || this.destroyed) return
    this.#isPumping = true
    while (this.#writeCallback !== undefined) {
      if (this.#exchange.pump(this.#driver.clock.now())) this.#sent()
      if (!this.#exchange.isReady) break
      const callback = this.#writeCallback
      this.#writeCallback = undefined
      callForeign(callback)
    }
    this.#isPumping = false
    this.#checkEnd()
  }

  /** @internal */ override _write(message: unknown, _encoding: BufferEncoding, callback: Callback): void {
    try {
      this.#exchange.write(messageBytes(message, this.#maxMessageBytes))
    } catch (error) {
      callback(toError(error))
      return
    }
    this.#writeCallback = callback
    this.progressed()
  }

  /** @internal */ override _final(callback: Callback): void {
    this.#exchange.end(this.#driver.clock.now())
    this.#finalCallback = callback
    this.#sent()
  }

  /** @internal */ override _read(): void {
    this.#isWanted = true
    this.#deliver()
  }

  override read(size?: number): unknown {
    const message: unknown = super.read(size)
    this.#checkFailure()
    return message
  }

  /** @internal */ override _destroy(error: Error | null, callback: Callback): void {
    const conn = this.#conn
    conn.off('data', this.#connOnData)
    conn.off('end', this.#connOnEnd)
    conn.off('close', this.#connOnClose)
    conn.resume()
    const isOver = this.#hasPushedEnd && this.writableFinished
    if (error !== null || !isOver) conn.destroy(error ?? undefined)
    this.#exchange.close()
    const writeCallback = this.#writeCallback
    this.#writeCallback = undefined
    callback(error)
    writeCallback?.(error ?? closedError())
  }

  readonly #connOnData = (): void => {
    this.#fail(new RemoteProtocolError('the peer sent bytes instead of unordered messages'))
  }

  readonly #connOnEnd = (): void => {
    if (!this.#exchange.hasPeerEnd) this.#fail(incompleteError('the connection ended before its messages'))
  }

  readonly #connOnError = (error: Error): void => {
    this.#connError = error
  }

  readonly #connOnClose = (): void => {
    if (this.#exchange.hasAll && this.writableFinished) return
    this.#fail(this.#connError ?? incompleteError('the connection closed before the end of its messages'))
  }

  #deliver(): void {
    while (this.#isWanted && !this.destroyed) {
      const message = this.#exchange.take()
      if (message === undefined) break
      callForeign(() => {
        this.#isWanted = this.push(message)
      })
    }
    this.#sayLimit()
    if (this.#exchange.isReadEnd && !this.#hasPushedEnd) {
      this.#hasPushedEnd = true
      this.push(null)
    }
    this.#checkFailure()
  }

  #sayLimit(): void {
    if (this.#exchange.sayLimit(this.#driver.clock.now())) this.#driver.flushSoon()
  }

  #sent(): void {
    this.#onUse()
    this.#driver.flushSoon()
  }

  /** Once both sides have said that no more follow, and ours have all come, so has all that the connection is there for. */
  #checkEnd(): void {
    if (!this.#exchange.isWriteEnd) return
    const callback = this.#finalCallback
    this.#finalCallback = undefined
    if (callback !== undefined) callForeign(callback)
    if (this.#exchange.hasPeerEnd && !this.#conn.writableEnded) this.#conn.end()
  }

  /** What came before may still wait for the reader. */
  #fail(error: Error): void {
    this.#failure ??= error
    this.#deliver()
  }

  #checkFailure(): void {
    const failure = this.#failure
    if (failure !== undefined && this.readableLength === 0 && this.#exchange.isDrained)
      process.nextTick(() => this.destroy(failure))
  }
}

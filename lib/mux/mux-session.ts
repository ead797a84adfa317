// SPDX-License-Identifier: Apache-2.0
/** A session of yamux streams over any Duplex. */
import type { Duplex } from 'node:stream'
import type { Millis } from '../clock.js'
import { systemClock } from '../clock.js'
import { debug } from '../debug.js'
import { MultipathError, OptionError } from '../errors.js'
import { checkBoolean, refuseUnknown } from '../options.js'
import { AcceptQueue } from '../stream/accept-queue.js'
import { Emitter } from '../stream/emitter.js'
import { Driver } from './driver.js'
import { MuxStream } from './mux-stream.js'
import type { MuxOptions } from './options.js'
import { resolveMuxOptions } from './options.js'
import type { SessionEvent } from './driver.js'
import type { StreamCore } from './stream-core.js'

/** Events of a session. */
export interface MuxSessionEvents {
  /** The peer has opened a stream. Without a listener, streams wait for `accept`. */
  stream: [stream: MuxStream]
  /** The peer accepts no more streams. Open streams continue. */
  goaway: []
  /** The connection below is closed; `error` is the cause if it did not end in order. */
  close: [error?: Error]
}

/** Options of one stream that we open. */
export interface OpenOptions {
  /** Whether it stays writable after the peer's end. Default: that of the session. */
  allowHalfOpen?: boolean | undefined
}

type Listener<Name extends keyof MuxSessionEvents> = (...args: MuxSessionEvents[Name]) => void

interface PingWaiter {
  resolve(rttMs: Millis): void
  reject(error: Error): void
}

/**
 * Takes over `duplex`: do not read or write it yourself. Every stream has its own window, so that one whose reader
 * is slow holds up no other.
 *
 * Errors (`close`, rejections): ERR_MULTIPATH_MUX_PROTOCOL, _MUX_CLOSED, _MUX_LIMIT, _MUX_TIMEOUT, and those of
 * `duplex`.
 */
export class MuxSession
  extends Emitter<MuxSessionEvents>
  implements AsyncIterable<MuxStream>, AsyncDisposable
{
  readonly #driver: Driver
  readonly #allowHalfOpen: boolean
  readonly #queue = new AcceptQueue<MuxStream>(() => closedError(this.#error))
  readonly #pings = new Map<number, PingWaiter>()
  /** The first reason why it is no orderly end. */
  #error: Error | undefined
  #isClosed = false

  /** @throws {OptionError} */
  constructor(duplex: Duplex, options: MuxOptions) {
    super()
    const limits = resolveMuxOptions(options)
    assertDuplex(duplex)
    this.#allowHalfOpen = options.allowHalfOpen ?? false
    this.#driver = new Driver(duplex, { role: options.role, limits }, options.clock ?? systemClock, {
      onEvent: (event) => {
        this.#onEvent(event)
      },
      onClose: () => {
        this.#closed()
      },
    })
  }

  /** Number of open streams, including those that were not accepted yet. */
  get streams(): number {
    return this.#driver.core.streams
  }

  /** Whether `open()` can open a stream: neither end has gone away. */
  get isOpen(): boolean {
    return this.#driver.core.isOpen
  }

  /** Unread bytes of all streams together. */
  get unreadBytes(): number {
    return this.#driver.core.unreadBytes
  }

  /**
   * Opens a stream at once. Data that is written to it leaves before the peer has accepted it. If the peer refuses the
   * stream, it is destroyed with ERR_MULTIPATH_MUX_RESET.
   *
   * @throws {OptionError}
   * @throws ERR_MULTIPATH_MUX_CLOSED where either end goes away, ERR_MULTIPATH_MUX_LIMIT once all ids were used
   */
  open(options: OpenOptions = {}): MuxStream {
    refuseUnknown(options, ['allowHalfOpen'])
    const allowHalfOpen = checkBoolean('allowHalfOpen', options.allowHalfOpen) ?? this.#allowHalfOpen
    const core = this.#driver.core.open(this.#driver.clock.now())
    this.#driver.flushSoon()
    return this.#add(core, allowHalfOpen)
  }

  /**
   * Resolves with the next stream of the peer.
   *
   * @throws ERR_MULTIPATH_MUX_CLOSED once the session is closed; the reason of `signal`
   */
  async accept({ signal }: { signal?: AbortSignal } = {}): Promise<MuxStream> {
    const stream = await this.#queue.take(signal)
    stream.accept()
    return stream
  }

  /**
   * Yields the streams of the peer until the session is closed.
   *
   * @throws why the session was no orderly end
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<MuxStream, void, undefined> {
    for (;;) {
      try {
        yield await this.accept()
      } catch (error) {
        if (this.#error !== undefined) throw this.#error
        if (error instanceof MultipathError && error.code === 'ERR_MULTIPATH_MUX_CLOSED') return
        throw error
      }
    }
  }

  /**
   * Measures the round-trip time to the peer, milliseconds.
   *
   * @throws ERR_MULTIPATH_MUX_LIMIT, ERR_MULTIPATH_MUX_TIMEOUT, ERR_MULTIPATH_MUX_CLOSED
   */
  ping(): Promise<Millis> {
    return new Promise((resolve, reject) => {
      const id = this.#driver.core.ping(this.#driver.clock.now())
      this.#pings.set(id, { resolve, reject })
      this.#driver.flushSoon()
    })
  }

  /**
   * Tells the peer that the session goes away, waits for its streams to end, and closes the connection below. Streams that
   * were not accepted are reset.
   *
   * @throws what ended the session before
   */
  close(): Promise<void> {
    this.#driver.core.close()
    for (const stream of this.#queue.close()) stream.destroy()
    this.#driver.flushSoon()
    return new Promise((resolve, reject) => {
      const sessionOnClose = (): void => {
        if (this.#error === undefined) resolve()
        else reject(this.#error)
      }
      if (this.#isClosed) sessionOnClose()
      else this.once('close', sessionOnClose)
    })
  }

  /** Closes the session, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Ends all streams and the connection below at once. Without `error`, the streams emit no error either. */
  destroy(error?: Error): this {
    this.#driver.destroy(error)
    return this
  }

  override on<Name extends keyof MuxSessionEvents>(
    event: Name,
    listener: Listener<Name>,
    context?: unknown,
  ): this {
    super.on(event, listener, context)
    if (event === 'stream') process.nextTick(this.#serveListeners)
    return this
  }

  override once<Name extends keyof MuxSessionEvents>(
    event: Name,
    listener: Listener<Name>,
    context?: unknown,
  ): this {
    super.once(event, listener, context)
    if (event === 'stream') process.nextTick(this.#serveListeners)
    return this
  }

  /** The same as `on`. */
  override addListener<Name extends keyof MuxSessionEvents>(
    event: Name,
    listener: Listener<Name>,
    context?: unknown,
  ): this {
    return this.on(event, listener, context)
  }

  /** Streams that came before anybody listened. */
  readonly #serveListeners = (): void => {
    while (this.listenerCount('stream') > 0) {
      const stream = this.#queue.next()
      if (stream === undefined) return
      this.#hand(stream)
    }
  }

  #onEvent(event: SessionEvent): void {
    switch (event.type) {
      case 'stream': {
        const stream = this.#add(event.stream, this.#allowHalfOpen)
        if (this.listenerCount('stream') > 0) this.#hand(stream)
        else this.#queue.put(stream)
        return
      }
      case 'ping-end': {
        this.#pingEnded(event.id, event.rttMs)
        return
      }
      case 'go-away': {
        this.emit('goaway')
        return
      }
      case 'over': {
        this.#error = event.error
        debug('a mux session is over: %s', event.error ?? 'orderly')
      }
    }
  }

  #hand(stream: MuxStream): void {
    stream.accept()
    this.emit('stream', stream)
  }

  #add(core: StreamCore, allowHalfOpen: boolean): MuxStream {
    const stream = new MuxStream(core, this.#driver, allowHalfOpen)
    this.#driver.add(core, stream)
    return stream
  }

  #pingEnded(id: number, rttMs: Millis | undefined): void {
    const waiter = this.#pings.get(id)
    this.#pings.delete(id)
    if (rttMs !== undefined) waiter?.resolve(rttMs)
    else waiter?.reject(new MultipathError('ERR_MULTIPATH_MUX_TIMEOUT', 'the peer did not answer the ping'))
  }

  #closed(): void {
    this.#isClosed = true
    for (const stream of this.#queue.close()) stream.destroy()
    for (const waiter of this.#pings.values()) waiter.reject(closedError(this.#error))
    this.#pings.clear()
    if (this.#error === undefined) this.emit('close')
    else this.emit('close', this.#error)
  }
}

function closedError(cause?: Error): MultipathError {
  return new MultipathError('ERR_MULTIPATH_MUX_CLOSED', 'the session is closed', cause && { cause })
}

function assertDuplex(duplex: unknown): void {
  const { write, read } = (duplex ?? {}) as Partial<Duplex>
  if (typeof write !== 'function' || typeof read !== 'function')
    throw new OptionError('duplex must be a Duplex')
}

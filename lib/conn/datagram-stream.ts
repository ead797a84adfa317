// SPDX-License-Identifier: Apache-2.0
/** The datagrams of a connection as a stream of messages, for an application. */
import { Duplex } from 'node:stream'
import type {
  DatagramOptions,
  DatagramSendOptions,
  DatagramStats,
} from '../core/datagrams/datagram-options.js'
import { DATAGRAM_SEND_TABLE, DATAGRAM_TABLE } from '../core/datagrams/datagram-options.js'
import { MultipathError, OptionError, toError } from '../errors.js'
import { refuseUnknown, resolveOptions, type Resolved } from '../options.js'
import { callForeign } from '../stream/foreign.js'
import type { Callback } from '../stream/socket-surface.js'
import { MAX_DATAGRAM_BYTES } from '../wire/limits.js'
import type { Driver } from './driver.js'
import { closedError } from './net-conn.js'

/** Messages that wait here for the reader, who may have paused: the others wait where they become late. */
const WAITING = 16

/** @internal */
export interface DatagramStreamInit {
  readonly conn: Duplex
  readonly driver: Driver<unknown>
  /** The connection is in use. */
  readonly onUse: () => void
}

/**
 * Messages of up to 64 KiB beside the bytes of a connection, between two multipath-net peers: each `data` event or step of `for await`
 * is one, and so is each `write` or `send`. A message may be lost, and may overtake others; it comes once at most. Event `ready`: the
 * peer takes datagrams.
 *
 * Ends with its connection, which neither waits for it nor ends with it. Errors (events, callbacks): ERR_MULTIPATH_PEER where the
 * peer takes none, as Go's; and those of the connection.
 */
export class DatagramStream extends Duplex {
  readonly #driver: Driver<unknown>
  readonly #onUse: () => void
  readonly #defaults: Resolved<DatagramOptions>
  #isReady = false
  #isWanted = false

  /** @internal */
  constructor({ conn, driver, onUse }: DatagramStreamInit, options: DatagramOptions | undefined) {
    refuseUnknown(options, DATAGRAM_TABLE)
    const defaults = resolveOptions(DATAGRAM_TABLE, options)
    super({ objectMode: true, readableHighWaterMark: WAITING })
    this.#driver = driver
    this.#onUse = onUse
    this.#defaults = defaults
    driver.core.datagrams.maxQueuedBytes = defaults.maxQueuedBytes
    const connOnClose = (): void => {
      if (conn.errored) this.destroy(conn.errored)
      else this.#end()
    }
    conn.once('close', connOnClose)
    this.once('close', () => {
      conn.off('close', connOnClose)
      driver.core.datagrams.maxQueuedBytes = 0
    })
    process.nextTick(conn.closed ? connOnClose : () => this.pull())
  }

  /** Counters of the datagrams of the connection. */
  get stats(): DatagramStats {
    return this.#driver.core.datagrams.stats
  }

  /** Whether the peer takes datagrams; `undefined` while it has not shown that. */
  get isTaken(): boolean | undefined {
    return this.#driver.core.datagrams.isTaken
  }

  /**
   * Sends one message, or queues it until there is room (`maxQueuedBytes`). There is no sign whether it arrives. `message`
   * is copied.
   *
   * @param options - override those of the stream
   * @throws {OptionError}
   * @throws ERR_MULTIPATH_LIMIT for a message of more than 64 KiB; ERR_MULTIPATH_PEER; ERR_MULTIPATH_CLOSED once it is
   * closed
   */
  send(message: Uint8Array | string, options?: DatagramSendOptions): void {
    const bytes = bytesOf(message)
    refuseUnknown(options, DATAGRAM_SEND_TABLE)
    const how =
      options === undefined
        ? this.#defaults
        : resolveOptions(DATAGRAM_TABLE, { ...this.#defaults, ...options })
    if (this.destroyed || this.writableEnded) throw closedError()
    if (this.isTaken === false) throw peerError()
    const { core, clock } = this.#driver
    core.datagrams.send(bytes, how, clock.now())
    this.#onUse()
    this.#driver.flushSoon()
  }

  /** Something has come on the connection. @internal */
  pull(): void {
    if (this.destroyed) return
    if (this.isTaken === false) {
      this.destroy(peerError())
      return
    }
    if (!this.#isReady && this.isTaken === true) {
      this.#isReady = true
      callForeign(() => this.emit('ready'))
    }
    const { core, clock } = this.#driver
    while (this.#isWanted && !this.readableEnded) {
      const message = core.datagrams.receiver.take(clock.now())
      if (message === undefined) return
      this.#onUse()
      // A listener of `data` may throw: the bytes behind this message are read all the same.
      callForeign(() => {
        this.#isWanted = this.push(Buffer.from(message.buffer, message.byteOffset, message.length))
      })
    }
  }

  /** @internal */ override _read(): void {
    this.#isWanted = true
    this.pull()
  }

  /** @internal */ override _write(message: unknown, _encoding: BufferEncoding, callback: Callback): void {
    try {
      this.send(message as Uint8Array)
      callback()
    } catch (error) {
      callback(toError(error))
    }
  }

  #end(): void {
    if (this.destroyed) return
    this.pull()
    this.push(null)
    this.end()
  }
}

function bytesOf(message: unknown): Uint8Array {
  if (typeof message !== 'string' && !(message instanceof Uint8Array))
    throw new OptionError(`a message must be bytes or a string, got ${typeof message}`)
  const bytes = Buffer.from(message as string)
  if (bytes.length <= MAX_DATAGRAM_BYTES) return bytes
  throw new MultipathError(
    'ERR_MULTIPATH_LIMIT',
    `the message has ${bytes.length} bytes, and a datagram carries ${MAX_DATAGRAM_BYTES} at most`,
  )
}

/** What a peer without datagrams is. */
export function peerError(): MultipathError {
  return new MultipathError(
    'ERR_MULTIPATH_PEER',
    'the peer takes no datagrams: it is Go, or of an earlier version',
  )
}

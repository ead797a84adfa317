// SPDX-License-Identifier: Apache-2.0
/** One stream of a session as a Duplex with the surface of net.Socket. */
import type { Duplex } from 'node:stream'
import type { MultipathError } from '../errors.js'
import { callForeign } from '../stream/foreign.js'
import type { Callback, Endpoints } from '../stream/socket-surface.js'
import { SocketSurface } from '../stream/socket-surface.js'
import type { StreamCore } from './stream-core.js'

/** What a stream needs of its session. */
export interface StreamHost {
  readonly endpoints: Endpoints
  accept(core: StreamCore): void
  write(core: StreamCore, chunks: readonly Uint8Array[], isLent: (chunk: Uint8Array) => boolean): void
  end(core: StreamCore): void
  take(core: StreamCore): Uint8Array | undefined
  abandon(core: StreamCore, isReset: boolean): void
}

/** Node's own default since 22, bytes. */
const HIGH_WATER_MARK = 65_536

/** So much may wait for the connection below before writes wait too: with less, each write below would be one frame. */
const ACCEPTED_BYTES = 262_144

/**
 * A stream within a session. `connect` reports that the peer has accepted it; data that was written earlier is already on
 * its way. A buffer given to `write()` belongs to the stream. With a callback, the caller may reuse it when the callback is
 * called.
 *
 * Errors (events and callbacks): ERR_MULTIPATH_MUX_RESET, _MUX_CLOSED, _MUX_LIMIT, _MUX_TIMEOUT.
 */
export class MuxStream extends SocketSurface {
  /** Its number in the session: odd if the client opened it. */
  readonly id: number
  readonly #core: StreamCore
  readonly #host: StreamHost
  /** Chunks that are the caller's again once the callback of their write has been called. */
  readonly #lent = new WeakSet<Uint8Array>()
  readonly #isLent = (chunk: Uint8Array): boolean => this.#lent.has(chunk)
  #wantsBytes = false
  #isReset = false
  /** The peer is gone, and the reader is not done. */
  #isFailing = false
  #writing: Callback | undefined
  #ending: Callback | undefined
  #bytesRead = 0
  #bytesDone = 0
  #writingBytes = 0
  /** The write under way is called back once less than this waits: what is lent, once all has been taken. */
  #acceptedBytes = 0

  /** @internal */
  constructor(core: StreamCore, host: StreamHost, allowHalfOpen: boolean) {
    super({
      allowHalfOpen,
      readableHighWaterMark: HIGH_WATER_MARK,
      writableHighWaterMark: HIGH_WATER_MARK,
      // Ours says whether there was an error, as net.Socket's does.
      emitClose: false,
    })
    this.id = core.id
    this.#core = core
    this.#host = host
    if (core.phase !== 'incoming') return
    this.setEndpoints(host.endpoints)
    this.stand()
  }

  /** Bytes that the reader received. */
  get bytesRead(): number {
    return this.#bytesRead
  }

  /** Bytes written, including those that are still on their way. */
  get bytesWritten(): number {
    return this.#bytesDone + this.writableLength
  }

  /** Resets the stream: it closes at once, the peer gets an error, and unsent data is dropped. */
  resetAndDestroy(): this {
    this.#isReset = true
    return this.destroy()
  }

  /** The application takes it. @internal */
  accept(): void {
    this.#host.accept(this.#core)
  }

  /** Something happened to the core. @internal */
  settle(): void {
    if (this.destroyed) return
    const { error, isOpen, outgoing } = this.#core
    if (isOpen && this.pending) this.#connected()
    if (error !== undefined) this.#fail(error)
    else {
      this.idle.progressed()
      if (outgoing.bytes < this.#acceptedBytes) this.#written()
      if (this.#core.isWriteEnd) this.#ended()
    }
    this.#pull()
  }

  /** @internal */
  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Callback): void {
    this.#send([chunk], callback)
  }

  /** @internal */
  override _writev(chunks: { chunk: Buffer }[], callback: Callback): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      callback,
    )
  }

  /** @internal */
  override _final(callback: Callback): void {
    this.#ending = callback
    if (this.#core.error !== undefined) this.#ended()
    else this.#host.end(this.#core)
  }

  /** @internal */
  override _read(): void {
    this.#wantsBytes = true
    this.#pull()
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.idle.stop()
    const isCut = this.#isReset || this.isCutBy(error)
    if (!isCut && !this.#core.isOver) this.#host.write(this.#core, this.buffered, this.#isLent)
    this.#host.abandon(this.#core, isCut)
    const reason = error ?? this.#core.error ?? undefined
    this.#written(reason)
    this.#ended(reason)
    callback(error)
    setImmediate(() => this.emit('close', error !== null))
  }

  /** @internal */
  protected override get sentBytes(): number | undefined {
    const { bytes } = this.#core.outgoing
    return bytes > 0 ? this.bytesWritten - bytes : undefined
  }

  /** @internal */
  protected override lend(chunk: Uint8Array): Uint8Array {
    // A view of our own: the caller may write the same object without a callback, too.
    const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    this.#lent.add(view)
    return view
  }

  /** @internal */
  protected override streams(): readonly Duplex[] {
    return []
  }

  /** A stream keeps no process up: the connection below does. @internal */
  protected override setRef(_isRefed: boolean): void {}

  #connected(): void {
    this.setEndpoints(this.#host.endpoints)
    this.stand()
    callForeign(() => {
      this.emit('connect')
      this.emit('ready')
    })
  }

  #send(chunks: readonly Uint8Array[], callback: Callback): void {
    this.idle.refresh()
    if (this.#core.error !== undefined) {
      callback(this.#core.error)
      return
    }
    this.#writing = callback
    this.#writingBytes = chunks.reduce((sum, { length }) => sum + length, 0)
    this.#host.write(this.#core, chunks, this.#isLent)
    this.#acceptedBytes = chunks.some(this.#isLent) ? 1 : ACCEPTED_BYTES
    if (this.#core.outgoing.bytes < this.#acceptedBytes) this.#written()
  }

  /** The connection below has taken all of the write under way. */
  #written(error?: Error): void {
    const callback = this.#writing
    if (callback === undefined) return
    this.#writing = undefined
    if (error === undefined) this.#bytesDone += this.#writingBytes
    callForeign(() => {
      callback(error)
    })
  }

  #ended(error?: Error): void {
    const callback = this.#ending
    this.#ending = undefined
    if (callback !== undefined)
      callForeign(() => {
        callback(error)
      })
  }

  /**
   * The peer is gone. What it sent in full is still read to its end, unless something of ours is lost; who could
   * still write then, hears of it.
   */
  #fail(error: MultipathError): void {
    if (!this.#core.isRemoteEnded || this.#core.outgoing.bytes > 0) {
      this.destroy(error)
      return
    }
    this.#written()
    this.#ended()
    if (this.#isFailing || this.writableEnded) return
    this.#isFailing = true
    // Later than the end() that Node calls behind the reader's end.
    const fail = (): void => {
      setImmediate(() => {
        if (!this.writableEnded) this.destroy(error)
      })
    }
    if (this.readableEnded) fail()
    else this.once('end', fail)
  }

  #pull(): void {
    while (this.#wantsBytes && !this.destroyed) {
      const piece = this.#host.take(this.#core)
      if (piece === undefined) break
      this.#bytesRead += piece.length
      this.idle.refresh()
      // A listener of `data` may throw: the other streams of the session do not mind.
      callForeign(() => {
        this.#wantsBytes = this.push(asBuffer(piece))
      })
    }
    if (this.#core.isReadEnd) this.readEnd.come()
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

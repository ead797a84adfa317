// SPDX-License-Identifier: Apache-2.0
/** One subflow's stream: reads go to the core, writes come from it, listeners are added and removed here. */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { toError } from '../errors.js'
import type { PortionsOwner } from '../stream/turn.js'
import { Portions } from '../stream/turn.js'
import type { ReadStop, SocketHandler, SocketPort } from './driver-ports.js'
import { READ_STOP } from './driver-ports.js'

/** Chunks that add up to less are joined: one small write costs less than a vectored one. */
const JOIN_BYTES = 16_384
/** After end(), the peer has this long to close its side, milliseconds. */
const CLOSE_GRACE_MS = 3000

/** What a turn of the event loop asks of a subflow's stream. */
class TurnStop implements PortionsOwner {
  readonly #io: SubflowIo
  readonly #handler: SocketHandler

  constructor(io: SubflowIo, handler: SocketHandler) {
    this.#io = io
    this.#handler = handler
  }

  get isStopped(): boolean {
    return this.#io.isStoppedBut(READ_STOP.turn)
  }

  stopReading(): void {
    this.#io.stopReading(READ_STOP.turn)
  }

  resumeReading(): void {
    this.#io.resumeReading(READ_STOP.turn)
  }

  take(bytes: Uint8Array): number {
    return this.#io.isOver ? bytes.length : this.#handler.onBytes(bytes)
  }
}

/** Where a stream that was taken over has what serves it: listeners that all streams share save memory. */
const IO = Symbol('subflow')

type Served = Duplex & { [IO]: SubflowIo }

export class SubflowIo implements SocketPort<Duplex> {
  readonly stream: Duplex
  readonly #handler: SocketHandler
  readonly #portions: Portions
  #error: Error | undefined
  #isOver = false
  #readStops = 0

  constructor(stream: Duplex, handler: SocketHandler) {
    this.stream = stream
    this.#handler = handler
    this.#portions = new Portions(stream, new TurnStop(this, handler))
    const served = Object.assign(stream, { [IO]: this })
    stream.on('data', SubflowIo.#streamOnData)
    stream.on('drain', SubflowIo.#streamOnDrain)
    stream.on('error', SubflowIo.#streamOnError)
    stream.on('end', SubflowIo.#streamOnEnd)
    stream.on('close', SubflowIo.#streamOnClose)
    stream.resume()
    // Over before we came: its events will not come again.
    if (stream.destroyed) process.nextTick(() => SubflowIo.#streamOnClose.call(served))
    else if (stream.readableEnded) process.nextTick(() => SubflowIo.#streamOnEnd.call(served))
  }

  get bufferedBytes(): number {
    return this.stream.writableLength
  }

  setRef(isRefed: boolean): void {
    const socket = this.stream as Duplex & { ref?: () => void; unref?: () => void }
    if (isRefed) socket.ref?.()
    else socket.unref?.()
  }

  take(bytes: Uint8Array): void {
    if (!this.#isOver) this.#portions.push(bytes)
  }

  write(chunks: Uint8Array[]): boolean {
    const { stream } = this
    if (!stream.writable) return false
    try {
      this.#writeAll(chunks)
    } catch (error) {
      // A stream of the user's own making may throw where it should emit.
      stream.destroy(toError(error))
    }
    // A write that the kernel took at once leaves nothing behind, whatever write() returned.
    return stream.writableNeedDrain && stream.writableLength > 0
  }

  #writeAll(chunks: Uint8Array[]): void {
    const { stream } = this
    if (chunks.length === 1) {
      stream.write(chunks[0])
      return
    }
    let total = 0
    for (const chunk of chunks) total += chunk.length
    if (total <= JOIN_BYTES) stream.write(Buffer.concat(chunks, total))
    else {
      stream.cork()
      for (const chunk of chunks) stream.write(chunk)
      stream.uncork()
    }
  }

  /** Nothing of it counts any more. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** Whether somebody else than `who` wants it unread. */
  isStoppedBut(who: ReadStop): boolean {
    return (this.#readStops & ~who) !== 0
  }

  stopReading(who: ReadStop): void {
    if (this.#readStops === 0) this.stream.pause()
    this.#readStops |= who
  }

  resumeReading(who: ReadStop): void {
    if (this.#readStops === 0) return
    this.#readStops &= ~who
    if (this.#readStops === 0) this.stream.resume()
  }

  endHalf(): void {
    this.stream.end()
  }

  end(): void {
    this.#isOver = true
    this.stream.resume()
    this.stream.end()
    const timer = setTimeout(() => this.stream.destroy(), CLOSE_GRACE_MS)
    timer.unref()
    this.stream.once('close', () => {
      clearTimeout(timer)
    })
  }

  /** What the kernel still holds for a dead path is dropped with a reset. */
  destroy(): void {
    this.#isOver = true
    const socket = this.stream as Partial<Socket> & Duplex
    // A reset beside an end that is on its way fails in libuv (EINVAL), and Node leaks the socket.
    const mayReset = !socket.destroyed && !socket.writableEnded
    try {
      if (mayReset) socket.resetAndDestroy?.()
    } catch {
      // Only TCP can be reset: asked for it, Node throws for TLS and Unix sockets.
    }
    socket.destroy()
  }

  static readonly #streamOnData = function (this: Served, bytes: Uint8Array): void {
    this[IO].take(bytes)
  }

  static readonly #streamOnDrain = function (this: Served): void {
    const io = this[IO]
    if (!io.#isOver) io.#handler.onDrain()
  }

  /** Stays until the stream is gone: an error of a closed subflow means nothing, but must be heard. */
  static readonly #streamOnError = function (this: Served, error: Error): void {
    this[IO].#error ??= error
  }

  static readonly #streamOnEnd = function (this: Served): void {
    this[IO].#closed(undefined)
  }

  static readonly #streamOnClose = function (this: Served): void {
    this.off('data', SubflowIo.#streamOnData)
    this.off('drain', SubflowIo.#streamOnDrain)
    this.off('end', SubflowIo.#streamOnEnd)
    this[IO].#closed(this[IO].#error ?? this.errored ?? undefined)
  }

  #closed(error: Error | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#handler.onClosed(error)
  }
}

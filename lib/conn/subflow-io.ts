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
    stream.on('data', this.#streamOnData)
    stream.on('drain', this.#streamOnDrain)
    stream.on('error', this.#streamOnError)
    stream.on('end', this.#streamOnEnd)
    stream.on('close', this.#streamOnClose)
    stream.resume()
    // Over before we came: its events will not come again.
    if (stream.destroyed) process.nextTick(this.#streamOnClose)
    else if (stream.readableEnded) process.nextTick(this.#streamOnEnd)
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

  readonly #streamOnData = (bytes: Uint8Array): void => {
    this.take(bytes)
  }

  readonly #streamOnDrain = (): void => {
    if (!this.#isOver) this.#handler.onDrain()
  }

  /** Stays until the stream is gone: an error of a closed subflow is nobody's concern, but must be heard. */
  readonly #streamOnError = (error: Error): void => {
    this.#error ??= error
  }

  readonly #streamOnEnd = (): void => {
    this.#closed(undefined)
  }

  readonly #streamOnClose = (): void => {
    this.stream.off('data', this.#streamOnData)
    this.stream.off('drain', this.#streamOnDrain)
    this.stream.off('end', this.#streamOnEnd)
    this.#closed(this.#error ?? this.stream.errored ?? undefined)
  }

  #closed(error: Error | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#handler.onClosed(error)
  }
}

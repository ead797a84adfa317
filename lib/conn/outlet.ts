// SPDX-License-Identifier: Apache-2.0
/** The writing half of a connection: hands over what the application writes, and knows what is acked. */
import { MultipathError } from '../errors.js'
import type { Driver } from './driver.js'
import { callForeign } from '../stream/foreign.js'
import type { Callback } from '../stream/socket-surface.js'

/** From here on, a chunk is kept by reference instead of being copied at once. Same as the core's queue. */
const KEPT_BYTES = 4096
/** What is lent to us is copied in pieces of this many bytes, as there is room. */
const COPY_BYTES = 65_536

export class Outlet {
  readonly #driver: Driver<unknown>
  /** Chunks that are the caller's again once the callback of their write has been called. */
  #lent: WeakSet<Uint8Array> | undefined
  readonly #flushWaiters: Callback[] = []
  /** The write that waits for room: its callback, its bytes in all, those taken, and the chunks with what is left. */
  #callback: Callback | undefined
  #pendingBytes = 0
  #pendingTaken = 0
  #untaken: Uint8Array[] = []
  #final: Callback | undefined
  #bytesDone = 0
  /** What was written or ended before the connection stood: one call at most, since the next waits for its callback. */
  #early: (() => void) | undefined
  #isOpen = false
  #isClosed = false
  #isLost = false
  /** The stream is destroyed, and what it has accepted is still on its way. */
  #isLingering = false

  constructor(driver: Driver<unknown>) {
    this.#driver = driver
  }

  /** Bytes of writes that are no longer counted in the stream's own buffer. */
  get bytesDone(): number {
    return this.#bytesDone
  }

  /** Bytes written and not acked, of which `writableLength` are in the stream's own buffer. */
  unflushedBytes(writableLength: number): number {
    return this.#driver.core.unflushedBytes + writableLength - this.#pendingTaken
  }

  /** A write waits for room. */
  get isWaiting(): boolean {
    return this.#callback !== undefined
  }

  /** The connection stands, or has stood. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** The connection stands: what is written from now on goes out. */
  open(): void {
    this.#isOpen = true
  }

  /** Sends what was written before. */
  sendEarly(): void {
    const early = this.#early
    this.#early = undefined
    early?.()
  }

  /** Marks a chunk that its caller may reuse when the write's callback is called. */
  lend(chunk: Uint8Array): Uint8Array {
    if (chunk.length < KEPT_BYTES) return chunk
    // A view of our own: the caller may write the same object without a callback, too.
    const view = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    this.#lent ??= new WeakSet()
    this.#lent.add(view)
    return view
  }

  writeAll(chunks: readonly Uint8Array[], callback: Callback): void {
    if (!this.#isOpen) {
      this.#callback = callback
      this.#early = () => {
        this.writeAll(chunks, callback)
      }
      return
    }
    this.#pendingBytes = 0
    for (const chunk of chunks) {
      this.#pendingBytes += chunk.length
      this.#take(chunk)
    }
    this.#accepted(callback)
  }

  end(callback: Callback): void {
    this.#final = callback
    if (this.#isOpen) this.#driver.end()
    else this.#early = () => this.#driver.end()
  }

  /** The stream is destroyed without an error: hands over what it has accepted, `buffered` last. */
  linger(buffered: readonly Uint8Array[]): void {
    this.#isLingering = true
    this.sendEarly()
    // The callbacks of writes fail, and what was lent is the caller's again.
    for (const chunk of [...this.#untaken, ...buffered])
      this.#driver.write(this.#lent?.has(chunk) ? Buffer.from(chunk) : chunk)
    this.#untaken = []
  }

  /** Acks may have made room, or completed what was written. */
  progressed(writableLength: number): void {
    if (!this.#isOpen) return
    const { core } = this.#driver
    if (this.#callback !== undefined && !core.isOver) {
      this.#takeLent()
      if (this.#untaken.length === 0 && core.hasRoom) {
        core.setWriterWaiting(false)
        callForeign(() => {
          this.#done()
        })
      }
    }
    if (this.#isLost) return
    if (this.#flushWaiters.length > 0 && this.unflushedBytes(writableLength) === 0) this.#callFlushWaiters()
    if (this.#final !== undefined && core.isWriteEnd) this.#callFinal()
  }

  /** Resolves when all that was written is acked; rejects when that can no longer be. */
  flushed(writableLength: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#isLost) reject(lostError())
      else if (this.#isClosed || this.unflushedBytes(writableLength) === 0) resolve()
      else {
        this.#flushWaiters.push((error) => {
          if (error) reject(error)
          else resolve()
        })
      }
    })
  }

  /** No more acks will come. Call before the core forgets what is unacked. */
  close(isLost: boolean): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#isLost = isLost
  }

  /** What the stream had accepted has been acked, or lost because of `error`. */
  lingered(error: Error | undefined): void {
    if (!this.#isLingering) return
    this.close(error !== undefined)
    this.#callFlushWaiters(error)
  }

  /** Calls back all that waits: the stream is destroyed. */
  destroy(error: Error): void {
    this.#untaken = []
    this.#early = undefined
    const callback = this.#callback
    this.#callback = undefined
    this.#pendingTaken = 0
    callForeign(() => callback?.(error))
    const isMissing = this.#isLost || this.#isLingering
    this.#callFinal(isMissing ? error : undefined)
    if (!this.#isLingering) this.#callFlushWaiters(isMissing ? error : undefined)
  }

  #take(chunk: Uint8Array): void {
    const { core } = this.#driver
    if (core.isOver || chunk.length === 0) return
    const isLent = chunk.length >= KEPT_BYTES && this.#lent?.has(chunk) === true
    if (isLent || this.#untaken.length > 0) {
      this.#untaken.push(chunk)
      this.#takeLent()
    } else this.#pass(chunk)
  }

  /** Copies lent bytes, no more at once than there is room for: they may be a gigabyte. */
  #takeLent(): void {
    const { core } = this.#driver
    while (core.hasRoom) {
      const chunk = this.#untaken.shift()
      if (chunk === undefined) return
      if (this.#lent?.has(chunk) !== true) this.#pass(chunk)
      else {
        this.#pass(Buffer.from(chunk.subarray(0, COPY_BYTES)))
        if (chunk.length > COPY_BYTES) this.#untaken.unshift(this.lend(chunk.subarray(COPY_BYTES)))
      }
    }
  }

  #pass(chunk: Uint8Array): void {
    this.#pendingTaken += chunk.length
    this.#driver.write(chunk)
  }

  #accepted(callback: Callback): void {
    const { core } = this.#driver
    this.#callback = callback
    if (core.isOver) return
    if (this.#untaken.length === 0 && core.hasRoom) this.#done()
    else core.setWriterWaiting(true)
  }

  #done(): void {
    const callback = this.#callback
    this.#callback = undefined
    this.#bytesDone += this.#pendingBytes
    this.#pendingTaken = 0
    callback?.()
  }

  #callFinal(error?: Error): void {
    const callback = this.#final
    this.#final = undefined
    callForeign(() => callback?.(error))
  }

  #callFlushWaiters(error?: Error): void {
    for (const waiter of this.#flushWaiters.splice(0)) waiter(error)
  }
}

function lostError(): MultipathError {
  return new MultipathError('ERR_MULTIPATH_UNACKED', 'the connection closed with data unacked')
}

// SPDX-License-Identifier: Apache-2.0
/** The connection below a session: any Duplex. Always read, written only as fast as it takes bytes, ended in order. */
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.js'
import { MultipathError } from '../errors.js'

/** Gets what happens to the connection below. */
export interface CarrierHandler {
  onBytes(bytes: Uint8Array): void
  /** It takes bytes again. */
  onDrain(): void
  /** The peer has sent its end. */
  onEnd(): void
  /** It has a path again. */
  onResumed(): void
  /** It is closed; once, the last call. */
  onClose(error: Error | undefined): void
}

export class Carrier {
  readonly duplex: Duplex
  readonly #handler: CarrierHandler
  readonly #clock: Clock
  readonly #lingerMs: number
  #error: Error | undefined
  #hasEnded = false
  #isClosed = false
  #cancelLinger: (() => void) | undefined

  constructor(duplex: Duplex, handler: CarrierHandler, clock: Clock, lingerMs: number) {
    this.duplex = duplex
    this.#handler = handler
    this.#clock = clock
    this.#lingerMs = lingerMs
    duplex.on('data', this.#duplexOnData)
    duplex.on('drain', this.#duplexOnDrain)
    duplex.on('end', this.#duplexOnEnd)
    duplex.on('error', this.#duplexOnError)
    duplex.on('close', this.#duplexOnClose)
    duplex.on('resumed', this.#duplexOnResumed)
    duplex.resume()
    // Over before we came: its events will not come again.
    if (duplex.closed) process.nextTick(this.#duplexOnClose)
    else if (duplex.readableEnded) process.nextTick(this.#duplexOnEnd)
  }

  /** It has no path, and may get one again: a connection of ours that is held. */
  get isSuspended(): boolean {
    return (this.duplex as { isSuspended?: unknown }).isSuspended === true
  }

  /** Whether it takes bytes now. */
  get hasRoom(): boolean {
    return this.duplex.writable && !this.duplex.writableNeedDrain
  }

  /** In one go. The bytes are no longer the caller's. */
  write(chunks: readonly Uint8Array[]): void {
    const { duplex } = this
    if (!duplex.writable) return
    duplex.cork()
    for (const chunk of chunks) duplex.write(chunk)
    duplex.uncork()
  }

  /** Ends it behind what was written; it has a while to close. */
  end(): void {
    if (this.#isClosed || this.#cancelLinger !== undefined) return
    this.#cancelLinger = this.#clock.callAt(this.#clock.now() + this.#lingerMs, () => {
      this.duplex.destroy()
    })
    if (this.duplex.writable) this.duplex.end()
  }

  destroy(error?: Error): void {
    this.duplex.destroy(error)
  }

  readonly #duplexOnData = (bytes: Uint8Array): void => {
    this.#handler.onBytes(bytes)
  }

  readonly #duplexOnDrain = (): void => {
    this.#handler.onDrain()
  }

  readonly #duplexOnEnd = (): void => {
    this.#hasEnded = true
    this.#handler.onEnd()
  }

  readonly #duplexOnResumed = (): void => {
    this.#handler.onResumed()
  }

  readonly #duplexOnError = (error: Error): void => {
    this.#error ??= error
  }

  readonly #duplexOnClose = (): void => {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#cancelLinger?.()
    const { duplex } = this
    duplex.off('data', this.#duplexOnData)
    duplex.off('drain', this.#duplexOnDrain)
    duplex.off('end', this.#duplexOnEnd)
    duplex.off('close', this.#duplexOnClose)
    duplex.off('resumed', this.#duplexOnResumed)
    // Once we have ended it too, nothing is missing.
    const isOrderly = this.#hasEnded || this.#cancelLinger !== undefined
    this.#handler.onClose(this.#error ?? (isOrderly ? undefined : cutError()))
  }
}

function cutError(): MultipathError {
  return new MultipathError(
    'ERR_MULTIPATH_MUX_CLOSED',
    'the connection below closed without an end of its data',
  )
}

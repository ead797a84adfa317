// SPDX-License-Identifier: Apache-2.0
/** Two streams made one: bytes, ends, resets and the pace of both directions. */
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { ignore } from '../../ignore.js'

/** A stream that can be cut so that its peer sees that it was: a socket, or a stream of a session. */
export type Resettable = Duplex & { resetAndDestroy(): unknown }

const NOTHING = new Uint8Array()

/** Both streams belong to it from the start: their errors are heard here. Half-open streams must be allowed on both. */
export class Splice {
  readonly #near: Resettable
  readonly #far: Resettable
  readonly #ending = new Set<Resettable>()

  constructor(near: Resettable, far: Resettable) {
    this.#near = near
    this.#far = far
    // Their close, which follows, says all.
    near.on('error', ignore)
    far.on('error', ignore)
  }

  /** Begins with the way from near to far. */
  lead(): void {
    this.#pass(this.#near, this.#far)
  }

  /** Gives the way from near to far up again; what has been read stays in far. */
  unlead(): void {
    this.#near.unpipe(this.#far)
    this.#near.off('end', this.#nearOnEnd)
  }

  /** Begins with the way back, and resolves once both are closed. One that is cut cuts the other. */
  async join(): Promise<void> {
    this.#pass(this.#far, this.#near)
    await Promise.all([this.#follow(this.#near, this.#far), this.#follow(this.#far, this.#near)])
  }

  #pass(from: Resettable, to: Resettable): void {
    const fromOnEnd = from === this.#near ? this.#nearOnEnd : this.#farOnEnd
    from.pipe(to, { end: false })
    if (from.readableEnded) fromOnEnd()
    else from.once('end', fromOnEnd)
  }

  readonly #nearOnEnd = (): void => this.#passEnd(this.#near, this.#far)
  readonly #farOnEnd = (): void => this.#passEnd(this.#far, this.#near)

  /**
   * Where the last bytes and a reset are found together, libuv reports an end (uv__stream_io in unix/stream.c). A
   * write of no bytes sends nothing, but it fails on a socket that was reset. The close that follows cuts `to`. (A
   * write that still waits fails in the same way, and the end need not wait for it.)
   */
  #passEnd(from: Resettable, to: Resettable): void {
    if (!(from instanceof Socket) || !from.writable || from.writableLength > 0) this.#end(to)
    else
      from.write(NOTHING, (error) => {
        if (!error) this.#end(to)
      })
  }

  /** Node cannot reset a socket whose end is on its way: the end waits until all is written. */
  #end(to: Resettable): void {
    this.#ending.add(to)
    if (to.writableLength === 0) to.end()
    else to.write(NOTHING, () => to.end())
  }

  async #follow(from: Resettable, to: Resettable): Promise<void> {
    if (!from.closed) await new Promise<void>((resolve) => from.once('close', () => resolve()))
    const isWhole = from.readableEnded && from.writableFinished
    if (isWhole || to.destroyed) return
    // All that came before its end is still to be delivered.
    if (this.#ending.has(to) && !to.writableFinished) to.once('finish', () => cut(to))
    else cut(to)
  }
}

/** Ends a stream so that it cannot be taken for whole. */
export function cut(stream: Resettable): void {
  stream.on('error', ignore)
  if (stream.destroyed) return
  // Node cannot reset a socket whose end is on its way, and leaks it.
  if (stream.writableEnded && !stream.writableFinished) stream.once('finish', () => cut(stream))
  else stream.resetAndDestroy()
}

/**
 * Says `last` and closes, without waiting for the other side for longer than `graceMs`. What still comes is thrown
 * away: closing with bytes unread would reset the connection, and `last` with it.
 */
export function dismiss(stream: Resettable, last: Uint8Array, graceMs: number): void {
  stream.on('error', ignore)
  if (stream.destroyed) return
  stream.end(last)
  stream.resume()
  const timer = setTimeout(() => stream.destroy(), graceMs)
  stream.once('close', () => clearTimeout(timer))
}

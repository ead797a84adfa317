// SPDX-License-Identifier: Apache-2.0
/** A connection in the shape of Go's net.Conn, with promises. */
import type { AddressInfo } from 'node:net'
import { MultipathError, OptionError } from '../errors.js'
import type { SocketSurface } from '../stream/socket-surface.js'
import { ignore } from '../ignore.js'

/** A write reached its deadline: the connection took `bytesWritten` of its bytes, and will deliver them. */
export class DeadlineError extends MultipathError {
  /** Bytes of the write that the connection took and will deliver. */
  readonly bytesWritten: number

  constructor(what: string, bytesWritten: number) {
    super('ERR_MULTIPATH_DEADLINE', `${what} deadline exceeded`)
    this.bytesWritten = bytesWritten
  }
}

/** Waits for stream events until a deadline that may be moved meanwhile. */
class Gate {
  readonly #what: string
  #at = Infinity
  /** Called when the deadline is moved, so that waits start anew with it. */
  #moved: Set<() => void> = new Set()

  constructor(what: string) {
    this.#what = what
  }

  set(deadline: Date | null): void {
    if (deadline !== null && !(deadline instanceof Date && Number.isFinite(deadline.getTime())))
      throw new OptionError(`${this.#what} deadline must be a Date or null, got ${String(deadline)}`)
    this.#at = deadline === null ? Infinity : deadline.getTime()
    for (const moved of this.#moved) moved()
  }

  check(bytesWritten = 0): void {
    if (Date.now() >= this.#at) throw new DeadlineError(this.#what, bytesWritten)
  }

  /** Resolves at one of `events`, or when the deadline passes or moves. */
  wait(conn: SocketSurface, events: readonly string[]): Promise<void> {
    return new Promise((resolve) => {
      const ms = Math.min(this.#at - Date.now() + 1, 2 ** 31 - 1)
      const timer = this.#at === Infinity ? undefined : setTimeout(done, Math.max(0, ms))
      const moved = this.#moved
      function done(): void {
        clearTimeout(timer)
        moved.delete(done)
        for (const event of events) conn.off(event, done)
        resolve()
      }
      moved.add(done)
      for (const event of events) conn.on(event, done)
    })
  }
}

const READ_EVENTS = ['readable', 'end', 'close', 'error'] as const
const WRITE_EVENTS = ['drain', 'close', 'error'] as const

/**
 * A connection in the shape of Go's `net.Conn`. Its calls reject with every error, so `error` needs no listener:
 * ERR_MULTIPATH_DEADLINE, ERR_MULTIPATH_CLOSED, and what destroyed the connection.
 */
export class NetConn {
  readonly #conn: SocketSurface
  readonly #readGate = new Gate('read')
  readonly #writeGate = new Gate('write')
  #lastWrite: Promise<unknown> = Promise.resolve()

  /** @internal */
  constructor(conn: SocketSurface) {
    this.#conn = conn
    conn.on('error', ignore)
  }

  /** Local address of the first subflow. */
  get localAddr(): AddressInfo | Record<string, never> {
    return this.#conn.address()
  }

  /** Address of the first subflow's peer. */
  get remoteAddr(): AddressInfo | Record<string, never> {
    const { remoteAddress: address, remotePort: port, remoteFamily: family } = this.#conn
    return address === undefined || port === undefined || family === undefined
      ? {}
      : { address, port, family }
  }

  /**
   * Reads up to `into.length` bytes.
   *
   * @returns how many bytes were put into `into`; -1 at the end of the stream
   * @throws ERR_MULTIPATH_DEADLINE once the deadline has passed; what arrives is kept for later calls
   */
  async read(into: Uint8Array): Promise<number> {
    for (;;) {
      this.#readGate.check()
      if (into.length === 0) return 0
      const bytes = this.#take(into)
      if (bytes > 0) return bytes
      if (this.#conn.readableEnded) return -1
      this.#assertOpen()
      await this.#readGate.wait(this.#conn, READ_EVENTS)
    }
  }

  /** Takes no more off the stream than fits: what it gives out, it forgets. */
  #take(into: Uint8Array): number {
    const conn = this.#conn
    if (conn.readableLength === 0) conn.read(0)
    const bytes = Math.min(into.length, conn.readableLength)
    const chunk = bytes === 0 ? null : (conn.read(bytes) as Buffer | null)
    if (chunk === null) return 0
    into.set(chunk)
    return chunk.length
  }

  /**
   * Writes all of `bytes`, which is copied. Calls that overlap write one after another.
   *
   * @returns how many bytes were written: all of them
   * @throws {DeadlineError} ERR_MULTIPATH_DEADLINE; its `bytesWritten` were taken and will be delivered
   */
  write(bytes: Uint8Array): Promise<number> {
    const work = this.#lastWrite.then(() => this.#write(bytes))
    this.#lastWrite = work.catch(() => {})
    return work
  }

  async #write(bytes: Uint8Array): Promise<number> {
    let written = 0
    for (;;) {
      this.#writeGate.check(written)
      if (written === bytes.length) return written
      this.#assertOpen()
      if (!this.#conn.writable) throw closedError()
      if (this.#conn.writableNeedDrain) {
        await this.#writeGate.wait(this.#conn, WRITE_EVENTS)
        continue
      }
      const piece = Buffer.from(bytes.subarray(written, written + PIECE_BYTES))
      this.#conn.write(piece)
      written += piece.length
      // Its last piece is taken: the deadline is for the next call.
      if (written === bytes.length) return written
    }
  }

  /** Delivers the written data, then closes. Rejects if the data could not be delivered. */
  async close(): Promise<void> {
    const conn = this.#conn
    if (conn.errored) throw conn.errored
    if (conn.closed) return
    await new Promise<void>((resolve, reject) => {
      conn.once('error', reject)
      conn.once('close', () => {
        resolve()
      })
      conn.resume()
      conn.destroySoon()
    })
  }

  /** Sets both deadlines; `null` removes them. */
  setDeadline(deadline: Date | null): void {
    this.setReadDeadline(deadline)
    this.setWriteDeadline(deadline)
  }

  /** Reads that still wait at `deadline` fail. With `null`, they wait without a limit. */
  setReadDeadline(deadline: Date | null): void {
    this.#readGate.set(deadline)
  }

  /** Writes that still wait at `deadline` fail. With `null`, they wait without a limit. */
  setWriteDeadline(deadline: Date | null): void {
    this.#writeGate.set(deadline)
  }

  #assertOpen(): void {
    if (this.#conn.errored) throw this.#conn.errored
    if (this.#conn.destroyed) throw closedError()
  }
}

/** What a call on a closed connection gets. `netCode`: what net says of it, if anything. */
export function closedError(netCode?: string): MultipathError {
  return new MultipathError('ERR_MULTIPATH_CLOSED', 'the connection is closed', undefined, netCode)
}

/** Bytes taken in one go: what a passed deadline can be late by. */
const PIECE_BYTES = 65_536

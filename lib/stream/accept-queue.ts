// SPDX-License-Identifier: Apache-2.0
/** Connections that wait for `accept`, and calls of `accept` that wait for connections. */
import type { Duplex } from 'node:stream'
import { toError } from '../errors.js'
import { ignore } from '../ignore.js'
import type { SocketSurface } from './socket-surface.js'

interface Waiter<Conn> {
  resolve(conn: Conn): void
  reject(error: Error): void
}

export class AcceptQueue<Conn extends Duplex & Pick<SocketSurface, 'readEnd'>> {
  readonly #closedError: () => Error
  readonly #conns = new Set<Conn>()
  readonly #waiters = new Set<Waiter<Conn>>()
  #isClosed = false

  /** @param closedError - what those get who ask after {@link close} */
  constructor(closedError: () => Error) {
    this.#closedError = closedError
  }

  /** Connections that have not been accepted yet. */
  get length(): number {
    this.#forgetDestroyed()
    return this.#conns.size
  }

  /** Keeps `conn` until somebody takes it, or until it fails. */
  put(conn: Conn): void {
    this.#forgetDestroyed()
    this.#conns.add(conn)
    conn.readEnd.hold()
    // It has no other listener yet, and what fails before it is accepted matters to no one.
    conn.on('error', ignore)
    // In a turn of its own: what is still to come of this one must not fall between us and the taker.
    if (this.#waiters.size > 0) setImmediate(this.#serve)
  }

  /** @throws the error of a closed queue, or the reason of `signal` */
  take(signal: AbortSignal | undefined): Promise<Conn> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      if (this.#isClosed) throw this.#closedError()
      const conn = this.#waiters.size === 0 ? this.next() : undefined
      if (conn === undefined) this.#wait(resolve, reject, signal)
      else resolve(conn)
    })
  }

  /** Refuses those who wait; @returns the connections that were not accepted */
  close(): Conn[] {
    this.#isClosed = true
    for (const waiter of this.#waiters) waiter.reject(this.#closedError())
    const conns = [...this.#conns]
    this.#conns.clear()
    return conns
  }

  /** Looked at, and not listened for: a listener would stay with those who take the connection, or be taken away. */
  #forgetDestroyed(): void {
    for (const conn of this.#conns) if (conn.destroyed) this.#conns.delete(conn)
  }

  readonly #serve = (): void => {
    for (const waiter of this.#waiters) {
      const conn = this.next()
      if (conn === undefined) return
      waiter.resolve(conn)
    }
  }

  /** The first that waits, if any. */
  next(): Conn | undefined {
    for (const conn of this.#conns) {
      this.#conns.delete(conn)
      if (conn.destroyed) continue
      conn.off('error', ignore)
      conn.readEnd.release()
      return conn
    }
    return undefined
  }

  #wait(
    resolve: (conn: Conn) => void,
    reject: (error: Error) => void,
    signal: AbortSignal | undefined,
  ): void {
    const settle = (): void => {
      this.#waiters.delete(waiter)
      signal?.removeEventListener('abort', signalOnAbort)
    }
    const waiter: Waiter<Conn> = {
      resolve: (conn) => {
        settle()
        resolve(conn)
      },
      reject: (error) => {
        settle()
        reject(error)
      },
    }
    const signalOnAbort = (): void => {
      waiter.reject(toError(signal?.reason))
    }
    this.#waiters.add(waiter)
    signal?.addEventListener('abort', signalOnAbort)
  }
}

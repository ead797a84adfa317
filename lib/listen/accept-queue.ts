/** Connections that wait for `accept`, and calls of `accept` that wait for connections. */
import type { MultipathConn } from '../conn/multipath-conn.js'
import { MultipathError, toError } from '../errors.js'

interface Waiter {
  resolve(conn: MultipathConn): void
  reject(error: Error): void
}

export class AcceptQueue {
  readonly #conns = new Set<MultipathConn>()
  readonly #waiters = new Set<Waiter>()
  #isClosed = false

  /** Connections that nobody has accepted yet. */
  get length(): number {
    return this.#conns.size
  }

  /** Keeps `conn` until somebody takes it, or until it fails. */
  put(conn: MultipathConn): void {
    this.#conns.add(conn)
    // Nobody else listens yet, and what failed before anybody saw it is nobody's concern.
    conn.on('error', ignore)
    conn.on('close', () => {
      this.#conns.delete(conn)
    })
    // In a turn of its own: what is still to come of this one must not fall between us and the taker.
    if (this.#waiters.size > 0) setImmediate(this.#serve)
  }

  /** @throws ERR_MULTIPATH_CLOSED, or the reason of `signal` */
  take(signal: AbortSignal | undefined): Promise<MultipathConn> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      if (this.#isClosed) throw closedError()
      const conn = this.#waiters.size === 0 ? this.#next() : undefined
      if (conn === undefined) this.#wait(resolve, reject, signal)
      else resolve(conn)
    })
  }

  /** Refuses those who wait; @returns the connections that nobody has accepted */
  close(): MultipathConn[] {
    this.#isClosed = true
    for (const waiter of this.#waiters) waiter.reject(closedError())
    const conns = [...this.#conns]
    this.#conns.clear()
    return conns
  }

  readonly #serve = (): void => {
    for (const waiter of this.#waiters) {
      const conn = this.#next()
      if (conn === undefined) return
      waiter.resolve(conn)
    }
  }

  #next(): MultipathConn | undefined {
    for (const conn of this.#conns) {
      this.#conns.delete(conn)
      if (conn.destroyed) continue
      conn.off('error', ignore)
      return conn
    }
    return undefined
  }

  #wait(
    resolve: (conn: MultipathConn) => void,
    reject: (error: Error) => void,
    signal: AbortSignal | undefined,
  ): void {
    const settle = (): void => {
      this.#waiters.delete(waiter)
      signal?.removeEventListener('abort', signalOnAbort)
    }
    const waiter: Waiter = {
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

function closedError(): MultipathError {
  return new MultipathError('ERR_MULTIPATH_CLOSED', 'the listener is closed')
}

function ignore(): void {}

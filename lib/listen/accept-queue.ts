/** Connections that wait for `accept`, and calls of `accept` that wait for connections. */
import type { MultipathConn } from '../conn/multipath-conn.js'
import { MultipathError, toError } from '../errors.js'

interface Waiter {
  resolve(conn: MultipathConn): void
  reject(error: Error): void
}

export class AcceptQueue {
  readonly #conns: MultipathConn[] = []
  readonly #waiters = new Set<Waiter>()
  #isClosed = false

  /** Connections that nobody has accepted yet. */
  get length(): number {
    return this.#conns.length
  }

  /** Hands `conn` to the first that waits, or keeps it. */
  put(conn: MultipathConn): void {
    const [waiter] = this.#waiters
    if (waiter === undefined) {
      this.#conns.push(conn)
      return
    }
    this.#waiters.delete(waiter)
    waiter.resolve(conn)
  }

  /** @throws ERR_MULTIPATH_CLOSED, or the reason of `signal` */
  take(signal: AbortSignal | undefined): Promise<MultipathConn> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      if (this.#isClosed) throw closedError()
      const conn = this.#conns.shift()
      if (conn !== undefined) {
        resolve(conn)
        return
      }
      const signalOnAbort = (): void => {
        this.#waiters.delete(waiter)
        reject(toError(signal?.reason))
      }
      const settle = (): void => signal?.removeEventListener('abort', signalOnAbort)
      const waiter: Waiter = {
        resolve: (accepted) => {
          settle()
          resolve(accepted)
        },
        reject: (error) => {
          settle()
          reject(error)
        },
      }
      this.#waiters.add(waiter)
      signal?.addEventListener('abort', signalOnAbort, { once: true })
    })
  }

  /** Forgets a connection that ended before anybody accepted it, with nothing to read. */
  drop(conn: MultipathConn): void {
    const at = this.#conns.indexOf(conn)
    if (at >= 0) this.#conns.splice(at, 1)
  }

  /** Refuses those who wait; @returns the connections that nobody has accepted */
  close(): MultipathConn[] {
    this.#isClosed = true
    for (const waiter of this.#waiters) waiter.reject(closedError())
    this.#waiters.clear()
    return this.#conns.splice(0)
  }
}

function closedError(): MultipathError {
  return new MultipathError('ERR_MULTIPATH_CLOSED', 'the listener is closed')
}

// SPDX-License-Identifier: Apache-2.0
/** Connections of a listener that are held without a subflow, the one suspended longest ago first. */
import type { MultipathConn } from '../conn/multipath-conn.js'

export interface SuspendedLimits {
  readonly maxSuspended: number
  readonly maxSuspendedBytes: number
}

export class Suspended {
  readonly #limits: SuspendedLimits
  /** With the bytes that each holds. */
  readonly #conns = new Map<MultipathConn, number>()
  #bytes = 0

  constructor(limits: SuspendedLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#conns.size
  }

  /** Bytes that they hold together. */
  get bytes(): number {
    return this.#bytes
  }

  /** Follows `conn`, which has just been opened. */
  watch(conn: MultipathConn): void {
    conn.suspension.onChange = (isSuspended) => {
      conn.suspension.onHeldChange = isSuspended ? () => this.#weigh(conn) : undefined
      if (isSuspended) this.#add(conn)
      else this.#delete(conn)
    }
  }

  #add(conn: MultipathConn): void {
    this.#conns.set(conn, 0)
    this.#weigh(conn)
  }

  #weigh(conn: MultipathConn): void {
    const before = this.#conns.get(conn)
    // It has been given up, and is about to hear of it.
    if (before === undefined) return
    const { heldBytes } = conn
    this.#bytes += heldBytes - before
    this.#conns.set(conn, heldBytes)
    const { maxSuspended, maxSuspendedBytes } = this.#limits
    while (this.#conns.size > maxSuspended || this.#bytes > maxSuspendedBytes) {
      const [oldest] = this.#conns.keys()
      this.#delete(oldest!)
      // Not from inside the connection's work.
      process.nextTick(() => oldest!.endHold('the listener holds too much'))
    }
  }

  #delete(conn: MultipathConn): void {
    this.#bytes -= this.#conns.get(conn) ?? 0
    this.#conns.delete(conn)
  }
}

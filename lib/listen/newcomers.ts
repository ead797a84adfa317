// SPDX-License-Identifier: Apache-2.0
/**
 * Connections that a hello has opened, until the peer shows that it has heard the answer. A dialer that said hello on
 * several paths gives up all but one: those are never announced. Dialers, Go's too, send a pong at once.
 */
import type { Duplex } from 'node:stream'
import type { AcceptQueue } from '../stream/accept-queue.js'
import type { MultipathConn } from '../conn/multipath-conn.js'
import { ignore } from '../ignore.js'

export class Newcomers {
  readonly #queue: AcceptQueue<MultipathConn>
  readonly #conns = new Map<MultipathConn, () => void>()
  #onNone: (() => void) | undefined

  /** @param queue - gets each that shows life */
  constructor(queue: AcceptQueue<MultipathConn>) {
    this.#queue = queue
  }

  /** @param head - what came right behind the hello */
  add(conn: MultipathConn, stream: Duplex, head: Uint8Array): void {
    const onData = (): void => {
      this.showedLife(conn)
    }
    const forget = (): void => {
      this.#conns.delete(conn)
      stream.off('data', onData)
      conn.off('close', forget)
      conn.off('error', ignore)
      this.settle()
    }
    this.#conns.set(conn, forget)
    conn.on('close', forget)
    conn.on('error', ignore)
    stream.on('data', onData)
    if (head.length > 0) this.showedLife(conn)
  }

  /** Something came behind the hello, or a stream knew the connection's CID. */
  showedLife(conn: MultipathConn): void {
    const forget = this.#conns.get(conn)
    if (forget === undefined) return
    // Announced first, so that an error always has a listener.
    this.#queue.put(conn)
    forget()
  }

  /** Calls back, at once or later, when none is left here, nor in the queue. */
  whenNone(callback: () => void): void {
    this.#onNone = callback
    this.settle()
  }

  /** Looks whether one is left. */
  settle(): void {
    if (this.#onNone === undefined || this.#conns.size > 0 || this.#queue.length > 0) return
    const onNone = this.#onNone
    this.#onNone = undefined
    onNone()
  }

  /** Destroys them. */
  close(): void {
    for (const conn of [...this.#conns.keys()]) conn.destroy()
  }
}

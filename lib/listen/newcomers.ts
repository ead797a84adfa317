// SPDX-License-Identifier: Apache-2.0
/**
 * Connections that a hello has opened, until the peer shows that it has heard the answer. A dialer that said hello on
 * several paths gives up all but one: those are never announced. Dialers, Go's too, send a pong at once.
 */
import type { AcceptQueue } from '../stream/accept-queue.js'
import type { MultipathConn } from '../conn/multipath-conn.js'
import { discard, ignore } from '../ignore.js'
import type { IncomingStream } from '../transport/transport.js'
import { ByAddress } from './by-address.js'
import { sourceNetwork } from './source-network.js'

interface Newcomer {
  readonly address: string | undefined
  /** It is none any more. */
  readonly forget: () => void
}

export class Newcomers {
  readonly #queue: AcceptQueue<MultipathConn>
  readonly #charge: (address: string | undefined) => void
  readonly #conns = new Map<MultipathConn, Newcomer>()
  readonly #byAddress = new ByAddress<MultipathConn>()
  #onNone: (() => void) | undefined

  /**
   * @param queue - gets each that shows life
   * @param charge - told of the address of one that had to make room
   */
  constructor(queue: AcceptQueue<MultipathConn>, charge: (address: string | undefined) => void) {
    this.#queue = queue
    this.#charge = charge
  }

  get size(): number {
    return this.#conns.size
  }

  /** @param head - what came right behind the hello */
  add(conn: MultipathConn, stream: IncomingStream, head: Uint8Array): void {
    const onData = (): void => {
      this.showedLife(conn)
    }
    const address = sourceNetwork(stream.remoteAddress)
    const forget = (): void => {
      this.#conns.delete(conn)
      this.#byAddress.delete(address, conn)
      stream.off('data', onData)
      conn.off('close', forget)
      conn.off('error', ignore)
      this.settle()
    }
    this.#conns.set(conn, { address, forget })
    this.#byAddress.add(address, conn)
    conn.on('close', forget)
    conn.on('error', ignore)
    stream.on('data', onData)
    if (head.length > 0) this.showedLife(conn)
  }

  /** Something came behind the hello, or a stream knew the connection's CID. */
  showedLife(conn: MultipathConn): void {
    const newcomer = this.#conns.get(conn)
    if (newcomer === undefined) return
    // Announced first, so that an error always has a listener.
    this.#queue.put(conn)
    newcomer.forget()
  }

  /** Drops the oldest of the address that has most. @returns whether there was one */
  makeRoom(): boolean {
    const oldest = this.#byAddress.oldestOfMost()
    if (oldest === undefined) return false
    const { address, forget } = this.#conns.get(oldest)!
    this.#charge(address)
    forget()
    discard(oldest)
    return true
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

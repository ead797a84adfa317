// SPDX-License-Identifier: Apache-2.0
/**
 * Connections that a hello has opened, until the peer shows that it has heard the answer. A dialer that said hello on
 * several paths gives up all but one: those are never announced. Dialers, Go's too, send a pong at once.
 */
import type { AcceptQueue } from '../stream/accept-queue.js'
import type { MultipathConn } from '../conn/multipath-conn.js'
import { ignore } from '../ignore.js'
import type { IncomingStream } from '../transport/transport.js'
import { sourceNetwork } from './source-network.js'

export class Newcomers {
  readonly #queue: AcceptQueue<MultipathConn>
  readonly #charge: (address: string | undefined) => void
  readonly #conns = new Map<MultipathConn, () => void>()
  /** Oldest first. */
  readonly #byAddress = new Map<string | undefined, Set<MultipathConn>>()
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
    const group = this.#byAddress.get(address) ?? new Set()
    const forget = (): void => {
      this.#conns.delete(conn)
      group.delete(conn)
      if (group.size === 0) this.#byAddress.delete(address)
      stream.off('data', onData)
      conn.off('close', forget)
      conn.off('error', ignore)
      this.settle()
    }
    this.#conns.set(conn, forget)
    this.#byAddress.set(address, group.add(conn))
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

  /** Drops the oldest of the address that has most. @returns whether there was one */
  makeRoom(): boolean {
    let largest: [address: string | undefined, group: ReadonlySet<MultipathConn>] | undefined
    for (const entry of this.#byAddress) if (entry[1].size > (largest?.[1].size ?? 0)) largest = entry
    if (largest === undefined) return false
    const [address, group] = largest
    const [oldest] = group
    this.#charge(address)
    this.#conns.get(oldest!)!()
    oldest!.on('error', ignore).destroy()
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

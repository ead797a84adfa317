// SPDX-License-Identifier: Apache-2.0
/** Handshakes under way. Where there are too many, the address that holds most of them pays. */
import { MultipathError } from '../errors.js'

/** One handshake; its signal aborts when it has to make room. */
export interface Handshake {
  /** An IPv4 address, or an IPv6 network. */
  readonly address: string | undefined
  readonly limit: AbortController
}

export class Handshakes {
  readonly #max: number
  readonly #maxPerAddress: number
  /** Oldest first, by remote address. */
  readonly #byAddress = new Map<string | undefined, Set<Handshake>>()
  #size = 0

  /** @param maxPerAddress - does not count for streams without an address: strangers have one */
  constructor(max: number, maxPerAddress: number = max) {
    this.#max = max
    this.#maxPerAddress = maxPerAddress
  }

  get size(): number {
    return this.#size
  }

  /** Those of one address. */
  of(address: string | undefined): number {
    return this.#byAddress.get(address)?.size ?? 0
  }

  /** Counts one more, and makes room for it. */
  begin(address: string | undefined): Handshake {
    const own = address === undefined ? undefined : this.#byAddress.get(address)
    if (own !== undefined && own.size >= this.#maxPerAddress) this.#evict(own)
    if (this.#size >= this.#max) this.#evict(this.#largest())
    const handshake = { address, limit: new AbortController() }
    const group = this.#byAddress.get(address)
    if (group === undefined) this.#byAddress.set(address, new Set([handshake]))
    else group.add(handshake)
    this.#size++
    return handshake
  }

  end(handshake: Handshake): void {
    const group = this.#byAddress.get(handshake.address)
    if (group?.delete(handshake) !== true) return
    this.#size--
    if (group.size === 0) this.#byAddress.delete(handshake.address)
  }

  /** Ends all of them. */
  close(): void {
    const closed = new MultipathError('ERR_MULTIPATH_CLOSED', 'the listener is closed')
    for (const group of [...this.#byAddress.values()])
      for (const handshake of [...group]) this.#abort(handshake, closed)
  }

  #largest(): Set<Handshake> | undefined {
    let largest: Set<Handshake> | undefined
    for (const group of this.#byAddress.values()) if (group.size > (largest?.size ?? 0)) largest = group
    return largest
  }

  /** The oldest of a group: a client that stays silent cannot keep others out. */
  #evict(group: Set<Handshake> | undefined): void {
    const [oldest] = group ?? []
    if (oldest !== undefined)
      this.#abort(oldest, new MultipathError('ERR_MULTIPATH_LIMIT', 'too many handshakes under way'))
  }

  #abort(handshake: Handshake, error: Error): void {
    this.end(handshake)
    handshake.limit.abort(error)
  }
}

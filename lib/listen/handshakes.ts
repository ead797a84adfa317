// SPDX-License-Identifier: Apache-2.0
/** Handshakes under way. Where there are too many, the address that holds most of them pays. */
import { MultipathError } from '../errors.js'
import { ByAddress } from './by-address.js'

/** One handshake; its signal aborts when it has to make room. */
export interface Handshake {
  /** An IPv4 address, or an IPv6 network. */
  readonly address: string | undefined
  readonly limit: AbortController
  /** It is over, whatever came of it. */
  readonly end: () => void
}

export class Handshakes {
  readonly #max: number
  readonly #maxPerAddress: number
  readonly #byAddress = new ByAddress<Handshake>()

  /** @param maxPerAddress - does not count for streams without an address: strangers have one */
  constructor(max: number, maxPerAddress: number = max) {
    this.#max = max
    this.#maxPerAddress = maxPerAddress
  }

  get size(): number {
    return this.#byAddress.size
  }

  /** Those of one address. */
  of(address: string | undefined): number {
    return this.#byAddress.of(address)
  }

  /** Counts one more, and makes room for it. */
  begin(address: string | undefined): Handshake {
    const isCrowded = address !== undefined && this.#byAddress.of(address) >= this.#maxPerAddress
    if (isCrowded) this.#evict(this.#byAddress.oldestOf(address))
    if (this.#byAddress.size >= this.#max) this.#evict(this.#byAddress.oldestOfMost())
    const handshake: Handshake = {
      address,
      limit: new AbortController(),
      end: () => void this.#byAddress.delete(address, handshake),
    }
    this.#byAddress.add(address, handshake)
    return handshake
  }

  /** Ends all of them. */
  close(): void {
    const closed = new MultipathError('ERR_MULTIPATH_CLOSED', 'the listener is closed')
    for (const handshake of this.#byAddress.all) this.#abort(handshake, closed)
  }

  /** The oldest of a group: a client that stays silent cannot keep others out. */
  #evict(oldest: Handshake | undefined): void {
    if (oldest !== undefined)
      this.#abort(oldest, new MultipathError('ERR_MULTIPATH_LIMIT', 'too many handshakes under way'))
  }

  #abort(handshake: Handshake, error: Error): void {
    handshake.end()
    handshake.limit.abort(error)
  }
}

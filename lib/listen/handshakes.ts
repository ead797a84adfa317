/** Handshakes under way. Where there are too many, the address that holds most of them pays. */
import { MultipathError } from '../errors.js'

/** One handshake; its signal aborts when it has to make room. */
export interface Handshake {
  readonly address: string
  readonly limit: AbortController
}

export class Handshakes {
  readonly #max: number
  /** Oldest first, by remote address. */
  readonly #byAddress = new Map<string, Set<Handshake>>()
  #size = 0

  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#size
  }

  /** Counts one more, and makes room for it. */
  begin(address: string = ''): Handshake {
    if (this.#size >= this.#max) this.#evict()
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

  /** The oldest of the largest group: a client that stays silent cannot keep others out. */
  #evict(): void {
    let largest: Set<Handshake> | undefined
    for (const group of this.#byAddress.values()) if (group.size > (largest?.size ?? 0)) largest = group
    const [oldest] = largest ?? []
    if (oldest !== undefined)
      this.#abort(oldest, new MultipathError('ERR_MULTIPATH_LIMIT', 'too many handshakes under way'))
  }

  #abort(handshake: Handshake, error: Error): void {
    this.end(handshake)
    handshake.limit.abort(error)
  }
}

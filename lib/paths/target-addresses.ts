// SPDX-License-Identifier: Apache-2.0
/** The addresses of one target, as the answers to lookups come. */
import type { LookupAddress } from 'node:dns'
import { isIP } from 'node:net'
import { MultipathError, toError } from '../errors.js'
import type { TargetAddress } from './address-pairs.js'
import { formatPlace } from './address-pairs.js'
import type { Family } from './local-addresses.js'

/** Where paths lead. */
export interface Target {
  /** A name or an address. */
  readonly host: string
  /** Port of the peer. */
  readonly port: number
}

/** An address of a name, and how long that holds, in seconds, where the answer says. */
export interface FoundAddress extends LookupAddress {
  /** For how many seconds the address may be used; absent where the answer does not say. */
  readonly ttl?: number | undefined
}

/** As `lookup` of `node:dns/promises` with `all`. */
export type Lookup = (
  host: string,
  options: { readonly all: true; readonly family: Family },
) => Promise<readonly FoundAddress[]>

/**
 * Answers in a row that an address must be missing from until it is given up. An answer may be a part of the truth: where
 * one of the two questions, for A and for AAAA, goes unanswered, getaddrinfo gives what it has.
 */
const MISSES = 2

export class TargetAddresses {
  readonly target: Target
  readonly #family: Family
  readonly #most: number
  readonly #misses = new Map<string, { readonly found: TargetAddress; count: number }>()

  /** @param most - addresses that are kept; an answer may have thousands */
  constructor(target: Target, family: Family, most: number) {
    this.target = target
    this.#family = family
    this.#most = most
  }

  /** Whether the host is an address: there is nothing to look up. */
  get isLiteral(): boolean {
    return isIP(withoutZone(this.target.host)) !== 0
  }

  get addresses(): TargetAddress[] {
    return [...this.#misses.values()].map(({ found }) => found)
  }

  /**
   * Looks the host up, and takes in the answer. When it fails, what was known stays.
   *
   * @returns how long the answer holds, milliseconds, where it says
   * @throws {MultipathError} ERR_MULTIPATH_NO_PATH with what went wrong
   */
  async lookUp(lookup: Lookup): Promise<number | undefined> {
    try {
      return await this.#lookUp(lookup)
    } catch (error) {
      const { host, port } = this.target
      const message = `${formatPlace(host, port)}: ${toError(error).message}`
      throw new MultipathError('ERR_MULTIPATH_NO_PATH', message, { cause: error })
    }
  }

  async #lookUp(lookup: Lookup): Promise<number | undefined> {
    const { host } = this.target
    if (this.isLiteral) {
      this.take([{ address: host, family: isIP(withoutZone(host)) }])
      return undefined
    }
    const answer = await lookup(host, { all: true, family: this.#family })
    this.take(answer)
    const ttls = answer.map(({ ttl }) => ttl).filter((ttl) => typeof ttl === 'number')
    return ttls.length === 0 ? undefined : Math.min(...ttls) * 1000
  }

  /** @throws where the answer has no address of the family */
  take(answer: readonly FoundAddress[]): void {
    const all = answer.map(({ address }) => address).filter((address) => this.#isOfFamily(address))
    const addresses = all.slice(0, this.#most)
    if (addresses.length === 0)
      throw new Error(`no ${this.#family === 0 ? 'address' : `IPv${this.#family} address`} found`)
    const before = [...this.#misses.values()]
    this.#misses.clear()
    for (const address of addresses) this.#misses.set(address, { found: this.#found(address), count: 0 })
    for (const { found, count } of before)
      if (!this.#misses.has(found.address) && count + 1 < MISSES && this.#misses.size < this.#most)
        this.#misses.set(found.address, { found, count: count + 1 })
  }

  #isOfFamily(address: string): boolean {
    const family = isIP(withoutZone(address))
    return family !== 0 && (this.#family === 0 || this.#family === family)
  }

  #found(address: string): TargetAddress {
    const { host, port } = this.target
    return { address, family: isIP(withoutZone(address)) === 6 ? 6 : 4, port, target: host }
  }
}

function withoutZone(address: string): string {
  return address.replace(/%.*$/, '')
}

// SPDX-License-Identifier: Apache-2.0
/** Connections that have not greeted yet: few in all, and shared out among the addresses that they come from. */
import { ByAddress } from '../../listen/by-address.js'
import { sourceNetwork } from '../../listen/source-network.js'

/** What is known of a connection; `undefined` counts as an address as well. */
export interface Stranger {
  readonly remoteAddress?: string | undefined
  destroy(): unknown
}

export interface StrangersInit {
  /** From 0 to 1. */
  readonly random?: () => number
}

/** Connections that have not greeted yet. When one more comes, the address that has most makes room. */
export const MAX_STRANGERS = 64
/** Of one address, or one IPv6 network of 64 bits: from the first number on some are dropped, all from the second on. */
const EARLY_DROP = 8
const MOST_OF_AN_ADDRESS = 32
/** The share that is dropped at first; it rises to all. As in MaxStartups of sshd, 10:30:100. */
const EARLY_SHARE = 0.3

export class Strangers {
  readonly #random: () => number
  readonly #byAddress = new ByAddress<Stranger>()

  constructor({ random = Math.random }: StrangersInit = {}) {
    this.#random = random
  }

  get size(): number {
    return this.#byAddress.size
  }

  /** @returns why `one` may not stay; it is the caller's then */
  add(one: Stranger): string | undefined {
    const address = addressOf(one)
    const mine = this.#byAddress.of(address)
    if (this.#random() < dropShare(mine))
      return 'its address has too many connections that have not completed the greeting'
    if (this.size >= MAX_STRANGERS && !this.#makeRoom(mine))
      return 'too many connections have not completed the greeting'
    this.#byAddress.add(address, one)
    return undefined
  }

  /** It has greeted, or is gone. */
  delete(one: Stranger): void {
    this.#byAddress.delete(addressOf(one), one)
  }

  close(): void {
    for (const one of this.#byAddress.all) one.destroy()
  }

  /** @returns whether somebody went; where the newcomer's own address has as many as any other, chance decides */
  #makeRoom(mine: number): boolean {
    const { groups } = this.#byAddress
    const most = Math.max(...groups.map(({ size }) => size))
    if (mine + 1 >= most && this.#random() < 0.5) return false
    const candidates = groups.filter(({ size }) => size === most).flatMap((group) => [...group])
    const leaving = candidates[Math.floor(this.#random() * candidates.length)]!
    this.delete(leaving)
    leaving.destroy()
    return true
  }
}

function addressOf({ remoteAddress }: Stranger): string | undefined {
  return sourceNetwork(remoteAddress)
}

/** The share of newcomers to drop of an address that has `count` already. */
function dropShare(count: number): number {
  if (count < EARLY_DROP) return 0
  return EARLY_SHARE + ((1 - EARLY_SHARE) * (count - EARLY_DROP)) / (MOST_OF_AN_ADDRESS - EARLY_DROP)
}

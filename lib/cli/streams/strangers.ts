// SPDX-License-Identifier: Apache-2.0
/** Connections that have not greeted yet: few in all, and shared out among the addresses that they come from. */
import { sourceNetwork } from '../../listen/source-network.js'
import { TokenBucket } from '../../token-bucket.js'

/** What is known of a connection; `undefined` counts as an address as well. */
export interface Stranger {
  readonly remoteAddress?: string | undefined
  destroy(): unknown
}

export interface StrangersInit {
  /** From 0 to 1. */
  readonly random?: () => number
  /** Milliseconds. */
  readonly now?: () => number
}

/** Connections that have not greeted yet. When one more comes, the address that has most makes room. */
export const MAX_STRANGERS = 64
/** Of one address, or one IPv6 network of 64 bits: from the first number on some are dropped, all from the second on. */
const EARLY_DROP = 8
const MOST_OF_AN_ADDRESS = 32
/** The share that is dropped at first; it rises to all. As in MaxStartups of sshd, 10:30:100. */
const EARLY_SHARE = 0.3
/** Newcomers of one address: at once, and a second after that. */
const BURST = 64
const NEWCOMERS_PER_SECOND = 16
/** Addresses for which that is counted; the one that came longest ago is forgotten. */
const MAX_ADDRESSES = 4096

export class Strangers {
  readonly #random: () => number
  readonly #now: () => number
  readonly #byAddress = new Map<string, Set<Stranger>>()
  /** The one that came longest ago first. */
  readonly #rates = new Map<string, TokenBucket>()
  #size = 0

  constructor({ random = Math.random, now = () => performance.now() }: StrangersInit = {}) {
    this.#random = random
    this.#now = now
  }

  get size(): number {
    return this.#size
  }

  /** @returns why `one` may not stay; it is the caller's then */
  add(one: Stranger): string | undefined {
    const address = addressOf(one)
    if (!this.#rateOf(address).take(this.#now())) return 'too many connections of its address in a short time'
    const mine = this.#byAddress.get(address)?.size ?? 0
    if (this.#random() < dropShare(mine)) return 'too many connections of its address that have not greeted'
    if (this.#size >= MAX_STRANGERS && !this.#makeRoom(mine)) return 'too many that have not greeted'
    const others = this.#byAddress.get(address) ?? new Set()
    this.#byAddress.set(address, others.add(one))
    this.#size++
    return undefined
  }

  /** It has greeted, or is gone. */
  delete(one: Stranger): void {
    const address = addressOf(one)
    const others = this.#byAddress.get(address)
    if (others?.delete(one) !== true) return
    this.#size--
    if (others.size === 0) this.#byAddress.delete(address)
  }

  close(): void {
    for (const all of [...this.#byAddress.values()]) for (const one of [...all]) one.destroy()
  }

  /** @returns whether somebody went; where the newcomer's own address has as many as any other, chance decides */
  #makeRoom(mine: number): boolean {
    const groups = [...this.#byAddress.values()]
    const most = Math.max(...groups.map(({ size }) => size))
    if (mine + 1 >= most && this.#random() < 0.5) return false
    const candidates = groups.filter(({ size }) => size === most).flatMap((group) => [...group])
    const leaving = candidates[Math.floor(this.#random() * candidates.length)]!
    this.delete(leaving)
    leaving.destroy()
    return true
  }

  #rateOf(address: string): TokenBucket {
    const bucket = this.#rates.get(address) ?? new TokenBucket(BURST, NEWCOMERS_PER_SECOND, this.#now())
    this.#rates.delete(address)
    this.#rates.set(address, bucket)
    if (this.#rates.size > MAX_ADDRESSES) this.#rates.delete(this.#rates.keys().next().value!)
    return bucket
  }
}

function addressOf({ remoteAddress }: Stranger): string {
  return sourceNetwork(remoteAddress) ?? 'unknown'
}

/** The share of newcomers to drop of an address that has `count` already. */
function dropShare(count: number): number {
  if (count < EARLY_DROP) return 0
  return EARLY_SHARE + ((1 - EARLY_SHARE) * (count - EARLY_DROP)) / (MOST_OF_AN_ADDRESS - EARLY_DROP)
}

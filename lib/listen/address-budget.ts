// SPDX-License-Identifier: Apache-2.0
/**
 * What an address may still cost us. All that strangers can bring about without a good reason is paid out of one budget
 * for each: hellos that are refused, joins that are too many, and what a program charges. While it is spent, streams of
 * the address are not read any more.
 */
import type { Clock } from '../clock.js'
import { TokenBucket } from '../token-bucket.js'

/** Addresses whose budget is not whole; the one charged longest ago makes room. About 1 MiB. */
const MAX_CHARGED_ADDRESSES = 4096
/** Shares of `perSecond` that an address has at most. */
const MAX_SHARES = 64

export interface AddressBudgetInit {
  /** Of one address: so many at once, and so many a second after that. */
  readonly burst: number
  readonly perSecond: number
  readonly clock: Clock
}

/**
 * An address is what `sourceNetwork` makes of it. Streams without one, as of a Unix socket, never pay: strangers have one.
 */
export class AddressBudget {
  readonly #init: AddressBudgetInit
  /** What is left; the one that was charged longest ago first. */
  readonly #left = new Map<string, TokenBucket>()
  /** Connections that stand, by the address that opened them. */
  readonly #vouchers = new Map<string, number>()

  constructor(init: AddressBudgetInit) {
    this.#init = init
  }

  /**
   * Whether streams of `address` are to be closed unread.
   *
   * @param pending - handshakes of it that may be charged yet: a thousand come in before the first hello is read
   */
  isSpent(address: string | undefined, pending: number): boolean {
    if (address === undefined) return false
    const { burst, clock } = this.#init
    return this.#left.get(address)?.has(clock.now(), Math.min(pending + 1, burst)) === false
  }

  /** Takes `count` from what `address` has left. */
  charge(address: string | undefined, count = 1): void {
    if (address === undefined) return
    const { burst, clock } = this.#init
    const bucket = this.#left.get(address) ?? new TokenBucket(burst, this.#rateOf(address), clock.now())
    bucket.take(clock.now(), count)
    this.#left.delete(address)
    this.#left.set(address, bucket)
    if (this.#left.size <= MAX_CHARGED_ADDRESSES) return
    const [longestAgo] = this.#left.keys()
    this.#left.delete(longestAgo!)
  }

  /**
   * A connection from `address` stands, until {@link withdraw} is called for it. It adds a share: many may be
   * behind one NAT, or behind a balancer that does not say for whom it speaks, and one stranger among them is not to
   * shut out all. Shares are bounded, since a stranger can open connections, too.
   */
  vouch(address: string | undefined): void {
    this.#count(address, 1)
  }

  /** One of those from `address` stands no longer. */
  withdraw(address: string | undefined): void {
    this.#count(address, -1)
  }

  #count(address: string | undefined, change: 1 | -1): void {
    if (address === undefined) return
    const vouchers = (this.#vouchers.get(address) ?? 0) + change
    if (vouchers > 0) this.#vouchers.set(address, vouchers)
    else this.#vouchers.delete(address)
    this.#left.get(address)?.setRate(this.#init.clock.now(), this.#rateOf(address))
  }

  #rateOf(address: string): number {
    return this.#init.perSecond * Math.min(1 + (this.#vouchers.get(address) ?? 0), MAX_SHARES)
  }
}

// SPDX-License-Identifier: Apache-2.0
/** Addresses whose hellos are refused again and again: for a while, their streams are not read any more. */
import type { Clock } from '../clock.js'
import { TokenBucket } from '../token-bucket.js'

/** Addresses that are remembered; the one that was refused longest ago makes room. About 1 MiB. */
const MAX_REFUSED_ADDRESSES = 4096

/** Refusals that a peer can bring about as often as it likes, and has no good reason to. */
const COUNTED: ReadonlySet<unknown> = new Set([
  'ERR_MULTIPATH_UNEXPECTED_CID',
  'ERR_MULTIPATH_UNEXPECTED_VERSION',
  'ERR_MULTIPATH_REFUSED',
])

export interface RefusalsInit {
  /** Of one address: so many at once, and so many a second after that. */
  readonly burst: number
  readonly perSecond: number
  readonly clock: Clock
}

/** Streams without an address, as of a Unix socket, never count: strangers have one. */
export class Refusals {
  readonly #init: RefusalsInit
  /** The one that was refused longest ago first. */
  readonly #left = new Map<string, TokenBucket>()
  /** Connections that stand, by the address that opened them. */
  readonly #friends = new Map<string, number>()

  constructor(init: RefusalsInit) {
    this.#init = init
  }

  /**
   * Whether streams of `address` are to be closed unread. Never where a connection from there stands: behind one NAT,
   * or a balancer that does not say for whom it speaks, one stranger could shut out everybody.
   *
   * @param pending - handshakes of it that may be refused yet: a thousand come in before the first hello is read
   */
  isShut(address: string | undefined, pending: number): boolean {
    if (address === undefined || this.#friends.has(address)) return false
    const { burst, clock } = this.#init
    return this.#left.get(address)?.has(clock.now(), Math.min(pending + 1, burst)) === false
  }

  /** A handshake of `address` ended with `error`. */
  note(address: string | undefined, error: unknown): void {
    if (address === undefined || !COUNTED.has((error as { code?: unknown }).code)) return
    const { burst, perSecond, clock } = this.#init
    const bucket = this.#left.get(address) ?? new TokenBucket(burst, perSecond, clock.now())
    bucket.take(clock.now())
    this.#left.delete(address)
    this.#left.set(address, bucket)
    if (this.#left.size <= MAX_REFUSED_ADDRESSES) return
    const [longestAgo] = this.#left.keys()
    this.#left.delete(longestAgo!)
  }

  /** A connection from `address` stands, until the function that this returns is called. */
  befriend(address: string | undefined): () => void {
    if (address === undefined) return () => {}
    this.#friends.set(address, (this.#friends.get(address) ?? 0) + 1)
    return () => {
      const others = this.#friends.get(address)! - 1
      if (others > 0) this.#friends.set(address, others)
      else this.#friends.delete(address)
    }
  }
}

// SPDX-License-Identifier: Apache-2.0
/** Connections that streams may join, by CID, and what each address may still join to them. */
import type { Clock } from '../clock.js'
import type { MultipathConn } from '../conn/multipath-conn.js'
import type { Subflow } from '../core/subflow.js'
import { MultipathError, RemoteProtocolError } from '../errors.js'
import { ByAddress } from './by-address.js'
import type { PeerFacts } from './join-request.js'
import { CidKeys } from './cids.js'
import { EndedCids } from './ended-cids.js'
import { TokenBucket } from '../token-bucket.js'

/** Addresses that have joins of their own at one connection; all further ones share those of one. */
const MAX_JOINING_ADDRESSES = 64

export interface MembersInit {
  readonly clock: Clock
  readonly maxSubflows: number
  readonly maxJoinsPerSecond: number
}

/** A join that a peer can bring about as often as it likes, even to a connection of its own. */
export class JoinLimitError extends MultipathError {
  constructor(message: string) {
    super('ERR_MULTIPATH_LIMIT', message)
  }
}

/** Attaches a stream that is let in to `conn`. @param onChange - to be called when the state of its subflow has changed */
export type LetIn = (conn: MultipathConn, onChange: () => void) => Subflow

/** A connection, and the joins to it by address. */
export class Member {
  readonly conn: MultipathConn
  readonly first: PeerFacts
  readonly #init: MembersInit
  readonly #joins = new Map<string | undefined, TokenBucket>()
  /** Subflows that have to prove themselves: they take no place of the client's. */
  #unproven: ByAddress<Subflow> | undefined

  constructor(conn: MultipathConn, first: PeerFacts, init: MembersInit) {
    this.conn = conn
    this.first = first
    this.#init = init
  }

  /**
   * Whether a stream from `source` may join, which takes nothing yet.
   *
   * @throws ERR_MULTIPATH_CLOSED where the connection has ended meanwhile, {@link JoinLimitError}
   */
  assertRoom(source: string | undefined): void {
    if (!this.conn.isJoinable) throw ended()
    this.#forgetSettled()
    if (this.#isFull && this.#displacedBy(source) === undefined)
      throw new JoinLimitError('too many subflows of one connection')
    if (!this.#joinsOf(source).has(this.#init.clock.now()))
      throw new JoinLimitError('too many joins of one connection in a short time')
  }

  /**
   * Lets a stream from `source` in. Only such pay: strangers who are refused take no join of the client's. Where it is full,
   * of the subflows that have yet to prove themselves, the oldest of the address that has most makes room.
   */
  join(source: string | undefined, letIn: LetIn): void {
    this.#joinsOf(source).take(this.#init.clock.now())
    if (this.#isFull) this.conn.closeSubflow(this.#displacedBy(source)!, 'limit')
    const subflow = letIn(this.conn, () => this.#forgetSettled())
    if (!subflow.isUnproven) return
    this.#unproven ??= new ByAddress()
    this.#unproven.add(source, subflow)
  }

  /** One of an address that has more than `source` of those that have yet to prove themselves. */
  #displacedBy(source: string | undefined): Subflow | undefined {
    return this.#unproven?.oldestOfMost(this.#unproven.of(source))
  }

  get #isFull(): boolean {
    return this.conn.subflows().length >= this.#init.maxSubflows
  }

  /** Of those that have proved themselves, or are gone. */
  #forgetSettled(): void {
    for (const [source, subflow] of this.#unproven?.entries ?? [])
      if (!subflow.isUnproven || subflow.state === 'closed') this.#unproven?.delete(source, subflow)
    if (this.#unproven?.size === 0) this.#unproven = undefined
  }

  #joinsOf(address: string | undefined): TokenBucket {
    const isFull = this.#joins.size >= MAX_JOINING_ADDRESSES && !this.#joins.has(address)
    const key = isFull ? 'others' : address
    const known = this.#joins.get(key)
    if (known !== undefined) return known
    const { clock, maxSubflows, maxJoinsPerSecond } = this.#init
    const joins = new TokenBucket(maxSubflows, maxJoinsPerSecond, clock.now())
    this.#joins.set(key, joins)
    return joins
  }
}

export class Members {
  readonly #init: MembersInit
  readonly #keys = new CidKeys()
  readonly #byKey = new Map<string, Member>()
  readonly #ended: EndedCids

  constructor(init: MembersInit) {
    this.#init = init
    this.#ended = new EndedCids(init.maxSubflows)
  }

  get size(): number {
    return this.#byKey.size
  }

  /** Those of live connections. */
  all(): Member[] {
    return [...this.#byKey.values()]
  }

  /** @returns the key of its membership */
  add(cid: Uint8Array, conn: MultipathConn, first: PeerFacts): string {
    const key = this.#keys.of(cid)
    this.#byKey.set(key, new Member(conn, first, this.#init))
    return key
  }

  /** No stream may join that connection any more. */
  end(key: string): void {
    this.#byKey.delete(key)
    this.#ended.add(key, this.#init.clock.now())
  }

  /** @throws ERR_MULTIPATH_UNEXPECTED_CID; ERR_MULTIPATH_CLOSED for a connection that has ended a moment ago */
  of(cid: Uint8Array): Member {
    const key = this.#keys.of(cid)
    const member = this.#byKey.get(key)
    if (member !== undefined) return member
    if (this.#ended.takes(key, this.#init.clock.now())) throw ended()
    throw new RemoteProtocolError('a hello with an unknown CID', 'ERR_MULTIPATH_UNEXPECTED_CID')
  }
}

function ended(): MultipathError {
  return new MultipathError('ERR_MULTIPATH_CLOSED', 'a hello for a connection that has just ended')
}

// SPDX-License-Identifier: Apache-2.0
/** Connections that streams may join, by CID, and what each address may still join to them. */
import type { Clock } from '../clock.js'
import type { MultipathConn } from '../conn/multipath-conn.js'
import { MultipathError, RemoteProtocolError } from '../errors.js'
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

/** A connection, and the joins to it by address. */
export class Member {
  readonly conn: MultipathConn
  readonly first: PeerFacts
  readonly #init: MembersInit
  readonly #joins = new Map<string | undefined, TokenBucket>()

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
    if (this.conn.subflows().length >= this.#init.maxSubflows)
      throw new JoinLimitError('too many subflows of one connection')
    if (!this.#joinsOf(source).has(this.#init.clock.now()))
      throw new JoinLimitError('too many joins of one connection in a short time')
  }

  /** A stream from `source` was let in. Only such pay: strangers who are refused take no join of the client's. */
  noteJoin(source: string | undefined): void {
    this.#joinsOf(source).take(this.#init.clock.now())
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

  /** @returns what ends its membership */
  add(cid: Uint8Array, conn: MultipathConn, first: PeerFacts): () => void {
    const key = this.#keys.of(cid)
    this.#byKey.set(key, new Member(conn, first, this.#init))
    return () => {
      this.#byKey.delete(key)
      this.#ended.add(key, this.#init.clock.now())
    }
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

// SPDX-License-Identifier: Apache-2.0
/** Who may come in: every decision of a listener about a stream, a new connection or a join. */
import type { TLSSocket } from 'node:tls'
import type { Clock, Millis } from '../clock.js'
import type { MultipathConn } from '../conn/multipath-conn.js'
import type { ConnOptions } from '../core/options.js'
import { MultipathError, RemoteProtocolError } from '../errors.js'
import type { Resolved } from '../options.js'
import type { IncomingStream } from '../transport/transport.js'
import { assertWelcome } from './address-lists.js'
import { CidKeys } from './cids.js'
import type { Handshake } from './handshakes.js'
import { Handshakes } from './handshakes.js'
import type { AddressLists, ListenerNumbers } from './options.js'
import { Refusals } from './refusals.js'
import { sourceNetwork } from './source-network.js'
import { TokenBucket } from '../token-bucket.js'

/** What is known of the peer behind a stream. */
export interface PeerFacts {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  /**
   * SHA-256 of the certificate whose key the peer holds, as of `X509Certificate.fingerprint256`: of a `tls.Server`
   * that has `requestCert`, otherwise `undefined`.
   */
  readonly fingerprint: string | undefined
}

/** A stream that asks to join a connection, whose CID it knew. */
export interface JoinRequest {
  /** Nothing may be read from it or written to it. */
  readonly stream: IncomingStream
  readonly conn: MultipathConn
  readonly peer: PeerFacts
  /** Of the stream that opened the connection. */
  readonly first: PeerFacts
}

/** Only `true` lets the stream in. */
export type AuthorizeJoin = (request: JoinRequest) => boolean | Promise<boolean>

export interface AdmissionInit extends AddressLists {
  readonly authorizeJoin: AuthorizeJoin | undefined
  readonly options: Resolved<ConnOptions & ListenerNumbers>
  readonly clock: Clock
}

/** A stream whose hello names a connection. */
export interface Join {
  readonly cid: Uint8Array
  readonly stream: IncomingStream
  /** Of the handshake. */
  readonly deadline: Millis
  readonly signal: AbortSignal
}

interface Member {
  readonly conn: MultipathConn
  readonly first: PeerFacts
  readonly joins: TokenBucket
}

export class Admission {
  readonly #init: AdmissionInit
  readonly #handshakes: Handshakes
  readonly #refusals: Refusals
  readonly #keys = new CidKeys()
  readonly #members = new Map<string, Member>()
  /** Connections whose memory is not free yet: without a subflow, one may still wait for its reader. */
  #held = 0

  constructor(init: AdmissionInit) {
    this.#init = init
    const { maxPendingHandshakes, maxPendingHandshakesPerAddress: ofAddress, ...options } = init.options
    this.#handshakes = new Handshakes(maxPendingHandshakes, ofAddress)
    const { maxRefusalsPerSecond: perSecond } = options
    this.#refusals = new Refusals({ burst: ofAddress, perSecond, clock: init.clock })
  }

  /** Live connections. */
  get connections(): number {
    return this.#members.size
  }

  get pendingHandshakes(): number {
    return this.#handshakes.size
  }

  /**
   * A stream is there, of which nothing has been read. Others may have to make room for it.
   *
   * @throws ERR_MULTIPATH_REFUSED, or ERR_MULTIPATH_LIMIT for an address of which too many hellos were refused
   */
  begin(address: string | undefined): Handshake {
    assertWelcome(address, this.#init)
    const source = sourceNetwork(address)
    if (this.#refusals.isShut(source, this.#handshakes.of(source)))
      throw new MultipathError('ERR_MULTIPATH_LIMIT', `too many hellos of ${source} were refused`)
    return this.#handshakes.begin(source)
  }

  /** A stream of a trusted proxy, which is yet to say whose it is: no list and no limit of one address is for it. */
  beginHeader(): Handshake {
    return this.#handshakes.begin(undefined)
  }

  end(handshake: Handshake): void {
    this.#handshakes.end(handshake)
  }

  /** The handshake, if it had begun, came to nothing. */
  failed(handshake: Handshake | undefined, error: Error): void {
    this.#refusals.note(handshake?.address, error)
  }

  /** Ends all handshakes. */
  close(): void {
    this.#handshakes.close()
  }

  /** @throws ERR_MULTIPATH_LIMIT unless there is room for another connection, with `backlog` not accepted yet */
  assertRoom(backlog: number): void {
    const { maxConnections, maxBacklog } = this.#init.options
    if (this.#held >= maxConnections || backlog >= maxBacklog)
      throw new MultipathError('ERR_MULTIPATH_LIMIT', 'too many connections')
  }

  /** From now on streams may join `conn`, which `stream` has opened; until the function that this returns is called. */
  add(cid: Uint8Array, conn: MultipathConn, stream: IncomingStream): () => void {
    const { options, clock } = this.#init
    const key = this.#keys.of(cid)
    const joins = new TokenBucket(options.maxSubflows, options.maxJoinsPerSecond, clock.now())
    this.#held++
    conn.once('close', () => this.#held--)
    this.#members.set(key, { conn, first: this.#factsOf(stream), joins })
    const part = this.#refusals.befriend(sourceNetwork(stream.remoteAddress))
    return () => {
      this.#members.delete(key)
      part()
    }
  }

  /**
   * Calls `letIn` with the connection that `stream` may join.
   *
   * @throws ERR_MULTIPATH_UNEXPECTED_CID, _LIMIT, _REFUSED, _HANDSHAKE_TIMEOUT, or the reason of `signal`
   */
  async join({ cid, stream, deadline, signal }: Join, letIn: (conn: MultipathConn) => void): Promise<void> {
    const member = this.#members.get(this.#keys.of(cid))
    this.#assertJoinable(member)
    if (!member.joins.take(this.#init.clock.now()))
      throw new MultipathError('ERR_MULTIPATH_LIMIT', 'too many joins of one connection in a short time')
    const { authorizeJoin } = this.#init
    if (authorizeJoin !== undefined) {
      const { conn, first } = member
      const ask = async (): Promise<unknown> =>
        authorizeJoin({ stream, conn, first, peer: this.#factsOf(stream) })
      if ((await this.#within(deadline, signal, ask())) !== true)
        throw new MultipathError('ERR_MULTIPATH_REFUSED', 'authorizeJoin did not let the stream in')
      // Others may have come meanwhile, or the connection may have gone: looked at in the turn that lets it in.
      this.#assertJoinable(member)
      if (stream.destroyed)
        throw new MultipathError('ERR_MULTIPATH_HANDSHAKE', 'the peer closed during the handshake')
    }
    letIn(member.conn)
  }

  #assertJoinable(member: Member | undefined): asserts member is Member {
    if (member?.conn.isJoinable !== true)
      throw new RemoteProtocolError('a hello with an unknown CID', 'ERR_MULTIPATH_UNEXPECTED_CID')
    if (member.conn.subflows().length >= this.#init.options.maxSubflows)
      throw new MultipathError('ERR_MULTIPATH_LIMIT', 'too many subflows of one connection')
  }

  #within(deadline: Millis, signal: AbortSignal, answer: Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason as Error)
      const cancel = this.#init.clock.callAt(deadline, () => {
        reject(new MultipathError('ERR_MULTIPATH_HANDSHAKE_TIMEOUT', 'no answer of authorizeJoin in time'))
      })
      signal.addEventListener('abort', onAbort)
      if (signal.aborted) onAbort()
      void answer.then(resolve, reject).finally(() => {
        cancel()
        signal.removeEventListener('abort', onAbort)
      })
    })
  }

  /** Certificates are looked at only for those who ask. */
  #factsOf(stream: IncomingStream): PeerFacts {
    const { remoteAddress, remotePort } = stream
    const socket = stream as Partial<TLSSocket>
    const certificate = this.#init.authorizeJoin === undefined ? undefined : socket.getPeerX509Certificate?.()
    return { remoteAddress, remotePort, fingerprint: certificate?.fingerprint256 }
  }
}

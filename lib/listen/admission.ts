// SPDX-License-Identifier: Apache-2.0
/** Who may come in: every decision of a listener about a stream, a new connection or a join. */
import type { TLSSocket } from 'node:tls'
import type { Clock, Millis } from '../clock.js'
import type { Hello } from '../conn/hello-io.js'
import type { JoinSecurity } from '../conn/join-keys.js'
import { keyringFor } from '../conn/join-keys.js'
import type { MultipathConn } from '../conn/multipath-conn.js'
import type { ConnOptions } from '../core/options.js'
import { MultipathError, OptionError } from '../errors.js'
import type { Resolved } from '../options.js'
import type { IncomingStream } from '../transport/transport.js'
import { AddressBudget } from './address-budget.js'
import type { AddressLists } from './address-lists.js'
import { assertWelcome } from './address-lists.js'
import type { Handshake } from './handshakes.js'
import { Handshakes } from './handshakes.js'
import { watchIdle } from './idle-limit.js'
import type { AuthorizeJoin, PeerFacts } from './join-request.js'
import type { LetIn, Member } from './members.js'
import { JoinLimitError, Members } from './members.js'
import type { Newcomers } from './newcomers.js'
import type { ListenerNumbers } from './options.js'
import { sourceNetwork } from './source-network.js'
import { Suspended } from './suspended.js'
import { answerUnknown } from './unknown-connection.js'

/** Refusals that a peer can bring about as often as it likes, and has no good reason to. */
const CHARGED: ReadonlySet<unknown> = new Set([
  'ERR_MULTIPATH_UNEXPECTED_CID',
  'ERR_MULTIPATH_UNEXPECTED_VERSION',
  'ERR_MULTIPATH_REFUSED',
])

/** Of one address, of the TLS handshakes under way: all the hellos of one turn are answered in it, up to a millisecond each. */
const TLS_SHARE = 1 / 4

export interface AdmissionInit extends AddressLists {
  readonly authorizeJoin: AuthorizeJoin | undefined
  readonly options: Resolved<ConnOptions & ListenerNumbers>
  readonly joins: JoinSecurity | undefined
  readonly clock: Clock
}

type RefusedHandler = (error: Error, stream: IncomingStream) => void

/** A stream whose hello names a connection. */
export interface Join {
  readonly hello: Hello
  readonly stream: IncomingStream
  /** Of the handshake. */
  readonly deadline: Millis
  readonly signal: AbortSignal
}

export class Admission {
  readonly #init: AdmissionInit
  readonly #handshakes: Handshakes
  readonly #tlsHandshakes: Handshakes
  readonly #budget: AddressBudget
  readonly #members: Members
  readonly #suspended: Suspended
  /** Connections whose memory is not free yet: without a subflow, one may still wait for its reader. */
  #held = 0

  constructor(init: AdmissionInit) {
    this.#init = init
    const { clock, options } = init
    const { maxRefusalsAtOnce: burst, maxRefusalsPerSecond: perSecond } = options
    this.#handshakes = new Handshakes(options.maxPendingHandshakes)
    const { maxPendingTlsHandshakes: maxTls } = options
    this.#tlsHandshakes = new Handshakes(maxTls, Math.ceil(maxTls * TLS_SHARE))
    this.#budget = new AddressBudget({ burst, perSecond, clock })
    this.#members = new Members({ ...options, clock })
    this.#suspended = new Suspended(options)
  }

  /** Live connections. */
  get connections(): number {
    return this.#members.size
  }

  get pendingHandshakes(): number {
    return this.#handshakes.size + this.#tlsHandshakes.size
  }

  /** Connections that are held without a subflow. */
  get suspended(): number {
    return this.#suspended.size
  }

  /**
   * A stream is there, of which nothing has been read. Others may have to make room for it.
   *
   * @param isTls - it is a socket that TLS makes a stream of
   * @throws ERR_MULTIPATH_REFUSED, or ERR_MULTIPATH_LIMIT for an address that has spent its budget
   */
  begin(address: string | undefined, isTls = false): Handshake {
    assertWelcome(address, this.#init)
    const source = sourceNetwork(address)
    const pending = this.#handshakes.of(source) + this.#tlsHandshakes.of(source)
    if (this.#budget.isSpent(source, pending))
      throw new MultipathError('ERR_MULTIPATH_LIMIT', `too many hellos of ${source} were refused`)
    return (isTls ? this.#tlsHandshakes : this.#handshakes).begin(source)
  }

  /** A stream of a trusted proxy, which is yet to say whose it is: no list and no limit of one address is for it. */
  beginHeader(): Handshake {
    return this.#handshakes.begin(undefined)
  }

  /** The handshake, if it had begun, is over. */
  end(handshake: Handshake | undefined): void {
    handshake?.end()
  }

  /**
   * The handshake, if it had begun, came to nothing: closes `stream`, unless it was answered and closes by itself.
   *
   * @returns whether its address has paid for that
   */
  failed(handshake: Handshake | undefined, error: Error, stream: IncomingStream): boolean {
    if (!stream.writableEnded) stream.destroy()
    const isCharged = error instanceof JoinLimitError || CHARGED.has((error as { code?: unknown }).code)
    if (isCharged) this.#budget.charge(handshake?.address)
    return isCharged
  }

  /** Whoever is at the other end of `stream` was answered, and has not proved itself. */
  unproven(stream: IncomingStream, error: Error | undefined, tell: RefusedHandler): void {
    this.#budget.charge(sourceNetwork(stream.remoteAddress))
    tell(error ?? new MultipathError('ERR_MULTIPATH_AUTH', 'the peer has not proved itself'), stream)
  }

  /**
   * An address has cost as much as `count` refused hellos.
   *
   * @throws {OptionError} unless `count` is a whole number, at least 1
   */
  charge(address: string | undefined, count = 1): void {
    if (!Number.isSafeInteger(count) || count < 1)
      throw new OptionError(`count must be an integer from 1, got ${String(count)}`)
    this.#budget.charge(sourceNetwork(address), count)
  }

  /** Ends all handshakes. No subflow can join a connection any more, so that none is held. */
  close(): void {
    this.#handshakes.close()
    this.#tlsHandshakes.close()
    for (const { conn } of this.#members.all()) conn.forbidHold()
  }

  /**
   * Connections whose dialers have shown no life make room for another one.
   *
   * @param backlog - connections that are not accepted yet
   * @throws ERR_MULTIPATH_LIMIT where there is no room
   */
  assertRoom(backlog: number, newcomers: Newcomers): void {
    const { maxConnections, maxBacklog } = this.#init.options
    const isFull = this.#held >= maxConnections
    const hasRoom = isFull || newcomers.size >= maxBacklog ? newcomers.makeRoom() : true
    if (backlog >= maxBacklog || !hasRoom)
      throw new MultipathError('ERR_MULTIPATH_LIMIT', 'too many connections')
  }

  /** From now on streams may join `conn`, which `stream` has opened, and it is followed until it is gone. */
  add(cid: Uint8Array, conn: MultipathConn, stream: IncomingStream): void {
    const source = sourceNetwork(stream.remoteAddress)
    const key = this.#members.add(cid, conn, this.#factsOf(stream))
    this.#held++
    this.#budget.vouch(source)
    this.#suspended.watch(conn)
    const stopWatching = watchIdle(conn, this.#init.clock, this.#init.options.idleTimeoutMs)
    conn.onOver = () => {
      this.#members.end(key)
      this.#budget.withdraw(source)
      stopWatching()
    }
    conn.onDestroyed = () => {
      this.#held--
    }
  }

  /**
   * Calls `letIn` with the connection that `stream` may join.
   *
   * @throws ERR_MULTIPATH_UNEXPECTED_CID, _CLOSED, _LIMIT, _REFUSED, _HANDSHAKE_TIMEOUT, or the reason of `signal`
   */
  async join({ hello, stream, deadline, signal }: Join, letIn: LetIn): Promise<void> {
    const member = this.#memberFor(hello, stream)
    const source = sourceNetwork(stream.remoteAddress)
    member.assertRoom(source)
    const { authorizeJoin } = this.#init
    if (authorizeJoin !== undefined) {
      const { conn, first } = member
      const ask = async (): Promise<unknown> =>
        authorizeJoin({ stream, conn, first, peer: this.#factsOf(stream) })
      if ((await this.#within(deadline, signal, ask())) !== true)
        throw new MultipathError('ERR_MULTIPATH_REFUSED', 'authorizeJoin did not let the stream in')
      // Others may have come meanwhile, or the connection may have gone: looked at in the turn that lets it in.
      member.assertRoom(source)
      if (stream.destroyed)
        throw new MultipathError('ERR_MULTIPATH_HANDSHAKE', 'the peer closed during the handshake')
    }
    member.join(source, letIn)
  }

  /** One of ours that asks for a connection that is not there is told so. */
  #memberFor(hello: Hello, stream: IncomingStream): Member {
    try {
      return this.#members.of(hello.cid)
    } catch (error) {
      answerUnknown(stream, hello, keyringFor(this.#init.joins))
      throw error
    }
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

/** What a closed listener says. */
export function closedError(): MultipathError {
  return new MultipathError('ERR_MULTIPATH_CLOSED', 'the listener is closed')
}

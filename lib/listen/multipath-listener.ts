// SPDX-License-Identifier: Apache-2.0
/** Accepts multipath connections on several servers. Go: listener.go, NewListener. */
import type { Server } from 'node:net'
import type { Clock } from '../clock.js'
import { systemClock } from '../clock.js'
import { eventOf } from '../conn/attach.js'
import type { Hello, ReadHelloInit } from '../conn/hello-io.js'
import { readHello } from '../conn/hello-io.js'
import { AcceptQueue } from '../stream/accept-queue.js'
import { Emitter } from '../stream/emitter.js'
import { callForeign } from '../stream/foreign.js'
import { MultipathConn } from '../conn/multipath-conn.js'
import type { TraceInit } from '../conn/trace-sink.js'
import { traceOf } from '../conn/trace-sink.js'
import type { ConnOptions } from '../core/options.js'
import type { Scheduler } from '../core/scheduler.js'
import { schedulerOf } from '../core/schedulers/by-name.js'
import type { Subflow } from '../core/subflow.js'
import type { StatsTracker } from '../core/tracker.js'
import { AbuseLimiter } from '../core/abuse-limiter.js'
import { debug } from '../debug.js'
import { MultipathError, toError } from '../errors.js'
import { ignore } from '../ignore.js'
import type { Resolved } from '../options.js'
import type { IncomingStream, SubflowServer } from '../transport/transport.js'
import { encodeHello, isZeroCid } from '../wire/hello.js'
import { Admission, closedError } from './admission.js'
import { INSTANCE, newCid } from './cids.js'
import type { ClusterMember } from './cluster-worker.js'
import { memberFor, nobody } from './cluster-worker.js'
import { Acceptor } from './acceptor.js'
import type { FullOf } from './capacity.js'
import { Capacity } from './capacity.js'
import { GoCloses } from './go-closes.js'
import type { ListenerEvents } from './listener-events.js'
import type { Handshake } from './handshakes.js'
import { Newcomers } from './newcomers.js'
import type { ConnKind, ListenerNumbers, ListenerOptions } from './options.js'
import { connKind, resolveListenerOptions } from './options.js'
import { assertServers } from './servers.js'
import type { SocketGuardInit } from './socket-guard.js'
import type { ProxyGate } from './trusted-proxies.js'
import { gateFor } from './trusted-proxies.js'

/**
 * Closed connections leave no trace. `close()` stops accepting connections and subflows; connections that
 * have been accepted live on, on the subflows they have.
 */
export class MultipathListener
  extends Emitter<ListenerEvents>
  implements AsyncIterable<MultipathConn>, AsyncDisposable
{
  readonly #acceptors: readonly Acceptor[]
  readonly #options: Resolved<ConnOptions & ListenerNumbers>
  readonly #kind: ConnKind
  readonly #scheduler: Scheduler
  readonly #trace: TraceInit | undefined
  readonly #clock: Clock
  readonly #goCloses = new GoCloses(() => this.#clock)
  readonly #allowance: AbuseLimiter
  readonly #admission: Admission
  readonly #proxies: ProxyGate | undefined
  readonly #member: ClusterMember | undefined
  readonly #queue = new AcceptQueue<MultipathConn>(closedError)
  readonly #newcomers = new Newcomers(this.#queue, (address) => this.charge(address))
  #isClosed = false

  /**
   * @param servers - servers of TCP, TLS, Unix sockets or WebSockets, listening already or later; the listener
   *   closes them
   * @param trackers - none, or one for each server
   * @throws {OptionError} ERR_MULTIPATH_OPTION
   */
  constructor(
    servers: readonly (Server | SubflowServer)[],
    trackers: readonly StatsTracker[] = [],
    options: ListenerOptions = {},
  ) {
    super()
    this.#options = resolveListenerOptions(options)
    assertServers(servers, trackers)
    this.#kind = connKind(options)
    this.#scheduler = schedulerOf(options.scheduler)
    this.#trace = traceOf(options.trace, 'listener')
    this.#clock = options.clock ?? systemClock
    this.#allowance = new AbuseLimiter(this.#options)
    const { blockList, allowList, authorizeJoin } = options
    this.#admission = new Admission({
      ...{ blockList, allowList, authorizeJoin },
      options: this.#options,
      joins: this.#kind.joins,
      clock: this.#clock,
    })
    this.#proxies = gateFor(servers, options.trustedProxies)
    // A subflow that came to another worker begins here as if it had come to us.
    this.#member = memberFor(servers, options.cluster, {
      takeOver: (socket, server, refused) => {
        const acceptor = this.#acceptors[server]
        if (acceptor === undefined) socket.destroy()
        else void this.#shake(socket, acceptor, trackers[server], refused)
      },
      charge: (address) => this.#admission.charge(address),
    })
    const guard = this.#guardInit()
    this.#acceptors = servers.map((server, index) => {
      const acceptor: Acceptor = new Acceptor(server, {
        guard,
        maxSockets: Math.max(1, Math.floor(this.#options.maxSockets / servers.length)),
        onStream: (stream) => void this.#shake(stream, acceptor, trackers[index]),
      })
      return acceptor
    })
  }

  #guardInit(): SocketGuardInit {
    const { maxSockets, handshakeTimeoutMs: timeoutMs } = this.#options
    const [clock, admission, onRefused] = [this.#clock, this.#admission, this.#refused]
    const onFull = (most: number, of: FullOf): void => callForeign(() => this.emit('full', most, of))
    const capacity = new Capacity({ clock, maxSockets, onFull })
    return { admission, clock, timeoutMs, capacity, onRefused }
  }

  /** Number of live connections, including those that were not accepted yet. */
  get connections(): number {
    return this.#admission.connections
  }

  /** Number of handshakes in progress. */
  get pendingHandshakes(): number {
    return this.#admission.pendingHandshakes
  }

  /**
   * Charges the budget of an address for an offence that the program has noticed, such as a wrong password. It counts as
   * `count` refused hellos (`maxRefusalsPerSecond`). While the budget is spent, streams of the address are closed unread.
   *
   * @param address - as of `conn.remoteAddress`; without one, nothing is charged
   * @param count - a whole number, at least 1. Default: 1
   * @throws {OptionError} ERR_MULTIPATH_OPTION
   */
  charge(address: string | undefined, count = 1): void {
    this.#admission.charge(address, count)
  }

  /**
   * Resolves with the next connection.
   *
   * @throws ERR_MULTIPATH_CLOSED once the listener is closed; the reason of `signal`
   */
  accept({ signal }: { signal?: AbortSignal } = {}): Promise<MultipathConn> {
    return this.#queue.take(signal)
  }

  /** Yields connections until the listener is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<MultipathConn, void, undefined> {
    while (!this.#isClosed) {
      try {
        yield await this.accept()
        this.#newcomers.settle()
      } catch (error) {
        if (error instanceof MultipathError && error.code === 'ERR_MULTIPATH_CLOSED') return
        throw error
      }
    }
  }

  /** Closes the servers, and drops handshakes and connections that were not accepted. Accepted connections live on. */
  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    this.#isClosed = true
    for (const acceptor of this.#acceptors) acceptor.close()
    this.#admission.close()
    this.#member?.close()
    this.#newcomers.close()
    for (const conn of this.#queue.close()) conn.destroy()
    return Promise.resolve()
  }

  /**
   * Takes no more streams, and closes once whoever has been answered is accepted or gone: those dialers have a connection.
   *
   * @internal
   */
  retire(onClosed: () => void): void {
    for (const acceptor of this.#acceptors) acceptor.close()
    this.#admission.close()
    this.#newcomers.whenNone(() => {
      void this.close()
      onClosed()
    })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The listener's half of the handshake, apart for each stream. */
  async #shake(
    stream: IncomingStream,
    acceptor: Acceptor,
    tracker?: StatsTracker,
    tellRefused: () => void = nobody,
  ): Promise<void> {
    let handshake: Handshake | undefined
    const deadline = this.#clock.now() + this.#options.handshakeTimeoutMs
    const init = ({ limit: { signal } }: Handshake): ReadHelloInit => {
      return { clock: this.#clock, timeoutMs: Math.max(1, deadline - this.#clock.now()), signal }
    }
    let isCheck = false
    try {
      if (tellRefused === nobody && this.#proxies?.expectsHeader(stream) === true) {
        handshake = this.#admission.beginHeader()
        const kind = await this.#proxies.admit(stream, init(handshake))
        this.#admission.end(handshake)
        if (kind === undefined) return
        isCheck = kind === 'check'
      }
      handshake = this.#admission.begin(stream.remoteAddress)
      const { signal } = handshake.limit
      const hello = await readHello(stream, init(handshake))
      if (isZeroCid(hello.cid)) this.#open(stream, hello, acceptor, tracker)
      else if (this.#member?.isForeign(hello.cid, tellRefused) === true)
        await this.#member.handOver(stream, hello, this.#acceptors.indexOf(acceptor), signal)
      else
        await this.#admission.join({ hello, stream, deadline, signal }, (conn, onChange) =>
          this.#attach(conn, stream, hello, acceptor, tracker, onChange),
        )
    } catch (error) {
      const isCharged = this.#admission.failed(handshake, toError(error), stream)
      // A balancer that only looks whether we are there closes before its hello.
      if (!isCheck) this.#refused(toError(error), stream)
      if (isCharged) tellRefused()
    } finally {
      this.#admission.end(handshake)
    }
  }

  readonly #refused = (error: Error, stream: IncomingStream): void => {
    debug('refused a stream: %s', error)
    callForeign(() => this.emit('refused', error, stream))
  }

  #open(stream: IncomingStream, hello: Hello, acceptor: Acceptor, tracker: StatsTracker | undefined): void {
    if (this.#isClosed) throw closedError()
    this.#admission.assertRoom(this.#queue.length, this.#newcomers)
    const cid = this.#member?.newCid() ?? newCid()
    const conn = this.#newConn(cid, stream)
    this.#attach(conn, stream, { ...hello, cid }, acceptor, tracker)
    this.#newcomers.add(conn, stream, hello.head)
  }

  #attach(
    conn: MultipathConn,
    stream: IncomingStream,
    { cid, head }: Hello,
    acceptor: Acceptor,
    tracker: StatsTracker | undefined,
    onChange: () => void = ignore,
  ): Subflow {
    if (this.#isClosed) throw closedError()
    // The answer and the first frames leave together.
    stream.cork()
    stream.write(encodeHello(cid))
    const subflow = conn.attach({
      stream,
      label: acceptor.labelOf(stream),
      trackers: [tracker],
      isDialer: false,
      helloAt: this.#clock.now(),
      head,
      onChange: (change) => {
        onChange()
        if (change.reason === 'unproven') this.#admission.unproven(stream, change.error, this.#refused)
        this.#goCloses.changed(conn, subflow, change)
        const name = eventOf(change)
        if (name !== undefined) this.emit(name, change, conn)
      },
    })
    stream.uncork()
    this.#goCloses.joined(conn, subflow)
    // Whoever joins knows the CID, and so has heard the answer to the first hello.
    this.#newcomers.showedLife(conn)
    return subflow
  }

  #newConn(cid: Uint8Array, stream: IncomingStream): MultipathConn {
    const conn = new MultipathConn({
      options: this.#options,
      scheduler: this.#scheduler,
      clock: this.#clock,
      random: Math.random,
      allowance: this.#allowance,
      facts: { instance: INSTANCE },
      trace: this.#trace,
      ...this.#kind,
    })
    conn.setCid(cid)
    this.#admission.add(cid, conn, stream)
    return conn
  }
}

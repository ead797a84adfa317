/** Accepts multipath connections on several servers. Go: listener.go, NewListener. */
import { randomUUID } from 'node:crypto'
import type { Server } from 'node:net'
import { EventEmitter } from 'eventemitter3'
import type { Clock } from '../clock.js'
import { systemClock } from '../clock.js'
import type { SubflowChange, SubflowEventName } from '../conn/attach.js'
import { eventOf } from '../conn/attach.js'
import type { Hello } from '../conn/hello-io.js'
import { readHello } from '../conn/hello-io.js'
import { AcceptQueue } from '../stream/accept-queue.js'
import { callForeign } from '../stream/foreign.js'
import { MultipathConn } from '../conn/multipath-conn.js'
import type { TraceInit } from '../conn/trace-sink.js'
import { traceOf } from '../conn/trace-sink.js'
import type { ConnOptions } from '../core/options.js'
import type { Scheduler } from '../core/scheduler.js'
import { schedulerOf } from '../core/schedulers/by-name.js'
import type { StatsTracker } from '../core/tracker.js'
import { debug } from '../debug.js'
import { MultipathError, OptionError, RemoteProtocolError, toError } from '../errors.js'
import type { Resolved } from '../options.js'
import type { IncomingStream, SubflowServer } from '../transport/transport.js'
import { cidKey, encodeHello, isZeroCid } from '../wire/hello.js'
import { Entrance } from './entrance.js'
import { Handshakes } from './handshakes.js'
import type { ListenerNumbers, ListenerOptions } from './options.js'
import { resolveListenerOptions } from './options.js'

/** Events of a listener. */
export type ListenerEvents = Record<SubflowEventName, [change: SubflowChange, conn: MultipathConn]> & {
  /** A stream was closed in or before its handshake. */
  refused: [error: Error, stream: IncomingStream]
}

/**
 * Closed connections leave no trace. `close()` stops accepting connections and subflows; connections that
 * have been accepted live on, on the subflows they have.
 */
export class MultipathListener
  extends EventEmitter<ListenerEvents>
  implements AsyncIterable<MultipathConn>, AsyncDisposable
{
  readonly #entrances: readonly Entrance[]
  readonly #options: Resolved<ConnOptions & ListenerNumbers>
  readonly #allowHalfOpen: boolean
  readonly #scheduler: Scheduler
  readonly #trace: TraceInit | undefined
  readonly #clock: Clock
  readonly #conns = new Map<string, MultipathConn>()
  readonly #handshakes: Handshakes
  readonly #queue = new AcceptQueue<MultipathConn>(closedError)
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
    options?: ListenerOptions,
  ) {
    super()
    this.#options = resolveListenerOptions(options)
    assertServers(servers, trackers)
    this.#handshakes = new Handshakes(this.#options.maxPendingHandshakes)
    this.#allowHalfOpen = options?.allowHalfOpen ?? false
    this.#scheduler = schedulerOf(options?.scheduler)
    this.#trace = traceOf(options?.trace, 'listener')
    this.#clock = options?.clock ?? systemClock
    this.#entrances = servers.map((server, index) => {
      const entrance: Entrance = new Entrance(server, (stream) => {
        void this.#shake(stream, entrance, trackers[index])
      })
      return entrance
    })
  }

  /** Live connections, those not accepted yet included. */
  get connections(): number {
    return this.#conns.size
  }

  /** Handshakes under way. */
  get pendingHandshakes(): number {
    return this.#handshakes.size
  }

  /**
   * The next connection.
   *
   * @throws ERR_MULTIPATH_CLOSED once the listener is closed; the reason of `signal`
   */
  accept({ signal }: { signal?: AbortSignal } = {}): Promise<MultipathConn> {
    return this.#queue.take(signal)
  }

  /** Connections as they come, until the listener is closed. */
  async *[Symbol.asyncIterator](): AsyncGenerator<MultipathConn, void, undefined> {
    while (!this.#isClosed) {
      try {
        yield await this.accept()
      } catch (error) {
        if (error instanceof MultipathError && error.code === 'ERR_MULTIPATH_CLOSED') return
        throw error
      }
    }
  }

  /** Stops: closes the servers, drops handshakes and connections nobody accepted. Accepted ones live on. */
  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve()
    this.#isClosed = true
    for (const entrance of this.#entrances) entrance.detach()
    this.#handshakes.close()
    for (const conn of this.#queue.close()) conn.destroy()
    for (const entrance of this.#entrances) entrance.close()
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The listener's half of the handshake, apart for each stream. */
  async #shake(stream: IncomingStream, entrance: Entrance, tracker: StatsTracker | undefined): Promise<void> {
    const handshake = this.#handshakes.begin(stream.remoteAddress)
    try {
      const hello = await readHello(stream, {
        clock: this.#clock,
        timeoutMs: this.#options.handshakeTimeoutMs,
        signal: handshake.limit.signal,
      })
      this.#admit(stream, hello, entrance, tracker)
    } catch (error) {
      debug('refused a stream: %s', error)
      stream.destroy()
      callForeign(() => this.emit('refused', toError(error), stream))
    } finally {
      this.#handshakes.end(handshake)
    }
  }

  #admit(stream: IncomingStream, hello: Hello, entrance: Entrance, tracker: StatsTracker | undefined): void {
    if (this.#isClosed) throw new MultipathError('ERR_MULTIPATH_CLOSED', 'the listener is closed')
    const isNew = isZeroCid(hello.cid)
    const cid = isNew ? newCid() : hello.cid
    const conn = isNew ? this.#newConn(cid) : this.#conns.get(cidKey(cid))
    if (conn?.isJoinable !== true)
      throw new RemoteProtocolError('a hello with an unknown CID', 'ERR_MULTIPATH_UNEXPECTED_CID')
    if (conn.subflows().length >= this.#options.maxSubflows)
      throw new MultipathError('ERR_MULTIPATH_LIMIT', 'too many subflows of one connection')
    // The answer and the first frames leave together.
    stream.cork()
    stream.write(encodeHello(cid))
    conn.attach({
      stream,
      label: entrance.labelOf(stream),
      trackers: [tracker],
      isDialer: false,
      helloAt: this.#clock.now(),
      head: hello.head,
      onChange: (change) => {
        const name = eventOf(change)
        if (name !== undefined) this.emit(name, change, conn)
      },
    })
    stream.uncork()
    if (isNew) this.#queue.put(conn)
  }

  #newConn(cid: Uint8Array): MultipathConn {
    if (this.#conns.size >= this.#options.maxConnections || this.#queue.length >= this.#options.maxBacklog)
      throw new MultipathError('ERR_MULTIPATH_LIMIT', 'too many connections')
    const conn = new MultipathConn({
      options: this.#options,
      scheduler: this.#scheduler,
      clock: this.#clock,
      random: Math.random,
      allowHalfOpen: this.#allowHalfOpen,
      trace: this.#trace,
    })
    conn.setCid(cid)
    const key = cidKey(cid)
    this.#conns.set(key, conn)
    conn.onOver = () => {
      this.#conns.delete(key)
    }
    return conn
  }
}

/** A UUIDv4, as from Go, out of the system's secure random numbers: it is the key to join. */
function newCid(): Uint8Array {
  return Buffer.from(randomUUID().replaceAll('-', ''), 'hex')
}

function assertServers(servers: unknown, trackers: unknown): void {
  if (!Array.isArray(servers) || servers.length === 0)
    throw new OptionError('servers must be an array of at least one server')
  servers.forEach((server: Partial<SubflowServer> | null | undefined, index) => {
    if ([server?.on, server?.off, server?.close].some((method) => typeof method !== 'function'))
      throw new OptionError(`servers[${index}] must be a net.Server, or another SubflowServer`)
  })
  if (!Array.isArray(trackers)) throw new OptionError('trackers must be an array')
  if (trackers.length > 0 && trackers.length !== servers.length)
    throw new OptionError(`trackers must be as many as servers: ${servers.length}, got ${trackers.length}`)
}

function closedError(): MultipathError {
  return new MultipathError('ERR_MULTIPATH_CLOSED', 'the listener is closed')
}

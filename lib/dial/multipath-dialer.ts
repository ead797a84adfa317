/** Dials multipath connections over several paths. Go: dialer.go, NewDialer. */
import { EventEmitter } from 'eventemitter3'
import type { Clock } from '../clock.js'
import { systemClock } from '../clock.js'
import type { SubflowChange, SubflowEventName } from '../conn/attach.js'
import { eventOf } from '../conn/attach.js'
import { MultipathConn } from '../conn/multipath-conn.js'
import type { PathStats } from '../conn/path-stats.js'
import { formatPathStats } from '../conn/path-stats.js'
import type { TraceInit } from '../conn/trace-sink.js'
import { traceOf } from '../conn/trace-sink.js'
import type { ConnOptions } from '../core/options.js'
import type { PathPolicy } from '../core/path.js'
import type { Scheduler } from '../core/scheduler.js'
import { schedulerOf } from '../core/schedulers/by-name.js'
import { MultipathError, OptionError, toError } from '../errors.js'
import type { Resolved } from '../options.js'
import type { SubflowDialer } from '../transport/transport.js'
import { DialPath, discard, discardLater } from './dial-path.js'
import { Farewell } from './farewell.js'
import type { FirstSubflow } from './first-subflow.js'
import { findFirstSubflow } from './first-subflow.js'
import type { DialerNumbers, DialerOptions } from './options.js'
import { resolveDialerOptions } from './options.js'
import type { PathKeeperInit } from './path-keeper.js'
import { PathKeeper } from './path-keeper.js'

/** A path could not be dialled; `waitMs` until the next attempt, `undefined`: given up. */
export interface PathFailureEvent {
  readonly label: string
  readonly error: Error
  readonly waitMs: number | undefined
}

/** Events of a dialer, over all its connections. */
export type DialerEvents = Record<SubflowEventName, [change: SubflowChange, conn: MultipathConn]> & {
  'path-failure': [failure: PathFailureEvent, conn: MultipathConn]
}

export class MultipathDialer extends EventEmitter<DialerEvents> implements SubflowDialer {
  readonly label: string
  readonly #destination: string
  readonly #paths: readonly DialPath[]
  readonly #options: Resolved<ConnOptions & DialerNumbers>
  readonly #allowHalfOpen: boolean
  readonly #scheduler: Scheduler
  readonly #trace: TraceInit | undefined
  readonly #clock: Clock

  /**
   * @param destination - a name for labels and errors
   * @param dialers - one for each path
   * @throws {OptionError} ERR_MULTIPATH_OPTION
   */
  constructor(destination: string, dialers: readonly SubflowDialer[], options?: DialerOptions) {
    super()
    this.#options = resolveDialerOptions(options)
    assertDialers(dialers)
    this.#allowHalfOpen = options?.allowHalfOpen ?? false
    this.#scheduler = schedulerOf(options?.scheduler)
    this.#trace = traceOf(options?.trace, 'dialer')
    this.#clock = options?.clock ?? systemClock
    this.#destination = destination
    this.#paths = dialers.map((dialer) => new DialPath(dialer, this.#clock, this.#options.handshakeTimeoutMs))
    this.label = `multipath dialer to ${destination} with ${dialers.length} paths`
  }

  /**
   * Opens a connection. It is there with its first subflow; the others join, and lost ones are redialled,
   * for as long as it lives.
   *
   * @param options - `signal` ends the attempt, not the connection that has been opened
   * @throws {DialError} ERR_MULTIPATH_FAIL_ON_ALL_DIALERS with the cause of each path; the reason of `signal`
   */
  async dial({ signal }: { signal?: AbortSignal } = {}): Promise<MultipathConn> {
    const conn = this.prepare()
    try {
      await this.establish(conn, signal)
    } catch (error) {
      conn.destroy()
      throw error
    }
    return conn
  }

  /** A connection that has no subflow yet; what is written to it waits. For `connect`. */
  prepare(): MultipathConn {
    return new MultipathConn({
      options: this.#options,
      scheduler: this.#scheduler,
      clock: this.#clock,
      random: Math.random,
      allowHalfOpen: this.#allowHalfOpen,
      trace: this.#trace,
    })
  }

  /** Gives a prepared connection its subflows. Rejects as `dial` does. */
  async establish(conn: MultipathConn, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const life = new AbortController()
    const signalOnAbort = (): void => {
      life.abort(toError(signal?.reason))
    }
    signal?.addEventListener('abort', signalOnAbort, { once: true })
    conn.onOver = () => {
      life.abort(CLOSED)
    }
    try {
      const first = await findFirstSubflow({
        destination: this.#destination,
        paths: this.#sorted(),
        clock: this.#clock,
        headStartMs: this.#options.headStartMs,
        handshakeTimeoutMs: this.#options.handshakeTimeoutMs,
        signal: life.signal,
      })
      if (life.signal.aborted) {
        discard(first.stream)
        for (const opening of first.openings.values()) discardLater(opening)
        life.signal.throwIfAborted()
      }
      this.#keep(conn, first, life.signal)
    } catch (error) {
      life.abort(error)
      throw error
    } finally {
      signal?.removeEventListener('abort', signalOnAbort)
    }
  }

  /** Counters of each path over all connections, the first tier and in it the lowest RTT first. */
  stats(): PathStats[] {
    return this.#sorted().map((path) => path.record.stats())
  }

  /** The same as text, a line for each path, in the columns of Go's FormatStats. */
  formatStats(): string[] {
    return this.stats().map(formatPathStats)
  }

  /**
   * Changes the policy of the path called `label` for all connections, those to come included.
   *
   * @throws {OptionError} for an unknown label, or a value out of range
   */
  setPathPolicy(label: string, policy: PathPolicy): void {
    const paths = this.#paths.filter((path) => path.label === label)
    if (paths.length === 0) throw new OptionError(`no path is called ${JSON.stringify(label)}`)
    for (const path of paths) path.policy.set(policy)
  }

  #sorted(): DialPath[] {
    return [...this.#paths].sort(
      (a, b) => a.policy.rank - b.policy.rank || a.record.orderMs - b.record.orderMs,
    )
  }

  #keep(conn: MultipathConn, first: FirstSubflow, signal: AbortSignal): void {
    const { stream, hello, openings } = first
    conn.setCid(hello.cid)
    const farewell = new Farewell(this.#clock, signal, (subflow) => {
      conn.closeSubflow(subflow, 'ended')
    })
    const shared = { conn, cid: hello.cid, signal, farewell }
    this.#keeper(first.path, shared).adopt(stream, hello)
    for (const path of this.#sorted()) {
      if (path !== first.path) this.#keeper(path, shared).join(openings.get(path))
    }
  }

  #keeper(path: DialPath, shared: Pick<PathKeeperInit, 'conn' | 'cid' | 'signal' | 'farewell'>): PathKeeper {
    const { conn } = shared
    return new PathKeeper({
      ...shared,
      path,
      policy: { clock: this.#clock, random: Math.random, ...this.#options },
      handshakeTimeoutMs: this.#options.handshakeTimeoutMs,
      onChange: (_path, change) => {
        const name = eventOf(change)
        if (name !== undefined) this.emit(name, change, conn)
      },
      onFailure: ({ label }, error, waitMs) => {
        this.emit('path-failure', { label, error, waitMs }, conn)
      },
    })
  }
}

function assertDialers(dialers: unknown): void {
  if (!Array.isArray(dialers) || dialers.length === 0)
    throw new OptionError('dialers must be an array of at least one SubflowDialer')
  dialers.forEach((dialer: Partial<SubflowDialer> | null | undefined, index) => {
    if (typeof dialer?.dial !== 'function' || typeof dialer.label !== 'string')
      throw new OptionError(`dialers[${index}] must be a SubflowDialer with a label and dial()`)
  })
}

const CLOSED = new MultipathError('ERR_MULTIPATH_CLOSED', 'the connection is closed')

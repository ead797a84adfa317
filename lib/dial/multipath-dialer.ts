// SPDX-License-Identifier: Apache-2.0
/** Dials multipath connections over several paths. Go: dialer.go, NewDialer. */
import { tracingChannel } from 'node:diagnostics_channel'
import { setMaxListeners } from 'node:events'
import type { Clock } from '../clock.js'
import type { SubflowChange, SubflowEventName } from '../conn/attach.js'
import { eventOf } from '../conn/attach.js'
import type { ConnInit } from '../conn/multipath-conn.js'
import { MultipathConn } from '../conn/multipath-conn.js'
import type { PathStats } from '../conn/path-stats.js'
import { formatPathStats } from '../conn/path-stats.js'
import type { ConnOptions } from '../core/options.js'
import type { PathPolicy } from '../core/path.js'
import { MultipathError, OptionError, toError } from '../errors.js'
import type { Resolved } from '../options.js'
import { checkSignal } from '../options.js'
import type { PathSource } from '../transport/path-source.js'
import { callForeign } from '../stream/foreign.js'
import { Emitter } from '../stream/emitter.js'
import type { SubflowDialer } from '../transport/transport.js'
import { checkDialer } from '../transport/transport.js'
import { discard } from '../ignore.js'
import { DialPath, discardLater } from './dial-path.js'
import { DialedConn } from './dialed-conn.js'
import { findFirstSubflow } from './first-subflow.js'
import { KnownPaths } from './known-paths.js'
import type { DialerNumbers, DialerOptions } from './options.js'
import { connInit, resolveDialerOptions } from './options.js'
import { SuspendedConns } from './suspended-conns.js'

/** Its messages are of `DialMessage` (diagnostics.ts). */
const DIAL = tracingChannel<unknown, object>('multipath:dial')

/** A path could not be dialled. */
export interface PathFailureEvent {
  /** Label of the path. */
  readonly label: string
  /** Why the attempt failed. */
  readonly error: Error
  /** Time until the next attempt, milliseconds; `undefined` while `isDialing`, and for a path that is given up. */
  readonly waitMs: number | undefined
  /**
   * Whether the connection has no path yet. Once another path is up, the failure is reported again with the time until the
   * next attempt. If every path fails, `dial` rejects.
   */
  readonly isDialing: boolean
}

/** Events of a dialer, over all its connections. */
export type DialerEvents = Record<SubflowEventName, [change: SubflowChange, conn: MultipathConn]> & {
  /** An attempt to open a subflow has failed. */
  'path-failure': [failure: PathFailureEvent, conn: MultipathConn]
}

export class MultipathDialer extends Emitter<DialerEvents> implements SubflowDialer {
  readonly #destination: string
  readonly #paths: KnownPaths
  readonly #options: Resolved<ConnOptions & DialerNumbers>
  readonly #connInit: ConnInit
  readonly #clock: Clock
  readonly #suspended: SuspendedConns

  /**
   * @param destination - a name for labels and errors
   * @param paths - a dialer for each path, or a source that tells which paths there are
   * @throws {OptionError} ERR_MULTIPATH_OPTION
   */
  constructor(destination: string, paths: readonly SubflowDialer[] | PathSource, options?: DialerOptions) {
    super()
    this.#options = resolveDialerOptions(options)
    checkDestination(destination)
    if (!isSource(paths)) checkDialers(paths)
    this.#connInit = connInit(options)
    this.#clock = this.#connInit.clock
    this.#suspended = new SuspendedConns(this.#clock)
    this.#destination = destination
    this.#paths = new KnownPaths(
      (dialer) => new DialPath(dialer, this.#clock, this.#options.handshakeTimeoutMs),
      isSource(paths) ? [paths] : [],
    )
    if (!isSource(paths)) for (const dialer of paths) this.#paths.add(dialer)
  }

  get label(): string {
    return `multipath dialer to ${this.#destination} with ${this.#paths.all.length} paths`
  }

  /**
   * Adds a path, which joins every live connection at once and takes part in later dials. The paths of a source do so when
   * the source reports them, until it withdraws them.
   *
   * @throws {OptionError} for a label in use, and unless `path` is a SubflowDialer or a PathSource
   */
  add(path: SubflowDialer | PathSource): void {
    if (isSource(path)) {
      this.#paths.addSource(path)
      return
    }
    checkDialer(path, 'path')
    if (this.#paths.labelled(path.label).length > 0)
      throw new OptionError(`a path with the label ${JSON.stringify(path.label)} exists already`)
    this.#paths.add(path)
  }

  /**
   * Removes the path called `label`. It is not dialled again, and its subflows close with the reason `removed`, without
   * losing a byte. The last subflow of a connection stays until another path is up.
   *
   * @returns whether there was such a path
   */
  remove(label: string): boolean {
    return this.#paths.remove(label)
  }

  /**
   * Opens a connection. It resolves with the first subflow. The other paths join later, and lost ones are redialled while
   * the connection lives. If a source has not reported a path yet, the dial waits for the first one, up to
   * `handshakeTimeoutMs`.
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

  /** A connection that has no subflow yet; what is written to it waits. For `connect`. @internal */
  prepare(): MultipathConn {
    return new MultipathConn(this.#connInit)
  }

  /** Gives a prepared connection its subflows. Rejects as `dial` does. @internal */
  establish(conn: MultipathConn, signal?: AbortSignal): Promise<void> {
    const establish = (): Promise<void> => this.#establish(conn, signal)
    return DIAL.hasSubscribers ? DIAL.tracePromise(establish, { dialer: this, conn }) : establish()
  }

  async #establish(conn: MultipathConn, signal: AbortSignal | undefined): Promise<void> {
    checkSignal(signal)
    signal?.throwIfAborted()
    const life = new AbortController()
    // Every path listens to it, however many there are; Node 20 warns of more than ten.
    setMaxListeners(0, life.signal)
    const signalOnAbort = (): void => {
      life.abort(toError(signal?.reason))
    }
    signal?.addEventListener('abort', signalOnAbort, { once: true })
    conn.onOver = () => {
      life.abort(CLOSED)
    }
    const dialed = this.#dialed(conn, life.signal)
    try {
      const first = await findFirstSubflow({
        destination: this.#destination,
        paths: this.#paths,
        clock: this.#clock,
        headStartMs: this.#options.headStartMs,
        handshakeTimeoutMs: this.#options.handshakeTimeoutMs,
        refs: conn.refs,
        signal: life.signal,
        onFailure: ({ label }, error) => {
          callForeign(() =>
            this.emit('path-failure', { label, error, waitMs: undefined, isDialing: true }, conn),
          )
        },
      })
      if (life.signal.aborted) {
        discard(first.stream)
        for (const opening of first.openings.values()) discardLater(opening)
        life.signal.throwIfAborted()
      }
      dialed.begin(first)
    } catch (error) {
      life.abort(error)
      throw error
    } finally {
      signal?.removeEventListener('abort', signalOnAbort)
    }
  }

  /** Counters of each path over all connections, sorted by tier and RTT. */
  stats(): PathStats[] {
    return this.#paths.sorted().map((path) => path.record.stats())
  }

  /** The same as text, a line for each path, in the columns of Go's FormatStats. */
  formatStats(): string[] {
    return this.stats().map(formatPathStats)
  }

  /**
   * Changes the policy of the path called `label` for all connections, including later ones.
   *
   * @throws {OptionError} for an unknown label, or a value out of range
   */
  setPathPolicy(label: string, policy: PathPolicy): void {
    for (const path of this.#labelled(label)) path.policy.set(policy)
  }

  /**
   * Stops sending data on the path called `label`, for all connections, until `resumePath`: see `MultipathConn.pausePath`.
   *
   * @throws {OptionError} for an unknown label
   */
  pausePath(label: string): void {
    for (const { policy } of this.#labelled(label)) policy.isPaused = true
  }

  /**
   * Sends data on the path again.
   *
   * @throws {OptionError} for an unknown label
   */
  resumePath(label: string): void {
    for (const { policy } of this.#labelled(label)) policy.isPaused = false
  }

  #labelled(label: string): readonly DialPath[] {
    const paths = this.#paths.labelled(label)
    if (paths.length === 0) throw new OptionError(`no path is called ${JSON.stringify(label)}`)
    return paths
  }

  #dialed(conn: MultipathConn, signal: AbortSignal): DialedConn {
    return new DialedConn({
      conn,
      signal,
      paths: this.#paths,
      clock: this.#clock,
      suspended: this.#suspended,
      options: this.#options,
      onChange: (change) => {
        const name = eventOf(change)
        if (name !== undefined) this.emit(name, change, conn)
      },
      onFailure: (label, error, waitMs) => {
        this.emit('path-failure', { label, error, waitMs, isDialing: false }, conn)
      },
    })
  }
}

function isSource(paths: SubflowDialer | readonly SubflowDialer[] | PathSource): paths is PathSource {
  const { watch, check } = ((paths as unknown) ?? {}) as Partial<PathSource>
  return typeof watch === 'function' && typeof check === 'function'
}

function checkDestination(destination: unknown): void {
  if (typeof destination !== 'string')
    throw new OptionError(
      'destination, the first argument, must be a string: a name of the peer for labels and errors',
    )
}

function checkDialers(paths: unknown): void {
  if (!Array.isArray(paths) || paths.length === 0)
    throw new OptionError('paths must be an array of at least one SubflowDialer, or a PathSource')
  paths.forEach((path, index) => checkDialer(path, `paths[${index}]`))
}

const CLOSED = new MultipathError('ERR_MULTIPATH_CLOSED', 'the connection is closed')

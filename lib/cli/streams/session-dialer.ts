// SPDX-License-Identifier: Apache-2.0
/** Opens sessions with `multipath serve`; each call dials anew. */
import { setMaxListeners } from 'node:events'
import type {
  ConnOptions,
  MultipathConn,
  PathFailureEvent,
  PathSource,
  SchedulerName,
  SubflowDialer,
} from '../../index.js'
import { DialError, MultipathDialer } from '../../index.js'
import { MuxSession } from '../../mux/index.js'
import { ignore } from '../../ignore.js'
import type { Cap } from '../caps/cap-book.js'
import { CapKeeper } from '../caps/cap-keeper.js'
import { CliError } from '../cli-error.js'
import { explainDial } from '../explain.js'
import { FaultFinder } from '../live/fault-finder.js'
import type { Summary } from '../live/live-session.js'
import { LiveSession } from '../live/live-session.js'
import type { Registry } from '../live/registry.js'
import { Repeats } from '../live/repeats.js'
import { plain } from '../live/watch-conn.js'
import { FlowHub } from '../udp/flow-hub.js'
import { reportFailures, reportSubflows } from '../report-subflows.js'
import { greetAsClient, isAuthError, tokenError } from './greet.js'
import type { Log } from './log.js'
import type { PathPlace } from './path-place.js'
import { parsePathPlace } from './path-place.js'
import { changePaths } from './path-changes.js'
import type { PathEntry, SessionPaths } from './session-paths.js'

export interface SessionDialerInit {
  readonly destination: string
  readonly plan: SessionPaths
  readonly token: Buffer | undefined
  /** Streams of the other end. */
  readonly maxStreams: number
  readonly registry: Registry
  readonly tuning: ConnOptions
  readonly peerScheduler: SchedulerName | undefined
  /** Further paths on which each packet of UDP leaves at once. */
  readonly copies: number
  /** Where it is remembered what capped paths have spent. */
  readonly capFile: string
  readonly log: Log
}

/** For the greeting. */
const GREETING_MS = 10_000
/** To open a path, and again for its handshake: a stranger is known as such within ten seconds. */
const HANDSHAKE_MS = 6000

interface Live {
  readonly session: LiveSession
  /** Aborted when its connection closes. */
  readonly signal: AbortSignal
}

export class SessionDialer {
  readonly dialer: MultipathDialer
  readonly #init: SessionDialerInit
  readonly #faults: FaultFinder
  readonly #lives = new WeakMap<MultipathConn, Live>()
  readonly #summaries = new WeakMap<MuxSession, LiveSession>()
  readonly #hubs = new WeakMap<MuxSession, FlowHub>()
  #caps: CapKeeper | undefined
  /** Connections that are open. */
  readonly #conns = new Set<MultipathConn>()
  readonly #told = new Map<string, Repeats>()
  #entries: readonly PathEntry[]

  constructor(init: SessionDialerInit) {
    const { destination, plan, log } = init
    this.#init = init
    this.#faults = new FaultFinder(plan.book)
    this.#entries = plan.entries
    const [paths, ...sources] = startingPaths(plan.entries)
    this.dialer = new MultipathDialer(destination, paths, {
      ...init.tuning,
      peer: 'ours',
      secret: init.token,
      peerScheduler: init.peerScheduler,
      handshakeTimeoutMs: HANDSHAKE_MS,
    })
    for (const source of sources) this.dialer.add(source)
    const report = (label: string, message: string): void => log.detail('subflow', message, { label })
    reportSubflows(this.dialer, report)
    reportFailures(this.dialer, report)
    this.dialer.on('path-failure', (failure, conn) => this.#failed(failure, conn))
  }

  /** @throws {Error} for what is no path */
  readonly pathsOf = (text: string): readonly SubflowDialer[] | PathSource => {
    const place = parsePathPlace(text)
    if (place.period !== undefined) this.#keepCaps()
    return this.#init.plan.pathsOf(place)
  }

  /**
   * Takes over the paths and the options of TLS of another plan. Paths that both have stay as they are, and use these options
   * when they are dialled the next time.
   *
   * @returns options that cannot be taken over
   */
  change({ entries, dialers }: SessionPaths): string[] {
    if (!this.#init.plan.dialers.renew(dialers)) return ['tls']
    const places = entries.flatMap(({ place }) => place ?? [])
    const known = this.#entries.flatMap(({ place }) => place ?? [])
    // Of --all-interfaces: one source leads to all.
    if (places.length === 0 || known.length === 0) return []
    if (!isSameCaps(known, places)) return ['to']
    this.#entries = changePaths(this.dialer, this.#entries, places, this.#init.plan.dialers.dial)
    return []
  }

  /** @throws {CliError}; the reason of `signal` */
  readonly open = async (signal: AbortSignal): Promise<MuxSession> => {
    const { plan, token, maxStreams, registry, log } = this.#init
    let conn: MultipathConn | undefined
    try {
      conn = await this.dialer.dial({ signal })
      conn.on('error', ignore)
      if (plan.isCapped) this.#keepCaps()
      this.#opened(conn)
      const live = new LiveSession({ conn, log, endsOf: (label) => plan.book.endsOf(label) })
      const life = new AbortController()
      conn.once('close', () => life.abort())
      // Each failure that is looked into listens to it.
      setMaxListeners(0, life.signal)
      this.#lives.set(conn, { session: live, signal: life.signal })
      await greetAsClient(conn, token, { timeoutMs: GREETING_MS, signal })
      registry.add(live).open('connected to serve')
      const session = new MuxSession(conn, { role: 'client', maxStreams, allowHalfOpen: true })
      this.#summaries.set(session, live)
      return session
    } catch (error) {
      conn?.destroy()
      if (error instanceof DialError) throw await this.#explained(error, signal)
      if (error instanceof CliError || signal.aborted) throw error
      if (isAuthError(error)) throw tokenError('the other end', token)
      throw new CliError(`the server did not complete the greeting: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }

  /** The flows of a session that was opened here. */
  readonly hubOf = (session: MuxSession): FlowHub => {
    const hub = this.#hubs.get(session) ?? new FlowHub(this.#summaries.get(session)!.conn, this.#init.copies)
    this.#hubs.set(session, hub)
    return hub
  }

  /** What a session that was opened here came to. */
  readonly summaryOf = (session: MuxSession): Summary | undefined => this.#summaries.get(session)?.summary()

  #opened(conn: MultipathConn): void {
    this.#conns.add(conn)
    conn.once('close', () => this.#conns.delete(conn))
    this.#caps?.follow(conn)
  }

  /** Some path has a cap of a day or a month, or will: an interface may be there later. @throws {CliError} */
  #keepCaps(): void {
    if (this.#caps !== undefined) return
    const { plan, capFile: file, log } = this.#init
    const capOf = (label: string): Cap | undefined => plan.book.get(label)?.cap
    const repeats = new Repeats()
    const warn = (message: string): void => {
      if (repeats.isNews(message, performance.now())) log.warn('cap-failed', message)
    }
    try {
      this.#caps = new CapKeeper({ file, dialer: this.dialer, capOf, warn })
    } catch (error) {
      throw new CliError(`it is not known what capped paths have spent: ${(error as Error).message}`, {
        hint: `correct or remove ${file}`,
      })
    }
    for (const conn of this.#conns) this.#caps.follow(conn)
  }

  async #explained(error: DialError, signal: AbortSignal): Promise<CliError> {
    const faults = await Promise.all(
      error.failures.map(({ label, error: why }) => this.#faults.find(label, why, signal)),
    )
    const hint = faults.find((fault) => fault !== undefined)?.hint
    const reasons = faults.map((fault) => fault?.reason)
    return explainDial(error, hint ?? 'check that `multipath serve` is running there', reasons)
  }

  #failed({ label, error, waitMs }: PathFailureEvent, conn: MultipathConn): void {
    const live = this.#lives.get(conn)
    if (live === undefined) return
    live.session.watch.failed(label, plain(error), waitMs)
    void this.#faults.find(label, error, live.signal).then((fault) => {
      if (fault === undefined || live.signal.aborted) return
      const repeats = this.#told.get(label) ?? new Repeats()
      this.#told.set(label, repeats)
      if (!repeats.isNews(fault.reason, performance.now())) return
      this.#init.log.warn('fault', `${label}: ${fault.reason} (${fault.hint})`, { label, ...fault })
    })
  }
}

/** Those that are always there first, if any; then sources. */
function startingPaths(
  entries: readonly PathEntry[],
): [readonly SubflowDialer[] | PathSource, ...PathSource[]] {
  const fixed = entries.flatMap(({ paths }) => ('watch' in paths ? [] : paths))
  const sources = entries.flatMap(({ paths }) => ('watch' in paths ? [paths] : []))
  const [first, ...others] = sources
  return fixed.length > 0 || first === undefined ? [fixed, ...sources] : [first, ...others]
}

/** Caps of a day or a month are counted from the start of the command. */
function isSameCaps(known: readonly PathPlace[], places: readonly PathPlace[]): boolean {
  const capsOf = (all: readonly PathPlace[]): string =>
    JSON.stringify(
      all
        .filter(({ period }) => period !== undefined)
        .map((place) => JSON.stringify(place))
        .sort(),
    )
  return capsOf(known) === capsOf(places)
}

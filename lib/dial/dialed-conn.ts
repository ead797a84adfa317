// SPDX-License-Identifier: Apache-2.0
/** One connection of a dialer: a keeper for each of its paths, as they come and go. */
import type { Clock } from '../clock.js'
import type { SubflowChange } from '../conn/attach.js'
import type { MultipathConn } from '../conn/multipath-conn.js'
import { isWorthRedialling } from '../core/health.js'
import type { ConnOptions } from '../core/options.js'
import type { Resolved } from '../options.js'
import type { DialPath } from './dial-path.js'
import { discardLater } from './dial-path.js'
import { PeerCloseDetector } from '../conn/peer-close-detector.js'
import type { FirstSubflow } from './first-subflow.js'
import type { KnownPaths, PathsUser } from './known-paths.js'
import type { DialerNumbers } from './options.js'
import { LastHope } from './last-hope.js'
import { LastWords } from './last-words.js'
import { PathKeeper } from './path-keeper.js'
import { Semaphore } from './semaphore.js'
import type { SuspendedConns } from './suspended-conns.js'

export interface DialedConnInit {
  readonly conn: MultipathConn
  readonly paths: KnownPaths
  readonly clock: Clock
  /** Of the same dialer. */
  readonly suspended: SuspendedConns
  readonly options: Resolved<ConnOptions & DialerNumbers>
  /** Aborted when the connection is over. */
  readonly signal: AbortSignal
  readonly onChange: (change: SubflowChange) => void
  /** A path could not be dialled; the next attempt is due in `waitMs`, or never. */
  readonly onFailure: (label: string, error: Error, waitMs: number | undefined) => void
}

/** From one look for paths to the next, milliseconds, while none is up. */
const LOOK_MS = 500

export class DialedConn implements PathsUser {
  readonly #init: DialedConnInit
  readonly #slots: Semaphore
  readonly #peerClose: PeerCloseDetector
  readonly #hope: LastHope
  readonly #lastWords: LastWords
  readonly #keepers = new Map<DialPath, PathKeeper>()
  /** Set with the first subflow. */
  #cid: Uint8Array | undefined
  #isLooking = false

  constructor(init: DialedConnInit) {
    const { conn, clock, signal, paths, suspended } = init
    this.#init = init
    this.#slots = new Semaphore(init.options.maxSubflows)
    this.#peerClose = new PeerCloseDetector(clock, signal, (subflow) => {
      conn.closeSubflow(subflow, 'ended')
    })
    this.#hope = new LastHope(clock, Math.random, () => conn.subflows().map(({ state }) => state), suspended)
    this.#lastWords = new LastWords(conn, clock)
    conn.onParallel = ({ path, count, by }) => {
      for (const keeper of this.#keepers.values()) if (keeper.path.policy === path) keeper.want(by, count)
    }
    conn.suspension.onChange = (isSuspended) => {
      if (isSuspended) suspended.add(this.#hope.hurry)
      else suspended.delete(this.#hope.hurry, conn.isJoinable)
      this.#hope.suspensionChanged(isSuspended)
      if (!isSuspended) return
      if (!this.#isLooking) this.#look()
      this.#endHoldIfHopeless()
    }
    const release = paths.use(this)
    signal.addEventListener('abort', release, { once: true })
    for (const path of paths.all) conn.addPath(path.policy, path.label)
  }

  /** The connection stands: every known path joins. */
  begin({ path: firstPath, stream, hello, openings }: FirstSubflow): void {
    const { conn, paths } = this.#init
    this.#cid = hello.cid
    conn.setCid(hello.cid)
    const isKnown = paths.all.includes(firstPath)
    conn.addPath(firstPath.policy, firstPath.label)
    const first = this.#keeper(firstPath, hello.cid)
    first.adopt(stream, hello, this.#slots.tryTake()!)
    for (const path of paths.sorted())
      if (path !== firstPath) this.#keeper(path, hello.cid).join(openings.get(path))
    for (const [path, opening] of openings) if (!this.#keepers.has(path)) discardLater(opening)
    if (!isKnown) first.remove()
    conn.established()
  }

  added(path: DialPath): void {
    const { conn } = this.#init
    conn.addPath(path.policy, path.label)
    if (this.#cid !== undefined) this.#keeper(path, this.#cid).join(undefined)
  }

  removed(path: DialPath): void {
    const keeper = this.#keepers.get(path)
    if (keeper === undefined) this.#init.conn.removePath(path.policy)
    else keeper.remove()
  }

  /** The source of the paths looks now, and again and again while no subflow is up: a link that returns is to be found soon. */
  #look(): void {
    const { clock, paths, signal } = this.#init
    paths.check()
    const isNeeded = (): boolean => this.#hope.upCount === 0 && !signal.aborted
    if (this.#isLooking || !isNeeded()) return
    this.#isLooking = true
    clock.callAt(clock.now() + LOOK_MS, () => {
      this.#isLooking = false
      if (isNeeded()) this.#look()
    })
  }

  /** Paths may still come of themselves, or were removed to make room for others: then the connection is held on. */
  #endHoldIfHopeless(): void {
    const { conn, paths } = this.#init
    const keepers = [...this.#keepers.values()]
    if (!conn.isSuspended || paths.mayGrow || keepers.length === 0) return
    // Its own subflow may be about to go: not from inside the connection's work.
    if (keepers.every(({ isGivenUp }) => isGivenUp))
      process.nextTick(() => conn.endHold('every path has been given up'))
  }

  #keeper(path: DialPath, cid: Uint8Array): PathKeeper {
    const { conn, clock, options, signal, onChange, onFailure, paths } = this.#init
    const keeper = new PathKeeper({
      path,
      conn,
      cid,
      signal,
      peerClose: this.#peerClose,
      hope: this.#hope,
      lastWords: this.#lastWords,
      slots: this.#slots,
      policy: { clock, random: Math.random, ...options },
      handshakeTimeoutMs: options.handshakeTimeoutMs,
      onChange: (_path, change) => {
        const { state, reason = 'closed' } = change
        if (state === 'suspect' || (state === 'closed' && isWorthRedialling(reason))) this.#look()
        this.#hope.changed(change)
        onChange(change)
      },
      onFailure: ({ label }, error, waitMs) => {
        paths.failed(path)
        onFailure(label, error, waitMs)
      },
      onGivenUp: () => {
        this.#endHoldIfHopeless()
      },
      onGone: () => {
        // The same path may be back, with another keeper.
        if (this.#keepers.get(path) !== keeper) return
        this.#keepers.delete(path)
        conn.removePath(path.policy)
      },
    })
    this.#keepers.set(path, keeper)
    return keeper
  }
}

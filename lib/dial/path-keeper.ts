// SPDX-License-Identifier: Apache-2.0
/** Keeps one path of one connection in use: joins, watches, opens a standby subflow beside a suspect, redials, and lets it go. */
import type { Duplex } from 'node:stream'
import type { Millis } from '../clock.js'
import type { SubflowChange } from '../conn/attach.js'
import { callForeign } from '../stream/foreign.js'
import type { MultipathConn } from '../conn/multipath-conn.js'
import type { Introduction } from '../wire/settings.js'
import type { CloseReason } from '../core/health.js'
import { isWorthRedialling } from '../core/health.js'
import type { Subflow } from '../core/subflow.js'
import { MultipathError } from '../errors.js'
import type { DialPath } from './dial-path.js'
import { discard } from '../ignore.js'
import { discardLater } from './dial-path.js'
import type { PeerCloseDetector } from './peer-close-detector.js'
import type { LastHope } from './last-hope.js'
import type { LastWords } from './last-words.js'
import { openWhenWanted } from './open-when-wanted.js'
import type { Release, Semaphore } from './semaphore.js'
import type { ClientHello } from './hello-client.js'
import { sayHello } from './hello-client.js'
import type { RedialPolicy } from './redial.js'
import { backoffMs, redial } from './redial.js'
import { FirstAnswer, openStandby, StandbyPace } from './standby.js'

export interface PathKeeperInit {
  readonly path: DialPath
  readonly conn: MultipathConn
  readonly cid: Uint8Array
  readonly policy: RedialPolicy
  readonly handshakeTimeoutMs: number
  /** Shared by all paths of the connection. */
  readonly peerClose: PeerCloseDetector
  /** Shared, too. */
  readonly hope: LastHope
  readonly lastWords: LastWords
  /** As many as the connection may have subflows; shared, too. */
  readonly slots: Semaphore
  /** Aborted when the connection is over. */
  readonly signal: AbortSignal
  readonly onChange: (path: DialPath, change: SubflowChange) => void
  /** A redial failed; the next is due in `waitMs`, or never. */
  readonly onFailure: (path: DialPath, error: Error, waitMs: number | undefined) => void
  /** It was removed, and has no subflow left. */
  readonly onGone: (keeper: PathKeeper) => void
  /** It is dialled no more, and is still a path of the dialer. */
  readonly onGivenUp: () => void
}

/** A subflow that lived so long, milliseconds, was no failure: the path is redialled without waiting. */
const STABLE_MS = 10_000

export class PathKeeper {
  readonly #init: PathKeeperInit
  /** The path's subflow, and a standby subflow beside it while the first is suspect. */
  readonly #live = new Map<Subflow, Release>()
  /** Aborted with the connection, or when the path is removed. */
  readonly #use = new AbortController()
  /** Hellos under way. */
  #joining = 0
  #isRemoved = false
  #openedAt: Millis = 0
  #lastReason: CloseReason = 'closed'
  #rttMs: number | undefined
  #isGivenUp = false
  /** Set while a standby subflow is looked for; aborting it works until the standby's hello has been said. */
  #search: AbortController | undefined
  readonly #pace = new StandbyPace()
  #wake: () => void = () => {}

  constructor(init: PathKeeperInit) {
    this.#init = init
    const { signal } = init
    const signalOnAbort = (): void => {
      this.#use.abort(signal.reason)
    }
    if (signal.aborted) signalOnAbort()
    signal.addEventListener('abort', signalOnAbort, { once: true })
    this.#use.signal.addEventListener('abort', () => {
      signal.removeEventListener('abort', signalOnAbort)
    })
  }

  get path(): DialPath {
    return this.#init.path
  }

  /** It is dialled no more for this connection, but was not removed. */
  get isGivenUp(): boolean {
    return this.#isGivenUp
  }

  /** Starts with a stream whose hello is done. */
  adopt(stream: Duplex, hello: ClientHello, slot: Release): void {
    this.#attach(stream, hello, slot)
    void this.#run(undefined)
  }

  /** Starts by joining, over a stream that may be opening already. */
  join(opening: Promise<Duplex> | undefined): void {
    if (this.#use.signal.aborted) discardLater(opening)
    else void this.#run(opening)
  }

  /** Dials no more. Its subflows end in order, once another path carries the connection. */
  remove(): void {
    this.#isRemoved = true
    this.#use.abort(REMOVED)
    this.#search?.abort(REMOVED)
    for (const subflow of this.#live.keys()) this.#init.conn.retireSubflow(subflow)
    this.#review()
  }

  async #run(opening: Promise<Duplex> | undefined): Promise<void> {
    const { policy, path } = this.#init
    const { signal } = this.#use
    let failures = 0
    let stream = opening
    try {
      for (;;) {
        if (this.#live.size === 0) await this.#redial(stream)
        stream = undefined
        await this.#gone()
        signal.throwIfAborted()
        if (!isWorthRedialling(this.#lastReason)) {
          this.#giveUp()
          return
        }
        const livedMs = policy.clock.now() - this.#openedAt
        failures = livedMs >= STABLE_MS ? 0 : failures + 1
        if (failures > 0) await this.#backOff(failures, livedMs)
      }
    } catch (error) {
      if (signal.aborted) return
      this.#giveUp()
      this.#tellFailure(path, error as Error, undefined)
    }
  }

  #giveUp(): void {
    this.#isGivenUp = true
    this.#init.onGivenUp()
  }

  /** Not for the last hope, unless its subflow was lost as soon as it was there. */
  async #backOff(failures: number, livedMs: number): Promise<void> {
    const { policy, hope } = this.#init
    if (hope.isOn && livedMs >= policy.redialMinMs) return
    const waitMs = hope.hold.waitMs(backoffMs(policy, failures))
    await hope.wait(waitMs, backoffMs(policy, 1), this.#use.signal)
  }

  #tellFailure(path: DialPath, error: Error, waitMs: number | undefined): void {
    callForeign(() => {
      this.#init.onFailure(path, error, waitMs)
    })
  }

  async #redial(opening: Promise<Duplex> | undefined): Promise<void> {
    const { path, slots, hope } = this.#init
    const { signal } = this.#use
    let first = opening
    const attempt = async (): Promise<void> => {
      let slot = slots.tryTake()
      const opening = first
      first = undefined
      if (slot === undefined) {
        discardLater(opening)
        slot = await slots.take(signal)
      }
      try {
        await this.#join(await openWhenWanted(this.#init, signal, opening), slot)
      } catch (error) {
        slot()
        throw error
      }
    }
    const onFailure = (error: Error, waitMs: number): void => {
      this.#tellFailure(path, error, waitMs)
    }
    await redial(this.#init.policy, { signal, hope, onFailure }, attempt)
  }

  /** A hello that has been said is waited for, whatever comes: a Go peer may use the subflow from then on. */
  async #join(stream: Duplex, slot: Release): Promise<Subflow> {
    const { cid, policy, signal, handshakeTimeoutMs, conn, hope } = this.#init
    const timeoutMs = hope.hold.helloMs(this.#rttMs, handshakeTimeoutMs)
    this.#joining++
    try {
      const introduction = conn.introduce()
      const limits = { clock: policy.clock, timeoutMs, signal }
      const hello = await sayHello(stream, cid, limits, introduction?.words)
      return this.#attach(stream, hello, slot, introduction)
    } finally {
      this.#joining--
      this.#review()
    }
  }

  #attach(stream: Duplex, hello: ClientHello, slot: Release, introduction?: Introduction): Subflow {
    const { conn, path, policy, peerClose } = this.#init
    if (!conn.isJoinable) {
      discard(stream)
      throw new MultipathError('ERR_MULTIPATH_CLOSED', 'the connection closed during the dial')
    }
    const answer = new FirstAnswer()
    const subflow = conn.attach({
      stream,
      label: path.label,
      path: path.policy,
      trackers: [path.record, path.dialer.tracker, answer],
      isDialer: true,
      helloAt: hello.helloAt,
      head: hello.head,
      introduction,
      onChange: (change) => {
        this.#changed(subflow, change)
      },
    })
    this.#openedAt = policy.clock.now()
    this.#live.set(subflow, slot)
    answer.then(() => {
      this.#tidy(subflow)
    })
    peerClose.joined(subflow)
    if (this.#isRemoved) conn.retireSubflow(subflow)
    return subflow
  }

  #changed(subflow: Subflow, change: SubflowChange): void {
    const { conn, peerClose, onChange, path } = this.#init
    if (change.state === 'closed') {
      this.#live.get(subflow)?.()
      this.#live.delete(subflow)
      peerClose.left(subflow)
      this.#lastReason = change.reason ?? 'closed'
      this.#rttMs = subflow.rtt.smoothed ?? this.#rttMs
      if (change.reason === 'ended' && conn.peer.closesOneByOne) peerClose.hear(subflow)
    }
    this.#review()
    onChange(path, change)
  }

  /** Starts or stops looking for a standby subflow, and tells when nothing is left. */
  #review(): void {
    const [only] = this.#live.keys()
    const isWanted = this.#live.size === 1 && only?.state === 'suspect' && !this.#isRemoved
    if (!isWanted) this.#search?.abort(NOT_NEEDED)
    else if (this.#search === undefined) void this.#openStandby(only)
    if (this.#live.size > 0 || this.#search !== undefined) return
    this.#wake()
    if (this.#isRemoved && this.#joining === 0) this.#init.onGone(this)
  }

  /** Resolves when the path has no subflow left and none on its way. */
  async #gone(): Promise<void> {
    while (this.#live.size > 0 || this.#search !== undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /**
   * Opens a stream beside `suspect`. A standby that has said hello is never given up: a Go peer loses for good what
   * it hands to a subflow that closes.
   */
  async #openStandby(suspect: Subflow): Promise<void> {
    const { policy, path, peerClose, slots, conn } = this.#init
    const slot = slots.tryTake()
    if (slot === undefined) return
    this.#search = new AbortController()
    try {
      const rttMs = suspect.rtt.smoothed ?? 0
      const stream = await openStandby(path, policy.clock, rttMs, this.#pace, conn.refs, this.#search.signal)
      if (peerClose.isOn) {
        slot()
        discard(stream)
      } else await this.#join(stream, slot)
    } catch {
      // Not needed any more, or its hello failed: the suspect has recovered, or will be redialled when it dies.
      slot()
    } finally {
      this.#search = undefined
      this.#review()
    }
  }

  /** Where the peer sends again what was on a closed subflow: once the standby has carried something, the better one stays. */
  #tidy(standby: Subflow): void {
    const { conn } = this.#init
    const [suspect] = this.#live.keys()
    if (suspect === undefined || suspect === standby || !this.#live.has(standby) || standby.isUnproven) return
    this.#pace.proved()
    if (conn.peer.resendsLost) conn.closeSubflow(suspect.state === 'suspect' ? suspect : standby, 'replaced')
  }
}

const REMOVED = new Error('the path was removed')
const NOT_NEEDED = new Error('no longer needed')

// SPDX-License-Identifier: Apache-2.0
/** Keeps one path of one connection in use: joins, watches, opens further subflows and a standby beside a suspect, redials, and lets it go. */
import { setMaxListeners } from 'node:events'
import type { Duplex } from 'node:stream'
import type { Millis } from '../clock.js'
import type { SubflowChange } from '../conn/attach.js'
import { openBeside, Siblings } from './beside.js'
import type { PathKeeperInit } from './path-keeper-init.js'
import { callForeign } from '../stream/foreign.js'
import type { Introduction } from '../wire/settings.js'
import type { CloseReason } from '../core/health.js'
import { isWorthRedialling } from '../core/health.js'
import type { Subflow } from '../core/subflow.js'
import { MultipathError } from '../errors.js'
import type { DialPath } from './dial-path.js'
import { discard } from '../ignore.js'
import { discardLater } from './dial-path.js'
import { openWhenWanted } from './open-when-wanted.js'
import type { Release } from './semaphore.js'
import type { ClientHello } from './hello-client.js'
import { sayHello } from './hello-client.js'
import { backoffMs, redial } from './redial.js'
import { FirstAnswer, openStandby, StandbyPace } from './standby.js'

/** A subflow that lived so long, milliseconds, was no failure: the path is redialled without waiting. */
const STABLE_MS = 10_000

export class PathKeeper {
  readonly #init: PathKeeperInit
  /** The path's subflows, oldest first. */
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
  /** Opened beside subflows that were all suspect. */
  #standby: Subflow | undefined
  readonly #siblings: Siblings
  readonly #pace = new StandbyPace()
  #wake: () => void = () => {}

  constructor(init: PathKeeperInit) {
    this.#init = init
    // Each subflow that is being opened listens to it.
    setMaxListeners(0, this.#use.signal)
    this.#siblings = new Siblings(init, this.#use.signal, (stream, slot) => this.#join(stream, slot))
    const { signal, path } = init
    const unwatch = path.policy.watch(() => {
      if (!this.#isRemoved) this.#siblings.adjust([...this.#live.keys()])
    })
    const signalOnAbort = (): void => {
      this.#use.abort(signal.reason)
    }
    signal.addEventListener('abort', signalOnAbort, { once: true })
    this.#use.signal.addEventListener('abort', () => {
      signal.removeEventListener('abort', signalOnAbort)
      unwatch()
    })
    if (signal.aborted) signalOnAbort()
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
    for (const subflow of this.#live.keys()) this.#init.conn.retireSubflow(subflow, 'removed')
    this.#review()
  }

  /** One side wants so many subflows; what the path may have is another matter. */
  want(by: 'us' | 'peer', count: number): void {
    if (!this.#isRemoved) this.#siblings.want(by, count, [...this.#live.keys()])
  }

  async #run(opening: Promise<Duplex> | undefined): Promise<void> {
    const { policy, path } = this.#init
    const { signal } = this.#use
    let failures = 0
    let stream = opening
    try {
      for (;;) {
        if (this.#live.size === 0) await this.#redial(stream)
        this.#siblings.forget()
        this.want('us', 1)
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
  async #join(stream: Duplex, slot: Release, isStandby = false): Promise<Subflow> {
    const { cid, policy, signal, handshakeTimeoutMs, conn, hope } = this.#init
    const timeoutMs = hope.hold.helloMs(this.#rttMs, handshakeTimeoutMs)
    this.#joining++
    try {
      const introduction = conn.introduce()
      const limits = { clock: policy.clock, timeoutMs, signal }
      const hello = await sayHello(stream, cid, limits, introduction?.words)
      const subflow = this.#attach(stream, hello, slot, introduction)
      if (isStandby) this.#standby = subflow
      return subflow
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
    if (this.#isRemoved) conn.retireSubflow(subflow, 'removed')
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
      // A reset tells nothing: something on the way may have cut the path.
      if (change.reason === 'ended' && conn.peer.closesOneByOne) peerClose.hear(subflow)
      if (isWorthRedialling(this.#lastReason)) this.#siblings.refill(() => [...this.#live.keys()])
    }
    this.#review()
    onChange(path, change)
  }

  /** Starts or stops looking for a standby subflow, and tells when nothing is left. */
  #review(): void {
    const live = [...this.#live.keys()]
    if (live.length === 1) this.#standby = undefined
    const isSilent = live.length > 0 && live.every(({ state }) => state === 'suspect')
    const isWanted = isSilent && this.#standby === undefined && !this.#isRemoved
    if (!isWanted) this.#search?.abort(NOT_NEEDED)
    else if (this.#search === undefined) void this.#openStandby(live[0]!)
    if (this.#live.size > 0 || this.#search !== undefined) return
    this.#wake()
    if (this.#isRemoved && this.#joining === 0) this.#init.onGone()
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
    const { signal } = (this.#search = new AbortController())
    const rttMs = suspect.rtt.smoothed ?? 0
    const hadSlot = await openBeside({
      peerClose,
      slots,
      open: () => openStandby(path, policy.clock, rttMs, this.#pace, conn.refs, signal),
      join: (stream, slot) => this.#join(stream, slot, true),
    })
    // It is there, or it was not needed any more, or its hello failed: the suspect will be redialled when it dies.
    this.#search = undefined
    if (hadSlot || this.#live.size === 0) this.#review()
  }

  /** Where the peer sends again what was on a closed subflow: once the standby has carried something, the better one stays. */
  #tidy(standby: Subflow): void {
    const { conn } = this.#init
    if (standby !== this.#standby || !this.#live.has(standby) || standby.isUnproven) return
    this.#pace.proved()
    const others = [...this.#live.keys()].filter((other) => other !== standby)
    if (others.length === 0 || !conn.peer.resendsLost) return
    const isSilent = others.every(({ state }) => state === 'suspect')
    for (const subflow of isSilent ? others : [standby]) conn.closeSubflow(subflow, 'replaced')
  }
}

const REMOVED = new Error('the path was removed')
const NOT_NEEDED = new Error('no longer needed')

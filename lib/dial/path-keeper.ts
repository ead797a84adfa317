/** Keeps one path of one connection in use: joins, watches, opens a twin beside a suspect, redials. */
import type { Duplex } from 'node:stream'
import type { Millis } from '../clock.js'
import type { SubflowChange } from '../conn/attach.js'
import { callForeign } from '../stream/foreign.js'
import type { MultipathConn } from '../conn/multipath-conn.js'
import type { CloseReason } from '../core/health.js'
import { isWorthRedialling } from '../core/health.js'
import type { Subflow } from '../core/subflow.js'
import { MultipathError } from '../errors.js'
import type { DialPath } from './dial-path.js'
import { discard, discardLater } from './dial-path.js'
import type { Farewell } from './farewell.js'
import type { ClientHello } from './hello-client.js'
import { sayHello } from './hello-client.js'
import type { RedialPolicy } from './redial.js'
import { backoffMs, redial } from './redial.js'
import { sleep } from './timing.js'
import { openBeside } from './twin.js'

export interface PathKeeperInit {
  readonly path: DialPath
  readonly conn: MultipathConn
  readonly cid: Uint8Array
  readonly policy: RedialPolicy
  readonly handshakeTimeoutMs: number
  /** Shared by all paths of the connection. */
  readonly farewell: Farewell
  /** Aborted when the connection is over. */
  readonly signal: AbortSignal
  readonly onChange: (path: DialPath, change: SubflowChange) => void
  /** A redial failed; the next is due in `waitMs`, or never. */
  readonly onFailure: (path: DialPath, error: Error, waitMs: number | undefined) => void
}

/** A subflow that lived so long, milliseconds, was no failure: the path is redialled without waiting. */
const STABLE_MS = 10_000

export class PathKeeper {
  readonly #init: PathKeeperInit
  /** The path's subflow, and a twin beside it while the first is suspect. */
  readonly #live = new Set<Subflow>()
  #openedAt: Millis = 0
  #lastReason: CloseReason = 'closed'
  /** Set while a twin is looked for; aborting it works until the twin's hello has been said. */
  #search: AbortController | undefined
  #wake: () => void = () => {}

  constructor(init: PathKeeperInit) {
    this.#init = init
  }

  /** Starts with a stream whose hello is done. */
  adopt(stream: Duplex, hello: ClientHello): void {
    this.#attach(stream, hello, true)
    void this.#run(undefined)
  }

  /** Starts by joining, over a stream that may be opening already. */
  join(opening: Promise<Duplex> | undefined): void {
    if (this.#init.signal.aborted) discardLater(opening)
    else void this.#run(opening)
  }

  async #run(opening: Promise<Duplex> | undefined): Promise<void> {
    const { signal, policy, path } = this.#init
    const { clock } = policy
    let failures = 0
    let stream = opening
    try {
      for (;;) {
        if (this.#live.size === 0) await this.#redial(stream)
        stream = undefined
        await this.#gone()
        if (!isWorthRedialling(this.#lastReason)) return
        failures = clock.now() - this.#openedAt >= STABLE_MS ? 0 : failures + 1
        if (failures > 0) await sleep(clock, backoffMs(policy, failures), signal)
      }
    } catch (error) {
      if (!signal.aborted) this.#tellFailure(path, error as Error, undefined)
    }
  }

  #tellFailure(path: DialPath, error: Error, waitMs: number | undefined): void {
    callForeign(() => {
      this.#init.onFailure(path, error, waitMs)
    })
  }

  #redial(opening: Promise<Duplex> | undefined): Promise<void> {
    const { policy, signal, path, farewell } = this.#init
    let first = opening
    const attempt = async (): Promise<void> => {
      for (;;) {
        if (farewell.isOn) {
          discardLater(first)
          first = undefined
          await farewell.over(signal)
        }
        const opened = first ?? path.open(signal)
        first = undefined
        const stream = await opened
        if (!farewell.isOn) {
          await this.#join(stream)
          return
        }
        discard(stream)
      }
    }
    return redial(policy, signal, attempt, (error, waitMs) => {
      this.#tellFailure(path, error, waitMs)
    })
  }

  async #join(stream: Duplex): Promise<Subflow> {
    const { cid, policy, signal, handshakeTimeoutMs: timeoutMs } = this.#init
    return this.#attach(stream, await sayHello(stream, cid, { clock: policy.clock, timeoutMs, signal }))
  }

  #attach(stream: Duplex, hello: ClientHello, isFirst = false): Subflow {
    const { conn, path, policy, farewell } = this.#init
    if (!conn.isJoinable) {
      discard(stream)
      throw new MultipathError('ERR_MULTIPATH_CLOSED', 'the connection closed meanwhile')
    }
    const subflow = conn.attach({
      stream,
      label: path.label,
      path: path.policy,
      trackers: [path.record, path.dialer.tracker],
      isDialer: true,
      helloAt: hello.helloAt,
      head: hello.head,
      onChange: (change) => {
        this.#changed(subflow, change)
      },
    })
    this.#openedAt = policy.clock.now()
    this.#live.add(subflow)
    farewell.joined(subflow, isFirst)
    return subflow
  }

  #changed(subflow: Subflow, change: SubflowChange): void {
    const { conn, farewell, onChange, path } = this.#init
    if (change.state === 'closed') {
      this.#live.delete(subflow)
      farewell.left(subflow)
      this.#lastReason = change.reason ?? 'closed'
      if (change.reason === 'ended' && conn.canHalfClose !== true) farewell.hear()
    }
    this.#review()
    onChange(path, change)
  }

  /** Starts or stops looking for a twin, and tells when nothing is left. */
  #review(): void {
    const [only] = this.#live
    const isWanted = this.#live.size === 1 && only?.state === 'suspect'
    if (!isWanted) this.#search?.abort(NOT_NEEDED)
    else if (this.#search === undefined) void this.#seekTwin(only)
    if (this.#live.size === 0 && this.#search === undefined) this.#wake()
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
   * Opens a stream beside `suspect`. A twin that has said hello is never given up: a Go peer loses for good what
   * it hands to a subflow that closes.
   */
  async #seekTwin(suspect: Subflow): Promise<void> {
    const { policy, path, farewell } = this.#init
    this.#search = new AbortController()
    try {
      const stream = await openBeside(path, policy.clock, suspect.rtt.smoothed ?? 0, this.#search.signal)
      if (farewell.isOn) discard(stream)
      else this.#tidy(suspect, await this.#join(stream))
    } catch {
      // Not needed any more, or its hello failed: the suspect has recovered, or will be redialled when it dies.
    } finally {
      this.#search = undefined
      this.#review()
    }
  }

  /** A peer of ours sends again what was on a closed subflow: keep the better of the two. */
  #tidy(suspect: Subflow, twin: Subflow): void {
    const { conn } = this.#init
    if (conn.canHalfClose !== true || !this.#live.has(suspect)) return
    conn.closeSubflow(suspect.state === 'suspect' ? suspect : twin, 'replaced')
  }
}

const NOT_NEEDED = new Error('no longer needed')

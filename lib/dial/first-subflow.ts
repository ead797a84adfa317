// SPDX-License-Identifier: Apache-2.0
/**
 * Finds the first subflow of a connection. The opening of the streams is raced; the hello that asks for a
 * connection is said on one at a time, since a listener accepts one more connection for each. Paths may come and
 * go meanwhile.
 */
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.js'
import { RttEstimator } from '../core/congestion/rtt.js'
import type { PathFailure } from '../errors.js'
import { DialError, MultipathError, toError } from '../errors.js'
import { ZERO_CID } from '../wire/hello.js'
import type { Refs } from '../stream/refs.js'
import type { DialPath } from './dial-path.js'
import { discard } from '../ignore.js'
import { discardLater } from './dial-path.js'
import type { ClientHello } from './hello-client.js'
import { sayHello } from './hello-client.js'
import type { KnownPaths, PathsUser } from './known-paths.js'
import { callUnlessLate } from './timing.js'

/** Who won, and what the others have come to. */
export interface FirstSubflow {
  readonly path: DialPath
  readonly stream: Duplex
  readonly hello: ClientHello
  /** Streams that opened, or still may, on paths that have said nothing yet. */
  readonly openings: ReadonlyMap<DialPath, Promise<Duplex>>
}

export interface FirstSubflowInit {
  readonly destination: string
  readonly paths: KnownPaths
  readonly clock: Clock
  readonly headStartMs: number
  readonly handshakeTimeoutMs: number
  /** A path has failed, or its peer has not answered. */
  readonly onFailure: (path: DialPath, error: Error) => void
  /** What is opened is held to them. */
  readonly refs: Refs
  /** Ends the search, and later the openings that were not used. */
  readonly signal: AbortSignal
}

/** A hello unanswered for so long, milliseconds, or for what the path's round trips explain, counts as silent. */
const PATIENCE_MS = 300

interface Opened {
  readonly path: DialPath
  readonly stream: Duplex
  readonly openMs: number
}

class Search implements PathsUser {
  readonly #init: FirstSubflowInit
  readonly #resolve: (first: FirstSubflow) => void
  readonly #reject: (error: Error) => void
  readonly #begun = new Set<DialPath>()
  /** Of the paths that have said nothing yet: one that has belongs to another connection now. */
  readonly #openings = new Map<DialPath, Promise<Duplex>>()
  readonly #ready: Opened[] = []
  readonly #speaking = new Set<Opened>()
  readonly #failures = new Map<DialPath, PathFailure>()
  readonly #cancels: (() => void)[] = []
  #isHeadStartOver = false
  /** Whose turn it is to say hello; none where the last has stayed silent or failed. */
  #speaker: Opened | undefined
  #isSettled = false

  constructor(
    init: FirstSubflowInit,
    resolve: (first: FirstSubflow) => void,
    reject: (error: Error) => void,
  ) {
    this.#init = init
    this.#resolve = resolve
    this.#reject = reject
  }

  start(): void {
    const { paths, signal, handshakeTimeoutMs } = this.#init
    signal.addEventListener('abort', this.#signalOnAbort)
    this.#cancels.push(paths.use(this))
    const [first] = paths.sorted()
    if (first !== undefined) this.#open(first)
    else if (!paths.mayGrow) this.#fail(new Error('no path is known'))
    else {
      this.#after(handshakeTimeoutMs, () => {
        if (this.#begun.size === 0) this.#fail(noPathError(handshakeTimeoutMs))
      })
    }
  }

  added(path: DialPath): void {
    if (this.#isSettled) return
    this.#failures.delete(path)
    if (this.#begun.size === 0 || this.#isHeadStartOver) this.#open(path)
  }

  /** One that is saying hello may win all the same: the peer has a connection by then. */
  removed(path: DialPath): void {
    // It has not begun, or it speaks.
    if (this.#isSettled || !this.#openings.has(path)) return
    const at = this.#ready.findIndex((opened) => opened.path === path)
    if (at >= 0) this.#ready.splice(at, 1)
    discardLater(this.#openings.get(path))
    this.#openings.delete(path)
    this.#settleOne(path, new Error('the path was removed'))
  }

  lookFailed(error: Error): void {
    if (!this.#isSettled && this.#begun.size === 0) this.#fail(error)
  }

  #after(ms: number, run: () => void): void {
    const { clock } = this.#init
    this.#cancels.push(callUnlessLate(clock, ms, run))
  }

  #openAll(): void {
    if (this.#isSettled) return
    this.#isHeadStartOver = true
    for (const path of this.#init.paths.sorted()) if (!this.#begun.has(path)) this.#open(path)
  }

  #open(path: DialPath): void {
    if (this.#begun.size === 0) {
      this.#after(this.#init.headStartMs, () => {
        this.#openAll()
      })
    }
    const startedAt = this.#init.clock.now()
    const opening = path.open(this.#init.signal, this.#init.refs)
    this.#begun.add(path)
    this.#openings.set(path, opening)
    // The path may have been removed meanwhile, and have come back.
    const isCurrent = (): boolean => this.#openings.get(path) === opening
    opening.then(
      (stream) => {
        if (this.#isSettled) {
          // One that lost the race is a subflow to be; after an abort it will not be used.
          if (this.#init.signal.aborted) discard(stream)
          return
        }
        if (!isCurrent()) return
        this.#ready.push({ path, stream, openMs: this.#init.clock.now() - startedAt })
        this.#next()
      },
      (error: unknown) => {
        if (isCurrent()) this.#failed(path, toError(error))
      },
    )
  }

  /** Lets the next open stream say hello, once the last one has had its chance. */
  #next(): void {
    if (this.#isSettled || this.#speaker !== undefined) return
    const opened = this.#ready.shift()
    if (opened === undefined) return
    this.#speaker = opened
    this.#speaking.add(opened)
    this.#openings.delete(opened.path)
    void this.#speak(opened)
  }

  async #speak(opened: Opened): Promise<void> {
    const { clock, handshakeTimeoutMs: timeoutMs, signal } = this.#init
    const passOn = (): void => {
      if (this.#speaker === opened) this.#speaker = undefined
      this.#openAll()
      this.#next()
    }
    const cancel = callUnlessLate(clock, patienceMs(opened), passOn)
    try {
      const hello = await sayHello(opened.stream, ZERO_CID, { clock, timeoutMs, signal })
      this.#won(opened, hello)
    } catch (error) {
      this.#speaking.delete(opened)
      // A loser's hello is cut off by the winner: that says nothing of its path.
      if (this.#isSettled) return
      opened.path.record.failed()
      this.#failed(opened.path, toError(error))
      passOn()
    } finally {
      cancel()
    }
  }

  #won(opened: Opened, hello: ClientHello): void {
    if (this.#isSettled) {
      discard(opened.stream)
      return
    }
    this.#settle()
    this.#speaking.delete(opened)
    for (const { stream } of this.#speaking) discard(stream)
    discardLater(this.#openings.get(opened.path))
    this.#openings.delete(opened.path)
    this.#resolve({ path: opened.path, stream: opened.stream, hello, openings: this.#openings })
  }

  #failed(path: DialPath, error: Error): void {
    if (this.#isSettled || this.#failures.has(path)) return
    this.#init.onFailure(path, error)
    this.#settleOne(path, error)
  }

  /** Nothing more is to be expected of it. */
  #settleOne(path: DialPath, error: Error): void {
    if (this.#isSettled || this.#failures.has(path)) return
    this.#failures.set(path, { label: path.label, error })
    this.#init.paths.failed(path)
    this.#openAll()
    for (const begun of this.#begun) if (!this.#failures.has(begun)) return
    this.#fail()
  }

  #fail(cause?: Error): void {
    this.#settle()
    this.#reject(new DialError(this.#init.destination, [...this.#failures.values()], cause))
  }

  readonly #signalOnAbort = (): void => {
    if (this.#isSettled) return
    this.#settle()
    for (const { stream } of this.#ready) discard(stream)
    this.#reject(toError(this.#init.signal.reason))
  }

  #settle(): void {
    this.#isSettled = true
    this.#init.signal.removeEventListener('abort', this.#signalOnAbort)
    for (const cancel of this.#cancels) cancel()
  }
}

/** To open a stream takes a round trip or more: this says, by RFC 6298, how long an answer may take. */
function patienceMs({ path, openMs }: Opened): number {
  const rtt = new RttEstimator()
  const { rttMs } = path.record.stats()
  if (rttMs !== undefined) rtt.sample(rttMs, 0)
  rtt.sample(openMs, 0)
  return rtt.timeout(PATIENCE_MS)
}

function noPathError(ms: number): MultipathError {
  return new MultipathError(
    'ERR_MULTIPATH_HANDSHAKE_TIMEOUT',
    `no path was found within ${Math.round(ms)} ms`,
  )
}

/**
 * @throws {DialError} ERR_MULTIPATH_FAIL_ON_ALL_DIALERS with the cause of each path; or the reason of
 *   `signal`, with everything closed that was begun
 */
export function findFirstSubflow(init: FirstSubflowInit): Promise<FirstSubflow> {
  return new Promise((resolve, reject) => {
    init.signal.throwIfAborted()
    new Search(init, resolve, reject).start()
  })
}

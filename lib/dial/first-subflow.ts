/**
 * Finds the first subflow of a connection. The opening of the streams is raced; the hello that asks for a
 * connection is said on one at a time, since a listener accepts one more connection for each.
 */
import type { Duplex } from 'node:stream'
import type { Clock, Millis } from '../clock.js'
import type { PathFailure } from '../errors.js'
import { DialError, toError } from '../errors.js'
import { ZERO_CID } from '../wire/hello.js'
import type { DialPath } from './dial-path.js'
import { discard } from './dial-path.js'
import type { ClientHello } from './hello-client.js'
import { sayHello } from './hello-client.js'

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
  /** In the order to try them. */
  readonly paths: readonly DialPath[]
  readonly clock: Clock
  readonly headStartMs: number
  readonly handshakeTimeoutMs: number
  /** Ends the search, and later the openings that nobody has used. */
  readonly signal: AbortSignal
}

/** A hello unanswered for so long, milliseconds, or twice the time its stream took to open, counts as silent. */
const PATIENCE_MS = 300

interface Opened {
  readonly path: DialPath
  readonly stream: Duplex
  readonly openMs: number
}

class Search {
  readonly #init: FirstSubflowInit
  readonly #resolve: (first: FirstSubflow) => void
  readonly #reject: (error: Error) => void
  readonly #begun = new Set<DialPath>()
  /** Of the paths that have said nothing yet: one that has belongs to another connection now. */
  readonly #openings = new Map<DialPath, Promise<Duplex>>()
  readonly #ready: Opened[] = []
  readonly #speaking = new Set<Opened>()
  readonly #failures: PathFailure[] = []
  readonly #cancels: (() => void)[] = []
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
    const { clock, headStartMs, paths, signal } = this.#init
    signal.addEventListener('abort', this.#signalOnAbort)
    this.#later(clock.now() + headStartMs, () => {
      this.#openAll()
    })
    if (paths[0] !== undefined) this.#open(paths[0])
  }

  #later(at: Millis, run: () => void): void {
    this.#cancels.push(this.#init.clock.callAt(at, run))
  }

  #openAll(): void {
    if (this.#isSettled) return
    for (const path of this.#init.paths) if (!this.#begun.has(path)) this.#open(path)
  }

  #open(path: DialPath): void {
    const startedAt = this.#init.clock.now()
    const opening = path.open(this.#init.signal)
    this.#begun.add(path)
    this.#openings.set(path, opening)
    opening.then(
      (stream) => {
        if (this.#isSettled) {
          // One that lost the race is a subflow to be; after an abort nobody will come for it.
          if (this.#init.signal.aborted) discard(stream)
          return
        }
        this.#ready.push({ path, stream, openMs: this.#init.clock.now() - startedAt })
        this.#next()
      },
      (error: unknown) => {
        this.#failed(path, toError(error))
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
    const cancel = clock.callAt(clock.now() + Math.max(PATIENCE_MS, 2 * opened.openMs), passOn)
    try {
      const hello = await sayHello(opened.stream, ZERO_CID, { clock, timeoutMs, signal })
      this.#won(opened, hello)
    } catch (error) {
      this.#speaking.delete(opened)
      opened.path.record.failed()
      this.#failed(opened.path, toError(error))
      if (!this.#isSettled) passOn()
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
    this.#resolve({ path: opened.path, stream: opened.stream, hello, openings: this.#openings })
  }

  #failed(path: DialPath, error: Error): void {
    if (this.#isSettled) return
    this.#failures.push({ label: path.label, error })
    this.#openAll()
    const { paths, destination } = this.#init
    if (this.#failures.length < paths.length) return
    this.#settle()
    this.#reject(new DialError(destination, this.#failures))
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

// SPDX-License-Identifier: Apache-2.0
/** Keeps a session with `multipath serve`: opens it, and opens another when it is gone. */
import type { MuxSession } from '../../mux/index.js'
import { CliError, oneLine } from '../cli-error.js'
import type { Summary } from '../live/live-session.js'
import { Repeats } from '../live/repeats.js'
import { GreetingError } from './greet.js'
import type { Log } from './log.js'

export interface SessionKeeperInit {
  /** Opens a session that has been greeted. */
  readonly open: (signal: AbortSignal) => Promise<MuxSession>
  /** Told of each session that stands. */
  readonly onSession: (session: MuxSession) => void
  readonly log: Log
  /** How long whoever needs a session waits for one. */
  readonly waitMs: number
  /** How many may wait. */
  readonly maxWaiting: number
  /** Whether the first failure, or the end of the session, is the end. Default: false. */
  readonly isOnce?: boolean
  /** What a session came to. */
  readonly summaryOf?: (session: MuxSession) => Summary | undefined
  /** From 0 to 1. */
  readonly random?: () => number
}

/** No session could be had in time. */
class Unavailable extends Error {}

/** Waits before a redial: a random share of a time that doubles with each failure, so that many do not come at once. */
const REDIAL_MIN_MS = 200
const REDIAL_MAX_MS = 5000
/** Where what answers is not the `serve` that there was: half of it up to all of it. */
const ODD_REDIAL_MS = 30_000

export class SessionKeeper {
  readonly #init: SessionKeeperInit
  readonly #live = new Set<MuxSession>()
  readonly #repeats = new Repeats()
  readonly #waiting = new Set<(session: MuxSession) => void>()
  #current: MuxSession | undefined

  constructor(init: SessionKeeperInit) {
    this.#init = init
  }

  /**
   * Goes on until `signal`.
   *
   * @throws {GreetingError} where another attempt would not help, unless there was a session before: another program may
   *   have the port for a while. What went wrong first, where `isOnce`
   */
  async run(signal: AbortSignal): Promise<void> {
    let failures = 0
    let hasWorked = false
    const isOver = (): boolean => signal.aborted
    while (!isOver()) {
      const startedAt = performance.now()
      try {
        const session = await this.#init.open(signal)
        hasWorked = true
        this.#repeats.clear()
        const error = await this.#keep(session, signal)
        if (performance.now() - startedAt > REDIAL_MAX_MS) failures = 0
        if (!isOver()) this.#lost(session, reason(error))
      } catch (error) {
        if (isOver()) return
        const isOdd = error instanceof GreetingError
        if ((isOdd && !hasWorked) || this.#init.isOnce === true) throw error
        this.#failed(error as Error)
        if (isOdd) {
          await pause((ODD_REDIAL_MS / 2) * (1 + this.#random()), signal)
          continue
        }
      }
      await pause(this.#random() * Math.min(REDIAL_MAX_MS, REDIAL_MIN_MS * 2 ** failures++), signal)
    }
  }

  /** The session that stands, or the next one. @throws {Unavailable}; the reason of `signal` */
  session(signal: AbortSignal): Promise<MuxSession> {
    signal.throwIfAborted()
    if (this.#current !== undefined) return Promise.resolve(this.#current)
    if (this.#waiting.size >= this.#init.maxWaiting)
      return Promise.reject(new Unavailable('too many streams are waiting for a session'))
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(take)
        signal.removeEventListener('abort', signalOnAbort)
      }
      const take = (session: MuxSession): void => {
        settle()
        resolve(session)
      }
      const signalOnAbort = (): void => {
        settle()
        reject(signal.reason as Error)
      }
      const timer = setTimeout(() => {
        settle()
        reject(new Unavailable(`no session within ${this.#init.waitMs / 1000} s`))
      }, this.#init.waitMs)
      this.#waiting.add(take)
      signal.addEventListener('abort', signalOnAbort)
    })
  }

  /** Asks for no more streams, and waits for those that are open. */
  async close(): Promise<void> {
    await Promise.all([...this.#live].map((session) => session.close()))
  }

  destroy(): void {
    for (const session of this.#live) session.destroy()
  }

  /** Resolves when no more streams can be opened on it. */
  #keep(session: MuxSession, signal: AbortSignal): Promise<Error | undefined> {
    this.#live.add(session)
    this.#current = session
    return new Promise((resolve) => {
      const over = (error?: Error): void => {
        if (this.#current === session) this.#current = undefined
        signal.removeEventListener('abort', signalOnAbort)
        resolve(error)
      }
      const signalOnAbort = (): void => over()
      session.once('goaway', () => over(new Error('the other end accepts no more streams')))
      session.once('close', (error?: Error) => {
        this.#live.delete(session)
        over(error)
      })
      signal.addEventListener('abort', signalOnAbort)
      this.#init.onSession(session)
      for (const take of [...this.#waiting]) take(session)
    })
  }

  #random(): number {
    return (this.#init.random ?? Math.random)()
  }

  /** @throws {CliError} where one session is all that is wanted */
  #lost(session: MuxSession, why: string): void {
    const { text, fields } = this.#init.summaryOf?.(session) ?? { text: '', fields: {} }
    const message = `the session has ended: ${why}${text && ` (${text})`}`
    if (this.#init.isOnce === true) throw new CliError(message)
    this.#init.log.warn('session-end', message, { ...fields, reason: why })
  }

  /** Once for each reason, and then rarely. */
  #failed(error: Error): void {
    const message = `no session: ${oneLine(error)}`
    const fields = { reason: error.message, hint: (error as Partial<CliError>).hint }
    const isNews = this.#repeats.isNews(message, performance.now())
    this.#init.log[isNews ? 'warn' : 'detail']('session-failed', message, fields)
  }
}

/** Ends at `signal`, if that is sooner. */
function pause(pauseMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', over)
      resolve()
    }
    const timer = setTimeout(over, pauseMs)
    signal.addEventListener('abort', over)
    if (signal.aborted) over()
  })
}

function reason(error: Error | undefined): string {
  return error === undefined ? 'the other end closed it' : oneLine(error)
}

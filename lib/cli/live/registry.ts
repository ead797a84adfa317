// SPDX-License-Identifier: Apache-2.0
/** The sessions of a running command: what its log, its socket, its monitor and its metrics tell of. */
import type { SchedulerName, TraceTarget } from '../../index.js'
import type { LiveSession } from './live-session.js'

export class Registry {
  readonly #sessions = new Set<LiveSession>()
  #scheduler: SchedulerName
  #trace: TraceTarget | undefined

  constructor(scheduler: SchedulerName = 'lowest-rtt') {
    this.#scheduler = scheduler
  }

  /** Of what this side sends. */
  get scheduler(): SchedulerName {
    return this.#scheduler
  }

  /** For all sessions, those to come included. */
  setScheduler(name: SchedulerName): void {
    this.#scheduler = name
    for (const { conn } of this.#sessions) conn.setScheduler(name)
  }

  /** Where the trace of all sessions goes; `undefined` while there is none. */
  get trace(): TraceTarget | undefined {
    return this.#trace
  }

  /** For all sessions, those to come included. */
  setTrace(target: TraceTarget | undefined): void {
    this.#trace = target
    for (const { conn } of this.#sessions) conn.setTrace(target)
  }

  /** Those that are open, in the order in which they came. */
  get sessions(): LiveSession[] {
    return [...this.#sessions].filter(({ isOpen }) => isOpen)
  }

  /** It is forgotten when its connection closes. */
  add(session: LiveSession): LiveSession {
    this.#sessions.add(session)
    session.conn.setScheduler(this.#scheduler)
    if (this.#trace !== undefined) session.conn.setTrace(this.#trace)
    session.conn.once('close', () => this.#sessions.delete(session))
    return session
  }
}

// SPDX-License-Identifier: Apache-2.0
/** Picks the one connection that is served. */
import type { MultipathConn, MultipathListener, StatsTracker } from '../index.js'
import { NullTracker } from '../index.js'
import { ignore } from '../ignore.js'

/**
 * A dialer whose first hello was answered late has asked for a second connection by then, and goes on with
 * one of them. So the first connection is the one whose dialer answers: its pong gives a round-trip time.
 */
export class FirstComer {
  /** For each server of the listener. */
  readonly tracker: StatsTracker
  /** Gets connections that come once one is chosen. */
  onOther: (conn: MultipathConn) => void = (conn) => void conn.resetAndDestroy()
  readonly #candidates = new Set<MultipathConn>()
  #resolve: ((conn: MultipathConn) => void) | undefined

  constructor() {
    const tracker = new NullTracker()
    // The sample is the subflow's only after the call.
    tracker.updateRTT = () => setImmediate(() => this.#choose())
    this.tracker = tracker
  }

  /** Takes one; the other candidates are reset. Rejects with `signal`'s reason. */
  async takeFrom(listener: MultipathListener, signal: AbortSignal): Promise<MultipathConn> {
    const chosen = new Promise<MultipathConn>((resolve) => {
      this.#resolve = resolve
    })
    const collecting = this.#collect(listener)
    const aborted = new Promise<never>((_, reject) => {
      const signalOnAbort = (): void => reject(signal.reason as Error)
      if (signal.aborted) signalOnAbort()
      signal.addEventListener('abort', signalOnAbort, { once: true })
      void chosen.then(() => signal.removeEventListener('abort', signalOnAbort))
    })
    return Promise.race([chosen, aborted, collecting])
  }

  /** Never resolves: it ends with the listener. */
  async #collect(listener: MultipathListener): Promise<never> {
    for await (const conn of listener) {
      conn.on('error', ignore)
      if (this.#resolve === undefined) {
        this.onOther(conn)
        continue
      }
      this.#candidates.add(conn)
      conn.once('close', () => this.#candidates.delete(conn))
      conn.on('subflow-close', () => {
        if (this.#candidates.has(conn) && conn.subflows().length === 0) conn.destroy()
      })
      this.#choose()
    }
    return new Promise<never>(() => {})
  }

  #choose(): void {
    const resolve = this.#resolve
    const isAlive = (conn: MultipathConn): boolean =>
      conn.subflows().some(({ smoothedRttMs }) => smoothedRttMs !== undefined)
    const conn = [...this.#candidates].find(isAlive)
    if (resolve === undefined || conn === undefined) return
    this.#resolve = undefined
    this.#candidates.delete(conn)
    for (const other of this.#candidates) other.resetAndDestroy()
    resolve(conn)
  }
}

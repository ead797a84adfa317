// SPDX-License-Identifier: Apache-2.0
/** The connections of a listener whose dialers answer. */
import type { MultipathConn, MultipathListener, StatsTracker } from '../index.js'
import { NullTracker } from '../index.js'
import { ignore } from '../ignore.js'

/**
 * A dialer whose first hello was answered late has asked for a second connection by then, and goes on with
 * one of them. So a connection counts once its dialer answers: its pong gives a round-trip time.
 */
export class Arrivals {
  /** For each server of the listener. */
  readonly tracker: StatsTracker
  /** Gets each connection at once, whether its dialer answers or not, and nothing is served any more; `undefined`: not yet. */
  turnAway: ((conn: MultipathConn) => void) | undefined
  readonly #serve: (conn: MultipathConn) => void
  readonly #waiting = new Set<MultipathConn>()

  /** @param serve - gets each connection once its dialer answers */
  constructor(serve: (conn: MultipathConn) => void) {
    this.#serve = serve
    const tracker = new NullTracker()
    // The sample is the subflow's only after the call.
    tracker.updateRTT = () => setImmediate(() => this.#look())
    this.tracker = tracker
  }

  /** Until the listener closes. */
  async takeFrom(listener: MultipathListener): Promise<void> {
    for await (const conn of listener) {
      conn.on('error', ignore)
      if (this.turnAway !== undefined) {
        this.turnAway(conn)
        continue
      }
      this.#waiting.add(conn)
      conn.once('close', () => this.#waiting.delete(conn))
      conn.on('subflow-close', () => {
        if (this.#waiting.has(conn) && conn.subflows().length === 0) conn.destroy()
      })
      this.#look()
    }
  }

  /** Nothing more is served: those that wait are turned away, and all that come. */
  close(turnAway: (conn: MultipathConn) => void): void {
    this.turnAway = turnAway
    for (const conn of this.#waiting) conn.resetAndDestroy()
    this.#waiting.clear()
  }

  #look(): void {
    for (const conn of [...this.#waiting]) {
      if (!conn.subflows().some(({ smoothedRttMs }) => smoothedRttMs !== undefined)) continue
      // Of those that are there at once, the first may have turned the others away.
      if (this.#waiting.delete(conn)) this.#serve(conn)
    }
  }
}

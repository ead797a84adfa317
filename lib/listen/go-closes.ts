// SPDX-License-Identifier: Apache-2.0
/**
 * Ends what a Go dialer has closed. Its Close takes the subflows that it has then: one whose join was under way lives on, answers
 * pings, but no longer reads or writes there (Go: dialer.go, add; conn.go, Close).
 */
import type { Clock } from '../clock.js'
import type { SubflowChange } from '../conn/attach.js'
import type { MultipathConn } from '../conn/multipath-conn.js'
import { PeerCloseDetector } from '../conn/peer-close-detector.js'
import type { Subflow } from '../core/subflow.js'

export class GoCloses {
  readonly #clock: () => Clock
  /** Of connections of which a subflow has been closed. */
  readonly #detectors = new WeakMap<MultipathConn, PeerCloseDetector>()

  constructor(clock: () => Clock) {
    this.#clock = clock
  }

  joined(conn: MultipathConn, subflow: Subflow): void {
    this.#detectors.get(conn)?.joined(subflow)
  }

  changed(conn: MultipathConn, subflow: Subflow, change: SubflowChange): void {
    if (change.state !== 'closed') return
    this.#detectors.get(conn)?.left(subflow)
    // A reset tells nothing: something on the way may have cut the path.
    if (change.reason !== 'ended' || !conn.peer.closesOneByOne) return
    const detector = this.#detectors.get(conn) ?? this.#detectorFor(conn)
    detector.hear(subflow)
  }

  #detectorFor(conn: MultipathConn): PeerCloseDetector {
    const over = new AbortController()
    conn.once('close', () => over.abort())
    const detector = new PeerCloseDetector(this.#clock(), over.signal, (forgotten) => {
      conn.closeSubflow(forgotten, 'ended')
    })
    for (const live of conn.live) detector.joined(live)
    this.#detectors.set(conn, detector)
    return detector
  }
}

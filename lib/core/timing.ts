// SPDX-License-Identifier: Apache-2.0
/** What becomes due in a connection without anything coming in, and when. */
import type { Millis } from '../clock.js'
import type { Closing } from './closing.js'
import type { Datagrams } from './datagrams/datagrams.js'
import type { Ending } from './ending.js'
import type { FailureDetector } from './failure-detector.js'
import { lingerError, silentError, unprovenError } from './failures.js'
import { Hedging } from './hedging.js'
import type { InFlight } from './in-flight.js'
import type { ResolvedConnOptions } from './options.js'
import type { Receiver } from './receiver.js'
import type { Sender } from './sender.js'
import type { Starvation } from './starvation.js'
import type { Subflow } from './subflow.js'
import type { SubflowSet } from './subflow-set.js'
import type { Suspension } from './suspension.js'

export interface TimingInit {
  readonly options: ResolvedConnOptions
  readonly subflows: SubflowSet
  readonly ending: Ending
  readonly sender: Sender
  readonly receiver: Receiver
  readonly inFlight: InFlight
  readonly suspension: Suspension
  readonly starvation: Starvation
  readonly datagrams: Datagrams
}

export class Timing {
  readonly #parts: TimingInit
  readonly #closing: Closing
  readonly #detector: FailureDetector
  readonly #hedging: Hedging

  constructor(parts: TimingInit, closing: Closing, detector: FailureDetector) {
    this.#parts = parts
    this.#closing = closing
    this.#detector = detector
    this.#hedging = new Hedging(parts)
  }

  /** When the next thing is due; Infinity for never. Not sooner than `knownAt`, it need not be exact. */
  nextAt(knownAt: Millis): Millis {
    const { suspension, inFlight, sender, receiver, subflows, starvation, datagrams } = this.#parts
    let at = Math.min(
      suspension.expiresAt,
      this.#lingerAt(),
      starvation.dueAt,
      receiver.starving.dueAt,
      this.#hedging.dueAt,
      datagrams.dueAt,
    )
    if (!suspension.awaitsHave) at = Math.min(at, inFlight.peerWindow.probeAt, sender.readyAt)
    for (const subflow of subflows.live) {
      const isLater = this.#detector.notBefore(subflow) >= knownAt
      at = Math.min(at, isLater ? knownAt : this.#detector.next(subflow).at)
    }
    return at
  }

  /** Does what is due at `now`. What is to be sent waits for the next flush. */
  tick(now: Millis): void {
    const { subflows, suspension, sender, receiver, ending, starvation } = this.#parts
    const closing = this.#closing
    for (const subflow of [...subflows.live]) this.#inspect(subflow, now)
    starvation.tick(now)
    receiver.starving.tick(now)
    this.#hedging.tick(now)
    if (now >= suspension.expiresAt) closing.release('no subflow came back within the hold time')
    else if (now >= this.#lingerAt()) closing.fail(lingerError(sender.isFlushed && !ending.hasSentFin))
  }

  #inspect(subflow: Subflow, now: Millis): void {
    const { subflows, receiver, inFlight } = this.#parts
    const closing = this.#closing
    while (subflow.state !== 'closed') {
      const { at, finding } = this.#detector.next(subflow)
      if (at > now) return
      if (finding === 'dead') closing.subflow(subflow, now, 'silent', silentError(now - subflow.lastHeardAt))
      else if (finding === 'unproven') closing.subflow(subflow, now, 'unproven', unprovenError())
      else if (finding === 'suspect') {
        subflows.suspect(subflow, now)
        receiver.pressure.lost(subflow)
      } else if (finding === 'peer-full') inFlight.droppedBefore(subflow, subflow.pings.answeredSentAt, now)
      else if (finding === 'unthrottle') subflow.unthrottle(now)
      else subflow.ping(now)
    }
  }

  /** When data written before end() has been unacked for too long; while no ack could come, it waits. */
  #lingerAt(): Millis {
    const { inFlight, sender, suspension, ending, options } = this.#parts
    const since = Math.max(inFlight.lastAckAt, sender.pausedUntil, suspension.idleUntil)
    return ending.lingerAt(since, options.lingerMs)
  }
}

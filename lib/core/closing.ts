// SPDX-License-Identifier: Apache-2.0
/** What closes, and how: one subflow, our half of the connection, or all of it. */
import type { Millis } from '../clock.js'
import type { MultipathError } from '../errors.js'
import { RemoteProtocolError } from '../errors.js'
import type { Reset } from '../wire/end-frames.js'
import { encodeFin, encodeReset, RESET } from '../wire/end-frames.js'
import { CODE_FIN } from '../wire/limits.js'
import type { Datagrams } from './datagrams/datagrams.js'
import type { Ending } from './ending.js'
import type { Extensions } from './extensions.js'
import { ackLimitError, authError, resetError, restartedError } from './failures.js'
import type { CloseReason } from './health.js'
import type { Dispatcher } from './dispatcher.js'
import type { InFlight } from './in-flight.js'
import { canEnd, clearQueue, ended, isOpen } from './graceful-close.js'
import type { JoinAuthenticator } from './join-auth.js'
import type { ResolvedConnOptions } from './options.js'
import type { Peer } from './peer-profile.js'
import type { Receiver } from './receiver.js'
import type { SubflowSet } from './subflow-set.js'
import type { Sender } from './sender.js'
import type { Subflow } from './subflow.js'
import type { Suspension } from './suspension.js'

export interface ClosingInit {
  readonly peer: Peer
  readonly ending: Ending
  readonly subflows: SubflowSet
  readonly sender: Sender
  readonly receiver: Receiver
  readonly inFlight: InFlight
  readonly suspension: Suspension
  readonly extensions: Extensions
  readonly auth: JoinAuthenticator
  readonly datagrams: Datagrams
  readonly options: ResolvedConnOptions
}

export class Closing {
  readonly #parts: ClosingInit
  readonly #dispatcher: Dispatcher
  /** Subflows on which our FIN was said. */
  #told: WeakSet<Subflow> | undefined
  #isOver = false

  constructor(parts: ClosingInit, dispatcher: Dispatcher) {
    this.#parts = parts
    this.#dispatcher = dispatcher
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /**
   * Something came on `subflow`: does what follows from it, beyond the parts that it concerns.
   *
   * @param violation - why it cannot be read any further
   * @returns whether the subflow goes on
   */
  heard(subflow: Subflow, violation: RemoteProtocolError | undefined, now: Millis): boolean {
    const { auth, options } = this.#parts
    const dispatcher = this.#dispatcher
    const { reset, stranger } = dispatcher
    const failure = dispatcher.failure ?? auth.failure
    dispatcher.stranger = undefined
    if (failure !== undefined) this.fail(failure)
    else if (reset !== undefined) this.#resetHeard(reset, now)
    else if (stranger !== undefined) this.#strangerHeard(subflow, stranger, now)
    else if (violation !== undefined) {
      const isAuth = violation.multipathCode === 'ERR_MULTIPATH_AUTH'
      this.subflow(subflow, now, isAuth ? 'unproven' : 'protocol', violation)
    } else if (subflow.acks.length > options.maxOutstandingAckBytes)
      this.subflow(subflow, now, 'limit', ackLimitError())
    else return true
    return false
  }

  /** Closes one subflow at once, and with the last one the connection. */
  subflow(subflow: Subflow, now: Millis, reason: CloseReason, error?: Error): void {
    if (subflow.state === 'closed') return
    const { subflows, ending, sender, receiver } = this.#parts
    const wasOpen = isOpen(subflow)
    subflows.close(subflow, reason, error)
    const isHeaderCut = this.#dispatcher.remove(subflow)
    receiver.pressure.lost(subflow)
    if (error !== undefined && wasOpen) ending.failed(error, now)
    if (this.#isOver) return
    const { holdMs } = this.#parts.extensions
    // A peer has no use for a subflow that we have ended: those alone are no connection.
    const isUsable = holdMs > 0 ? isProvenOpen : isOpen
    if (subflows.live.some(isUsable)) return
    if (holdMs > 0) this.#suspend(now, holdMs)
    else if (this.#parts.auth.isUnmet)
      this.#over(
        authError('the peer closed before it had proved itself', error && { cause: error }),
        'destroy',
      )
    else this.#over(ending.verdict(sender.isFlushed, receiver.hasHole || isHeaderCut, now), 'destroy')
  }

  /** The last subflow is gone, and the connection is held. */
  #suspend(now: Millis, holdMs: number): void {
    const { subflows, suspension, inFlight } = this.#parts
    for (const rest of [...subflows.live]) if (!isOpen(rest)) subflows.close(rest, 'removed', undefined)
    if (suspension.isOn) return
    suspension.begin(now, holdMs)
    // Whether its reader is slow, the peer says anew.
    inFlight.peerWindow.go()
    subflows.suspended()
  }

  /** A connection that was held is held no longer. @param why - as the beginning of a sentence */
  release(why: string): void {
    const { ending, sender, inFlight } = this.#parts
    const unackedBytes = sender.bufferedBytes + inFlight.bytes
    // Then the peer alone may miss something: our FIN.
    if (ending.hasPeerFin && unackedBytes === 0) this.#over(undefined, 'end')
    else this.#over(ending.holdError(why, unackedBytes), 'destroy')
  }

  /** Whoever is at the other end of `subflow` does not know the connection: believed only where no other subflow does. */
  #strangerHeard(subflow: Subflow, stranger: 'unknown' | 'restarted', now: Millis): void {
    const { subflows } = this.#parts
    if (subflows.live.some((other) => other !== subflow && isProvenOpen(other)))
      this.subflow(subflow, now, 'protocol', new RemoteProtocolError('the peer does not know the connection'))
    else if (stranger === 'unknown') this.release('the peer holds the connection no longer')
    else this.#over(restartedError(), 'destroy')
  }

  /** Lets a subflow of a removed path go, as far as it can go without losing anything. */
  seeOff(subflow: Subflow, now: Millis): void {
    const { subflows, peer } = this.#parts
    const { resendsLost } = peer.profile
    if (canEnd(subflow)) {
      if (!resendsLost) clearQueue(subflow)
      subflows.flush(subflow)
      ended(subflow, now)
      subflows.endHalf(subflow)
    } else if (subflow.gracefulClose?.isWithdrawn === true && resendsLost && subflow.state === 'suspect')
      this.subflow(subflow, now, 'removed')
  }

  /** Everything written is acked: goes on with an end that was asked for. */
  advance(): void {
    const { ending, sender, receiver } = this.#parts
    if (!sender.isFlushed) return
    if (ending.hasSentFin || ending.next(receiver.hasHole) === 'fin') this.#sayFin()
    if (ending.next(receiver.hasHole) === 'close') this.#last({ code: RESET.closed }, 'end')
  }

  /** The peer has said that it is gone. */
  #resetHeard(reset: Reset, now: Millis): void {
    const { ending, sender, receiver, inFlight } = this.#parts
    inFlight.ackedBefore(reset.nextFrame ?? 0, now)
    const isClosed = reset.code === RESET.closed
    const error = isClosed ? ending.verdict(sender.isFlushed, receiver.hasHole, now, true) : resetError(reset)
    this.#over(error, 'end')
  }

  /** Ends all at once. With everything acked the peer still learns that nothing is missing. */
  giveUp(isAbort: boolean, reason?: string): void {
    if (!isAbort && this.#parts.sender.isFlushed) this.#sayFin()
    const code = isAbort ? RESET.aborted : RESET.closed
    this.#last({ code, reason }, isAbort ? 'destroy' : 'end')
  }

  /** The connection fails, with everything that it still holds. */
  fail(error: MultipathError): void {
    this.#last({ code: RESET.aborted, reason: error.multipathCode }, 'destroy', error)
  }

  #over(error: MultipathError | undefined, how: 'end' | 'destroy'): void {
    const { subflows, ending, sender, suspension, datagrams } = this.#parts
    this.#isOver = true
    datagrams.clear()
    ending.over()
    suspension.over()
    this.#dispatcher.clear()
    sender.clear()
    subflows.finish(error, how)
  }

  /** Says the last words. A reset of the socket could overtake them: then it closes in order. */
  #last(reset: Reset, how: 'end' | 'destroy', error?: MultipathError): void {
    const { subflows, peer, receiver } = this.#parts
    const { nextFrame } = receiver.window
    const isHeard = peer.profile.takesExtensions
    for (const subflow of subflows.live) {
      // Even where it has not proved itself: so a peer without our secret learns why.
      if (isHeard && (!subflow.isUnproven || subflow.id === 1))
        subflow.acks.addBytes(encodeReset({ ...reset, nextFrame }))
      subflows.flush(subflow, true)
    }
    this.#over(error, isHeard ? 'end' : how)
  }

  /** On each subflow once, as soon as it has answered: before that, a peer does not believe it. */
  #sayFin(): void {
    const { ending, subflows, inFlight } = this.#parts
    const end = inFlight.nextFn
    ending.finSent(end)
    const told = (this.#told ??= new WeakSet())
    for (const subflow of subflows.live) {
      if (!subflow.hasAnswered || subflow.isUnproven || told.has(subflow)) continue
      told.add(subflow)
      if (ending.isNumbered) subflow.acks.addBytes(encodeFin(end))
      else subflow.acks.add(CODE_FIN)
    }
  }
}

/** It can carry what we have to say, and is known to belong to the connection. */
function isProvenOpen(subflow: Subflow): boolean {
  return isOpen(subflow) && !subflow.isUnproven
}

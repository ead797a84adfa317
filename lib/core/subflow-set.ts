// SPDX-License-Identifier: Apache-2.0
/** The live subflows of a connection, the changes of their states, and what is to be done outside. */
import type { Millis } from '../clock.js'
import type { MultipathError } from '../errors.js'
import type { Action } from './action.js'
import type { CloseReason } from './health.js'
import type { SubflowInit } from './init.js'
import type { InFlight } from './in-flight.js'
import { isOpen } from './graceful-close.js'
import type { Wanted } from './parallel.js'
import { Subflow } from './subflow.js'
import type { AbuseLimiter } from './abuse-limiter.js'

export class SubflowSet {
  readonly #live: Subflow[] = []
  readonly #actions: Action[] = []
  readonly #inFlight: InFlight
  readonly #allowance: AbuseLimiter
  #lastId = 0

  constructor(inFlight: InFlight, allowance: AbuseLimiter) {
    this.#inFlight = inFlight
    this.#allowance = allowance
  }

  /** Always the same array: read only. */
  get live(): readonly Subflow[] {
    return this.#live
  }

  get hasActions(): boolean {
    return this.#actions.length > 0
  }

  /** What is to be done outside, in order; it is the caller's. */
  takeActions(): Action[] {
    return this.#actions.splice(0)
  }

  join(init: SubflowInit, now: Millis): Subflow {
    const subflow = new Subflow(++this.#lastId, init, this.#allowance, now)
    this.#live.push(subflow)
    subflow.greet(init, now)
    this.#actions.push({ kind: 'subflow', subflow, from: 'probing', state: 'probing' })
    return subflow
  }

  goUp(subflow: Subflow, now: Millis): void {
    if (subflow.state === 'suspect') {
      this.#inFlight.recovered(subflow)
      subflow.returned(now)
    }
    const from = subflow.moveTo('up')
    this.#actions.push({ kind: 'subflow', subflow, from, state: 'up' })
  }

  suspect(subflow: Subflow, now: Millis): void {
    const from = subflow.moveTo('suspect')
    this.#inFlight.suspect(subflow)
    subflow.suspected(now)
    this.#actions.push({ kind: 'subflow', subflow, from, state: 'suspect' })
  }

  /** It closes at once. What happens to one on its way out is no failure. */
  close(subflow: Subflow, reason: CloseReason, error: Error | undefined): void {
    const { gracefulClose } = subflow
    const isLeaving = gracefulClose?.isWithdrawn === true
    const why = isLeaving ? { reason: gracefulClose.reason } : { reason, ...(error && { error }) }
    this.#live.splice(this.#live.indexOf(subflow), 1)
    const from = subflow.moveTo('closed')
    subflow.path.received(subflow.counters.bytesReceived)
    this.#inFlight.lost(subflow)
    this.#actions.push({ kind: 'close', subflow, how: 'destroy' })
    this.#actions.push({ kind: 'subflow', subflow, from, state: 'closed', ...why })
  }

  /** While the socket is stuck, acks wait here, where they are counted, and not in its buffer. */
  flush(subflow: Subflow, isLast = false): void {
    if (subflow.isBlocked && !isLast) return
    const chunks = subflow.takeOutput()
    if (chunks.length > 0 && isOpen(subflow)) this.#actions.push({ kind: 'send', subflow, chunks })
  }

  /** Our half of it closes; the peer's is read on. */
  endHalf(subflow: Subflow): void {
    this.#actions.push({ kind: 'close', subflow, how: 'half' })
  }

  /** A path is to have more subflows, or fewer. */
  readonly wanted = (wanted: Wanted): void => {
    this.#actions.push(wanted)
  }

  /** None is left, and the connection is held. */
  suspended(): void {
    this.#actions.push({ kind: 'suspended' })
  }

  /** One shows life after none was left for `afterMs`. */
  resumed(afterMs: Millis): void {
    this.#actions.push({ kind: 'resumed', afterMs })
  }

  /** All of them close: the connection is over. */
  finish(error: MultipathError | undefined, how: 'end' | 'destroy'): void {
    const isAuth = error?.multipathCode === 'ERR_MULTIPATH_AUTH'
    const [reason, why] = isAuth ? (['unproven', { error }] as const) : (['closed', {}] as const)
    for (const subflow of this.#live.splice(0)) {
      const from = subflow.moveTo('closed')
      subflow.path.received(subflow.counters.bytesReceived)
      this.#actions.push({ kind: 'close', subflow, how })
      this.#actions.push({ kind: 'subflow', subflow, from, state: 'closed', reason, ...why })
    }
    this.#actions.push(error === undefined ? { kind: 'finished' } : { kind: 'finished', error })
  }
}

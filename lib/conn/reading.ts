// SPDX-License-Identifier: Apache-2.0
/** Which subflows of a connection are read. Not to read one makes TCP slow its peer down. */
import type { Subflow } from '../core/subflow.js'
import { debug } from '../debug.js'
import type { SocketPort } from './driver-ports.js'
import { READ_STOP } from './driver-ports.js'

/** As much of a socket as is asked of it here. */
type Readable = Pick<SocketPort<unknown>, 'stopReading' | 'resumeReading'>

export class Reading {
  readonly #sockets: ReadonlyMap<Subflow, Readable>
  #throttled: Set<Subflow> | undefined
  #isStopped = false

  constructor(sockets: ReadonlyMap<Subflow, Readable>) {
    this.#sockets = sockets
  }

  /** None is read: the application's reader is slow. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  added(socket: Readable): void {
    if (this.#isStopped) socket.stopReading(READ_STOP.reader)
  }

  /** Bytes of it were taken. */
  took(subflow: Subflow): void {
    if (!isLeftUnread(subflow) || this.#throttled?.has(subflow) === true) return
    const why = subflow.isHeldBack ? 'waits for the first one' : 'brings too much useless data'
    debug('subflow %d %s %s: it is left unread', subflow.id, subflow.label, why)
    this.#throttled ??= new Set()
    this.#throttled.add(subflow)
    this.#sockets.get(subflow)?.stopReading(READ_STOP.abuse)
  }

  /** @returns whether all are read again from now on */
  steer(shouldStop: boolean): boolean {
    for (const subflow of this.#throttled ?? []) {
      if (isLeftUnread(subflow) && subflow.state !== 'closed') continue
      this.#throttled?.delete(subflow)
      this.#sockets.get(subflow)?.resumeReading(READ_STOP.abuse)
    }
    if (shouldStop === this.#isStopped) return false
    this.#isStopped = shouldStop
    for (const socket of this.#sockets.values()) {
      if (shouldStop) socket.stopReading(READ_STOP.reader)
      else socket.resumeReading(READ_STOP.reader)
    }
    return !shouldStop
  }
}

function isLeftUnread({ throttledUntil, isHeldBack }: Subflow): boolean {
  return throttledUntil !== undefined || isHeldBack
}

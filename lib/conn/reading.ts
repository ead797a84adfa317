// SPDX-License-Identifier: Apache-2.0
/** Which subflows of a connection are read. Not to read one makes TCP slow its peer down. */
import type { Subflow } from '../core/subflow.js'
import { debug } from '../debug.js'
import type { SocketPort } from './driver-ports.js'
import { HOLD } from './driver-ports.js'

/** As much of a socket as is asked of it here. */
type Readable = Pick<SocketPort<unknown>, 'hold' | 'release'>

export class Reading {
  readonly #sockets: ReadonlyMap<Subflow, Readable>
  readonly #resting = new Set<Subflow>()
  #isPaused = false

  constructor(sockets: ReadonlyMap<Subflow, Readable>) {
    this.#sockets = sockets
  }

  /** None is read: the application's reader is slow. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  added(socket: Readable): void {
    if (this.#isPaused) socket.hold(HOLD.reader)
  }

  /** Bytes of it were taken. */
  took(subflow: Subflow): void {
    if (subflow.readAgainAt === undefined || this.#resting.has(subflow)) return
    debug(
      'subflow %d %s brings too much that is of no use: it is read more slowly',
      subflow.id,
      subflow.label,
    )
    this.#resting.add(subflow)
    this.#sockets.get(subflow)?.hold(HOLD.abuse)
  }

  /** @returns whether all are read again from now on */
  steer(shouldPause: boolean): boolean {
    for (const subflow of this.#resting) {
      if (subflow.readAgainAt !== undefined && subflow.state !== 'closed') continue
      this.#resting.delete(subflow)
      this.#sockets.get(subflow)?.release(HOLD.abuse)
    }
    if (shouldPause === this.#isPaused) return false
    this.#isPaused = shouldPause
    for (const socket of this.#sockets.values()) {
      if (shouldPause) socket.hold(HOLD.reader)
      else socket.release(HOLD.reader)
    }
    return !shouldPause
  }
}

// SPDX-License-Identifier: Apache-2.0
/** Which subflows of a connection are read. Not to read one makes TCP slow its peer down. */
import type { Subflow } from '../core/subflow.js'
import { debug } from '../debug.js'
import type { SubflowIo } from './subflow-io.js'
import { HOLD } from './subflow-io.js'

export class Reading {
  readonly #ios: ReadonlyMap<Subflow, SubflowIo>
  readonly #resting = new Set<Subflow>()
  #isPaused = false

  constructor(ios: ReadonlyMap<Subflow, SubflowIo>) {
    this.#ios = ios
  }

  /** None is read: the application's reader is slow. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  added(io: SubflowIo): void {
    if (this.#isPaused) io.hold(HOLD.reader)
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
    this.#ios.get(subflow)?.hold(HOLD.abuse)
  }

  /** @returns whether all are read again from now on */
  steer(shouldPause: boolean): boolean {
    for (const subflow of this.#resting) {
      if (subflow.readAgainAt !== undefined && subflow.state !== 'closed') continue
      this.#resting.delete(subflow)
      this.#ios.get(subflow)?.release(HOLD.abuse)
    }
    if (shouldPause === this.#isPaused) return false
    this.#isPaused = shouldPause
    for (const io of this.#ios.values()) {
      if (shouldPause) io.hold(HOLD.reader)
      else io.release(HOLD.reader)
    }
    return !shouldPause
  }
}

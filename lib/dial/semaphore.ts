// SPDX-License-Identifier: Apache-2.0
/** Bounds the subflows of one connection: each holds a place from before it is dialled until it is gone. */
import { toError } from '../errors.js'

/** Gives the place back; more than once does nothing. */
export type Release = () => void

export class Semaphore {
  readonly #count: number
  #free: number
  readonly #waiting: ((place: Release) => void)[] = []

  constructor(count: number) {
    this.#count = this.#free = count
  }

  /** As {@link tryTake}, but while half of all are free only: the others are for who needs one. */
  tryTakeSpare(): Release | undefined {
    return this.#free > this.#count / 2 ? this.tryTake() : undefined
  }

  /** A place, if one is free. */
  tryTake(): Release | undefined {
    if (this.#free === 0) return undefined
    this.#free--
    return this.#place()
  }

  /** A place, once one is free, first come first served; rejects with the reason of `signal`. */
  take(signal: AbortSignal): Promise<Release> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const place = this.tryTake()
      if (place !== undefined) {
        resolve(place)
        return
      }
      const wake = (given: Release): void => {
        signal.removeEventListener('abort', signalOnAbort)
        resolve(given)
      }
      const signalOnAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(wake), 1)
        reject(toError(signal.reason))
      }
      signal.addEventListener('abort', signalOnAbort, { once: true })
      this.#waiting.push(wake)
    })
  }

  #place(): Release {
    let isTaken = true
    return () => {
      if (!isTaken) return
      isTaken = false
      const next = this.#waiting.shift()
      if (next === undefined) this.#free++
      else next(this.#place())
    }
  }
}

/** Bounds the subflows of one connection: each holds a place from before it is dialled until it is gone. */
import { toError } from '../errors.js'

/** Gives the place back; more than once does nothing. */
export type LeavePlace = () => void

export class Places {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** A place, if one is free. */
  tryTake(): LeavePlace | undefined {
    if (this.#free === 0) return undefined
    this.#free--
    let isTaken = true
    return () => {
      if (!isTaken) return
      isTaken = false
      this.#free++
      this.#waiting.shift()?.()
    }
  }

  /** A place, once one is free, first come first served; rejects with the reason of `signal`. */
  async take(signal: AbortSignal): Promise<LeavePlace> {
    for (;;) {
      signal.throwIfAborted()
      const place = this.tryTake()
      if (place !== undefined) return place
      await this.#someLeaves(signal)
    }
  }

  #someLeaves(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        signal.removeEventListener('abort', signalOnAbort)
        resolve()
      }
      const signalOnAbort = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(wake), 1)
        reject(toError(signal.reason))
      }
      signal.addEventListener('abort', signalOnAbort, { once: true })
      this.#waiting.push(wake)
    })
  }
}

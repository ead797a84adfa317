/** One path of a dialer: how to open a stream on it, and its record over all connections. */
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.js'
import { PathRecord } from '../conn/path-stats.js'
import type { SubflowDialer } from '../transport/transport.js'
import { within } from './timing.js'

export class DialPath {
  readonly dialer: SubflowDialer
  readonly record: PathRecord
  readonly #clock: Clock
  readonly #timeoutMs: number

  constructor(dialer: SubflowDialer, clock: Clock, timeoutMs: number) {
    this.dialer = dialer
    this.record = new PathRecord(dialer.label)
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  get label(): string {
    return this.dialer.label
  }

  /** Opens a stream within the time limit, or `limitMs` where that is less, and keeps count. */
  async open(signal: AbortSignal, limitMs: number = Infinity): Promise<Duplex> {
    try {
      const limit = Math.min(this.#timeoutMs, limitMs)
      const stream = await within(this.#clock, limit, signal, (inner) => raceAbort(this.dialer, inner))
      this.record.succeeded()
      return stream
    } catch (error) {
      if (!signal.aborted) this.record.failed()
      throw error
    }
  }
}

/** A user's dialer may not mind its signal: the dial must end all the same, and a late stream be closed. */
function raceAbort(dialer: SubflowDialer, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const signalOnAbort = (): void => {
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', signalOnAbort, { once: true })
    Promise.resolve()
      .then(() => dialer.dial({ signal }))
      .then((stream) => {
        signal.removeEventListener('abort', signalOnAbort)
        if (signal.aborted) {
          stream.on('error', () => {})
          stream.destroy()
        } else resolve(stream)
      })
      .catch(reject)
  })
}

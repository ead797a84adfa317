// SPDX-License-Identifier: Apache-2.0
/** One path of a dialer: how to open a stream on it, and its record over all connections. */
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.js'
import { PathRecord } from '../conn/path-stats.js'
import { Path } from '../core/path.js'
import type { Refs } from '../stream/refs.js'
import type { SubflowDialer } from '../transport/transport.js'
import { discard, ignore } from '../ignore.js'
import { within } from './timing.js'

export class DialPath {
  readonly label: string
  /** Another one where the path's source says that it leads elsewhere now. */
  dialer: SubflowDialer
  readonly record: PathRecord
  /** Shared by the connections of the dialer. */
  readonly policy: Path
  readonly #clock: Clock
  readonly #timeoutMs: number

  constructor(dialer: SubflowDialer, clock: Clock, timeoutMs: number) {
    this.label = dialer.label
    this.dialer = dialer
    this.record = new PathRecord(dialer.label)
    this.policy = new Path(dialer.policy)
    this.#clock = clock
    this.#timeoutMs = timeoutMs
  }

  /** Opens a stream within the time limit, and keeps count. */
  async open(signal: AbortSignal, refs: Refs): Promise<Duplex> {
    try {
      const stream = await this.#open(signal, refs, this.#timeoutMs)
      this.record.succeeded()
      return stream
    } catch (error) {
      if (!signal.aborted) this.record.failed()
      throw error
    }
  }

  /** Opens a stream within `limitMs`; a failure says nothing new of the path and is not counted. */
  async tryOpen(signal: AbortSignal, refs: Refs, limitMs: number): Promise<Duplex | undefined> {
    try {
      const stream = await this.#open(signal, refs, Math.min(this.#timeoutMs, limitMs))
      this.record.succeeded()
      return stream
    } catch {
      return undefined
    }
  }

  #open(signal: AbortSignal, refs: Refs, limitMs: number): Promise<Duplex> {
    return within(this.#clock, limitMs, signal, (inner) => raceAbort(this.dialer, inner, refs))
  }
}

/** A user's dialer may not mind its signal: the dial must end all the same, and a late stream be closed. */
function raceAbort(dialer: SubflowDialer, signal: AbortSignal, refs: Refs): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const signalOnAbort = (): void => {
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', signalOnAbort, { once: true })
    Promise.resolve()
      .then(() => dialer.dial({ signal, onSocket: (socket) => refs.add(socket) }))
      .then((stream) => {
        signal.removeEventListener('abort', signalOnAbort)
        assertDuplex(stream, dialer)
        // It may wait for its turn, or for its hello, without any other listener.
        stream.on('error', ignore)
        refs.add(stream)
        if (signal.aborted) stream.destroy()
        else resolve(stream)
      })
      .catch(reject)
  })
}

function assertDuplex(stream: unknown, { label }: SubflowDialer): asserts stream is Duplex {
  const { on, write, destroy } = (stream ?? {}) as Partial<Duplex>
  for (const method of [on, write, destroy])
    if (typeof method !== 'function') throw new Error(`dial() of path ${label} did not return a Duplex`)
}

/** Closes a stream that is opening, once it has. */
export function discardLater(opening: Promise<Duplex> | undefined): void {
  opening?.then(discard, ignore)
}

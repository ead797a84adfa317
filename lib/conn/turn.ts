// SPDX-License-Identifier: Apache-2.0
/**
 * How much one turn of the event loop reads. Node reads up to 2 MiB of a stream before it looks at the next one: ten that
 * pour would keep all others waiting for tens of milliseconds. So a stream is left alone until the next turn once it has
 * brought its share of this one, and once the turn has taken its time, each as soon as it has brought something.
 */
import { HOLD } from './subflow-io.js'
import type { SubflowIo } from './subflow-io.js'

/** Milliseconds. */
const TURN_MS = 2
/** Of one stream. A quarter of what Node would read: several paths of one connection get on side by side. */
const ROW_BYTES = 512 * 1024

type Held = Pick<SubflowIo, 'hold' | 'release'>

export class Turn {
  readonly #now: () => number
  readonly #held: Held[] = []
  #beganAt: number | undefined
  /** Node reads one stream after the other. */
  #last: Held | undefined
  #row = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** `io` brings so many bytes. */
  takes(io: Held, bytes: number): void {
    const now = this.#now()
    if (this.#beganAt === undefined) {
      this.#beganAt = now
      setImmediate(this.#processOnTurnEnd)
    }
    if (io !== this.#last) this.#row = 0
    this.#last = io
    this.#row += bytes
    if (this.#row < ROW_BYTES && now - this.#beganAt < TURN_MS) return
    io.hold(HOLD.turn)
    this.#held.push(io)
  }

  readonly #processOnTurnEnd = (): void => {
    this.#beganAt = undefined
    this.#last = undefined
    for (const io of this.#held.splice(0)) io.release(HOLD.turn)
  }
}

/** The process has one event loop. */
export const TURN: Turn = new Turn(() => performance.now())

// SPDX-License-Identifier: Apache-2.0
/**
 * How much one turn of the event loop reads. Node reads up to 2 MiB of a stream before it looks at the next one: ten that
 * pour would keep all others waiting for tens of milliseconds. So a stream is left alone until the next turn once it has
 * brought its share of this one, and once the turn has taken its time, each as soon as it has brought something.
 *
 * What a stream has brought may take long as well: 64 KiB hold 32,000 pings. Its reader takes a portion at a time, and
 * once the turn has taken its time, the rest waits. Of those that wait, each turn serves one, and between two turns a
 * stream that has brought little is served at once: one that floods delays only the others that flood.
 */
import type { Readable } from 'node:stream'

/** Milliseconds. */
const TURN_MS = 2
/** Of one stream. A quarter of what Node would read: several paths of one connection get on side by side. */
const ROW_BYTES = 512 * 1024

/** Reading of one stream. */
export interface ReadStoppable {
  stopReading(): void
  resumeReading(): void
}

/** One whose bytes are taken in portions. */
export interface PortionsOwner extends ReadStoppable {
  /** It is held for another reason. */
  readonly isStopped: boolean
  /** Takes a portion of the bytes, all of them where they are little work. @returns how many */
  take(bytes: Uint8Array): number
}

export class Turn {
  readonly #now: () => number
  #stopped = new Set<ReadStoppable>()
  /** Those that have brought more than has been taken, the one that has waited longest first. */
  readonly #waiting = new Set<ReadStoppable>()
  #beganAt: number | undefined
  /** Node reads one stream after the other. */
  #last: ReadStoppable | undefined
  #row = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** `stream` brings `bytes`. */
  takes(stream: ReadStoppable, bytes: number): void {
    const hasTime = this.#hasTime()
    if (stream !== this.#last) this.#row = 0
    this.#last = stream
    this.#row += bytes
    if (this.#row < ROW_BYTES && hasTime) return
    stream.stopReading()
    this.#stopped.add(stream)
  }

  /** Whether more of what `stream` has brought may be taken now. Otherwise it is held until a later turn. */
  mayGoOn(stream: ReadStoppable): boolean {
    if (this.#hasTime()) return true
    stream.stopReading()
    this.#stopped.delete(stream)
    this.#waiting.add(stream)
    return false
  }

  #hasTime(): boolean {
    const now = this.#now()
    if (this.#beganAt === undefined) {
      this.#beganAt = now
      setImmediate(this.#processOnTurnEnd)
    }
    return now - this.#beganAt < TURN_MS
  }

  readonly #processOnTurnEnd = (): void => {
    this.#beganAt = undefined
    this.#last = undefined
    const due = [...this.#stopped]
    // Not cleared: of a set that lives for long, V8 allocates an empty table among old objects, each time.
    if (due.length > 0) this.#stopped = new Set()
    const [longest] = this.#waiting
    if (longest !== undefined) {
      this.#waiting.delete(longest)
      due.push(longest)
    }
    for (const stream of due) stream.resumeReading()
    // The rest need turns even if no stream brings anything.
    if (this.#waiting.size > 0) this.#hasTime()
  }
}

/** The process has one event loop. */
const TURN: Turn = new Turn(() => performance.now())

/** Hands what a stream brings to its reader, in portions. */
export class Portions {
  readonly #stream: Readable
  readonly #owner: PortionsOwner
  readonly #turn: Turn

  /** @param owner - holds `stream` at once */
  constructor(stream: Readable, owner: PortionsOwner, turn: Turn = TURN) {
    this.#stream = stream
    this.#owner = owner
    this.#turn = turn
  }

  /** The stream has brought `bytes`. At least one portion is taken, and what has to wait becomes its next bytes again. */
  push(bytes: Uint8Array): void {
    this.#turn.takes(this.#owner, bytes.length)
    let taken = this.#owner.take(bytes)
    while (taken < bytes.length) {
      // Nothing can be put back behind the end.
      if (!this.#stream.readableEnded && !this.#mayGoOn()) {
        this.#stream.unshift(bytes.subarray(taken))
        return
      }
      const more = this.#owner.take(bytes.subarray(taken))
      // It will not be read any more.
      if (more === 0) return
      taken += more
    }
  }

  #mayGoOn(): boolean {
    return !this.#owner.isStopped && this.#turn.mayGoOn(this.#owner)
  }
}

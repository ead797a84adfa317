// SPDX-License-Identifier: Apache-2.0
/** Time that stands still until a test moves it. */
import type { Clock, Millis } from '../clock.js'

interface Timer {
  readonly at: Millis
  /** Decides among timers of the same moment: first armed, first run. */
  readonly order: number
  readonly run: () => void
  isCancelled: boolean
}

/** More timers than this without time moving: they arm each other, and time would stand still for ever. */
const MAX_TIMERS_AT_ONCE = 100_000
/** A run that waits for a promise gives up after so much virtual time. */
const DEFAULT_LIMIT_MS = 600_000
/** Any day will do; it only has to be the same in every run. */
const WALL_START_MS = 1_700_000_000_000

/**
 * A {@link Clock} that a test moves. Timers run in the order of their times, and `now()` is exactly the time of
 * the timer while it runs.
 *
 * `advance` is synchronous and serves code without streams and promises; `run` and `until` let the event loop
 * turn after each moment, so that streams and promises keep up.
 */
export class ManualClock implements Clock {
  readonly #timers: Timer[] = []
  #now: Millis = 0
  #wallOffset = WALL_START_MS
  #armed = 0
  #runsAtNow = 0

  now(): Millis {
    return this.#now
  }

  wall(): Millis {
    return this.#now + this.#wallOffset
  }

  callAt(at: Millis, run: () => void): () => void {
    const timer: Timer = { at, order: this.#armed++, run, isCancelled: false }
    insert(this.#timers, timer)
    return () => {
      timer.isCancelled = true
    }
  }

  /** When the next timer is due; Infinity where none is armed. */
  get nextTimerAt(): Millis {
    while (this.#timers[0]?.isCancelled === true) removeFirst(this.#timers)
    return this.#timers[0]?.at ?? Infinity
  }

  /** Moves time by `ms` and runs every timer that is due meanwhile. */
  advance(ms: number): void {
    const end = this.#now + ms
    while (this.nextTimerAt <= end) this.#runNext()
    this.#moveTo(end)
  }

  /** Time passes, but no timer runs until the clock is moved again: the event loop was busy. */
  stall(ms: number): void {
    this.#moveTo(this.#now + ms)
  }

  /** The wall clock goes on by `ms` and the monotonic one does not: the machine was suspended. */
  suspend(ms: number): void {
    this.#wallOffset += ms
  }

  /** As {@link advance}, with turns of the event loop between any two moments. */
  async run(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    while (this.nextTimerAt <= end) {
      this.#runMoment()
      await settle()
    }
    this.#moveTo(end)
  }

  /**
   * Moves time until `work` is settled.
   *
   * @param limitMs - virtual milliseconds after which it gives up
   * @throws what `work` rejects with; an Error when the limit has passed, or when nothing is left that could happen
   */
  async until<Result>(work: Promise<Result>, limitMs: number = DEFAULT_LIMIT_MS): Promise<Result> {
    const end = this.#now + limitMs
    const state = { isSettled: false }
    const mark = (): void => {
      state.isSettled = true
    }
    work.then(mark, mark)
    for (;;) {
      await settle()
      if (state.isSettled) return await work
      if (this.nextTimerAt === Infinity)
        throw new Error(`at ${this.#now} ms nothing is left that could happen`)
      if (this.nextTimerAt > end) throw new Error(`not settled within ${limitMs} ms of virtual time`)
      this.#runMoment()
    }
  }

  /** Runs all timers of the next moment, those included that they arm for it. */
  #runMoment(): void {
    const moment = this.nextTimerAt
    while (this.nextTimerAt <= moment) this.#runNext()
  }

  #runNext(): void {
    const timer = removeFirst(this.#timers)!
    this.#moveTo(timer.at)
    if (++this.#runsAtNow > MAX_TIMERS_AT_ONCE)
      throw new Error(`timers keep arming each other at ${this.#now} ms`)
    timer.run()
  }

  #moveTo(at: Millis): void {
    if (at <= this.#now) return
    this.#now = at
    this.#runsAtNow = 0
  }
}

/** Lets promises, ticks and immediates run; what they cause in turn, too. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}

/** Puts a timer into the binary heap. */
function insert(heap: Timer[], timer: Timer): void {
  let at = heap.length
  heap.push(timer)
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (isBefore(heap[parent]!, timer)) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = timer
}

/** Takes the earliest timer off the heap. */
function removeFirst(heap: Timer[]): Timer | undefined {
  const first = heap[0]
  const last = heap.pop()
  if (first === undefined || last === undefined || heap.length === 0) return first
  let at = 0
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
    if (isBefore(last, heap[child]!)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
  return first
}

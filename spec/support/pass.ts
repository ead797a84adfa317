// SPDX-License-Identifier: Apache-2.0
/** Virtual time for paths in memory, which deliver at once but in turns of the event loop. */
import type { ManualClock } from '../../lib/testing/manual-clock.js'
import { quiet } from './turns.js'

/** Turns in which everything in memory has arrived, answers and all. */
const TURNS = 24

/** Lets `ms` pass in steps, so that what is under way arrives before time moves on. */
export async function pass(clock: ManualClock, ms: number, stepMs = 10): Promise<void> {
  await quiet(TURNS)
  for (let left = ms; left > 0; left -= stepMs) {
    clock.advance(Math.min(left, stepMs))
    await quiet(TURNS)
  }
}

/** Lets time pass until `work` settles; at most `limitMs`. */
export async function passUntil<Result>(
  clock: ManualClock,
  work: Promise<Result>,
  limitMs = 60_000,
): Promise<Result> {
  const state = { isSettled: false }
  const mark = (): void => {
    state.isSettled = true
  }
  work.then(mark, mark)
  const end = clock.now() + limitMs
  for (;;) {
    await quiet(TURNS)
    if (state.isSettled) return await work
    if (clock.now() >= end) throw new Error(`not settled within ${limitMs} ms`)
    clock.advance(10)
  }
}

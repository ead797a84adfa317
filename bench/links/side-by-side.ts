// SPDX-License-Identifier: Apache-2.0
/** Lets jobs that are light on the processor go side by side, without crowding it. */

export interface Weighed {
  /** The traffic that it makes, in Mbit/s. */
  readonly weight: number
  /** All of a batch begin before any of the next, so that the heavy ones never wait for long. */
  readonly batch: number
}

/** The first that fits beside those under way; one that is too heavy for the capacity goes alone. */
function nextFitting(waiting: readonly Weighed[], underWay: Iterable<Weighed>, capacity: number): number {
  const loads = [...underWay].map(({ weight }) => weight)
  if (loads.length === 0) return waiting.length > 0 ? 0 : -1
  const load = loads.reduce((total, weight) => total + weight, 0)
  return waiting.findIndex(({ weight, batch }) => batch === waiting[0]?.batch && load + weight <= capacity)
}

/** Jobs are in the order of their batches. `run` must not reject. */
export async function sideBySide<T extends Weighed>(
  jobs: readonly T[],
  capacity: number,
  run: (job: T) => Promise<void>,
): Promise<void> {
  const waiting = [...jobs]
  const underWay = new Map<T, Promise<void>>()
  while (waiting.length > 0 || underWay.size > 0) {
    const next = nextFitting(waiting, underWay.keys(), capacity)
    const [job] = next === -1 ? [] : waiting.splice(next, 1)
    if (job)
      underWay.set(
        job,
        run(job).then(() => void underWay.delete(job)),
      )
    else await Promise.race(underWay.values())
  }
}

/** How long the jobs take when they go as sideBySide() lets them, in the unit of `lasting`. */
export function durationOf<T extends Weighed>(
  jobs: readonly T[],
  capacity: number,
  lasting: (job: T) => number,
): number {
  const waiting = [...jobs]
  const ends = new Map<T, number>()
  let now = 0
  while (waiting.length > 0 || ends.size > 0) {
    const next = nextFitting(waiting, ends.keys(), capacity)
    const [job] = next === -1 ? [] : waiting.splice(next, 1)
    if (job) ends.set(job, now + lasting(job))
    else {
      now = Math.min(...ends.values())
      for (const [one, end] of ends) if (end <= now) ends.delete(one)
    }
  }
  return now
}

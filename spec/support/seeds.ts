// SPDX-License-Identifier: Apache-2.0
/** Randomized specs: a fixed set of seeds and a fresh one, named so that a failure can be repeated. */

/** `count` seeds. MULTIPATH_SEED gives a single one to repeat. */
export function seeds(count: number): number[] {
  const wanted = process.env['MULTIPATH_SEED']
  if (wanted !== undefined) return [Number(wanted)]
  // The last is new every day: in time, every path is walked.
  const today = Math.floor(Date.now() / 86_400_000)
  return [...Array.from({ length: count - 1 }, (_, index) => index + 1), today]
}

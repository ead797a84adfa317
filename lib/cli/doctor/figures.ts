// SPDX-License-Identifier: Apache-2.0
/** Figures out of the samples of an upload. */
import type { Sample } from './upload.js'

/** While windows are found, a path delivers less than it can: this part of the time is left out. */
const RAMP_UP = 1 / 3

/** Bytes acknowledged in a second, once it runs; 0 where nothing was. */
export function rateOf(samples: readonly Sample[]): number {
  const steady = steadyOf(samples)
  const last = steady.at(-1)
  if (last === undefined) return 0
  const first = steady.length > 1 ? steady[0]! : { atMs: 0, ackedBytes: 0 }
  return ((last.ackedBytes - first.ackedBytes) / (last.atMs - first.atMs)) * 1000
}

/** The median of the smoothed round-trip times of the path, once it runs; `undefined` where none is known. */
export function medianRttMs(samples: readonly Sample[], label: string): number | undefined {
  const rtts = steadyOf(samples).flatMap(({ rttMs }) => rttMs[label] ?? [])
  return rtts.sort((a, b) => a - b)[Math.floor(rtts.length / 2)]
}

function steadyOf(samples: readonly Sample[]): readonly Sample[] {
  const from = (samples.at(-1)?.atMs ?? 0) * RAMP_UP
  return samples.filter(({ atMs }) => atMs >= from)
}

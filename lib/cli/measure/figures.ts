// SPDX-License-Identifier: Apache-2.0
/** What is measured, and figures out of its samples. */

/** As the side sees it that asks for the measurement. */
export type Direction = 'download' | 'upload' | 'both'

/** A moment of a measurement. */
export interface Sample {
  /** Since its beginning, milliseconds. */
  readonly atMs: number
  /** Bytes since its beginning: received, and sent and acknowledged. */
  readonly downBytes: number
  readonly upBytes: number
  /** By label; paths without one are missing. */
  readonly rttMs: Readonly<Record<string, number>>
}

/** Bytes in each second; `undefined`: that way was not measured. */
export interface Rates {
  readonly downBytesPerSecond: number | undefined
  readonly upBytesPerSecond: number | undefined
}

/** While windows are found, a path delivers less than it can: this part of the time is left out. */
const RAMP_UP = 1 / 3

/** Bytes in a second, once it runs; 0 only where none came at all. */
export function rateOf(samples: readonly Sample[], way: 'down' | 'up'): number {
  const bytesOf = ({ downBytes, upBytes }: Sample): number => (way === 'down' ? downBytes : upBytes)
  const steady = steadyOf(samples)
  const last = steady.at(-1)
  if (last === undefined) return 0
  const first = steady.length > 1 ? steady[0]! : undefined
  const bytes = bytesOf(last) - (first ? bytesOf(first) : 0)
  // All of it came before then: the average over the whole time is what is known.
  if (bytes === 0) return (bytesOf(last) / last.atMs) * 1000
  return (bytes / (last.atMs - (first?.atMs ?? 0))) * 1000
}

export function ratesOf(samples: readonly Sample[], direction: Direction): Rates {
  return {
    downBytesPerSecond: direction === 'upload' ? undefined : rateOf(samples, 'down'),
    upBytesPerSecond: direction === 'download' ? undefined : rateOf(samples, 'up'),
  }
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

/** Of several paths; `undefined` where one was not measured. */
export function sumOf(all: readonly (Rates | undefined)[]): Rates {
  const sum = (way: keyof Rates): number | undefined => {
    const rates = all.map((one) => one?.[way])
    return rates.includes(undefined) ? undefined : rates.reduce<number>((total, rate) => total + rate!, 0)
  }
  return { downBytesPerSecond: sum('downBytesPerSecond'), upBytesPerSecond: sum('upBytesPerSecond') }
}

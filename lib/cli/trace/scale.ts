// SPDX-License-Identifier: Apache-2.0
/** Axes: round numbers to write beside them, and units in which they are short. */

export interface Scale {
  /** The end of the axis, in what is measured. */
  readonly most: number
  readonly ticks: readonly { readonly value: number; readonly words: string }[]
}

export interface Unit {
  readonly name: string
  /** What is measured in one of them. */
  readonly size: number
}

const BYTE_UNITS: readonly Unit[] = [
  { name: 'GiB', size: 1024 ** 3 },
  { name: 'MiB', size: 1024 ** 2 },
  { name: 'KiB', size: 1024 },
]

/** The largest unit of which there is at least one. */
export function bytesUnit(most: number): Unit {
  return BYTE_UNITS.find(({ size }) => most >= size) ?? { name: 'bytes', size: 1 }
}

/** An axis from 0 that ends with a tick at `most` or beyond; about `count` ticks. */
export function scaleTo(most: number, size: number, count: number): Scale {
  const step = niceStep(most / size / count)
  const ticks = ticksTo(Math.ceil(most / size / step - 1e-9) * step, step)
  return {
    most: ticks.at(-1)!.value * size,
    ticks: ticks.map((tick) => ({ ...tick, value: tick.value * size })),
  }
}

/** An axis from 0 that ends at `most`, wherever its last tick is. */
export function scaleWithin(most: number, size: number, count: number): Scale {
  const ticks = ticksTo(most / size, niceStep(most / size / count))
  return { most, ticks: ticks.map((tick) => ({ ...tick, value: tick.value * size })) }
}

function ticksTo(most: number, step: number): { value: number; words: string }[] {
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9))
  const count = Math.max(1, Math.floor(most / step + 1e-9)) + 1
  return Array.from({ length: count }, (_, index) => {
    const value = index * step
    return { value, words: value.toFixed(decimals) }
  })
}

/** 1, 2 or 5 times a power of ten, at least `rough`. */
function niceStep(rough: number): number {
  if (!(rough > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(rough))
  return power * (([1, 2, 5] as const).find((factor) => factor * power >= rough * (1 - 1e-9)) ?? 10)
}

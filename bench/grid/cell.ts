// SPDX-License-Identifier: Apache-2.0
/** The cells of the grid: links that a connection has for some virtual seconds. */
import type { Kernel } from '../../lib/testing/kernels.js'

export const AXES = {
  rttMs: [1, 2, 4, 8, 15, 30, 60, 100, 140, 160, 200, 300, 600],
  lossRate: [0, 0.001, 0.01, 0.03],
  jitterMs: [0, 5, 20, 60],
  /** Queue, in bandwidth-delay products. */
  queuePipes: [0.25, 1, 4],
  rateMbps: [2, 20, 200],
} as const

export type Axis = keyof typeof AXES

/** `one`: a path alone. `two`: beside one of 2/5 of its rate and 2.5 times its RTT. `steps`: alone, its rate a quarter and back. */
export const SETTINGS = ['one', 'two', 'steps'] as const
export type Setting = (typeof SETTINGS)[number]

export type Cell = Readonly<Record<Axis, number>> & {
  readonly setting: Setting
  readonly kernel: Exclude<Kernel, 'none'>
}

export function keyOf(cell: Cell): string {
  const { setting, kernel, rttMs, lossRate, jitterMs, queuePipes, rateMbps } = cell
  return `${setting} ${kernel} ${rateMbps} Mbit/s ${rttMs} ms loss ${lossRate * 100} % jitter ${jitterMs} ms queue ${queuePipes}`
}

/** The shortest queue: packets have a size, and processes take time, which is not simulated. */
const LEAST_QUEUE_BYTES = 15_000

/** Of the first link. */
export function queueBytesOf({
  queuePipes,
  rateMbps,
  rttMs,
  jitterMs,
}: Pick<Cell, 'queuePipes' | 'rateMbps' | 'rttMs' | 'jitterMs'>): number {
  return Math.max(LEAST_QUEUE_BYTES, queuePipes * rateMbps * 125 * (rttMs + jitterMs))
}

type Chosen = Readonly<Record<Axis, readonly number[]>>

/** All of them, those of one link side by side. */
export function cells(
  settings: readonly Setting[],
  kernels: readonly Cell['kernel'][],
  axes: Chosen,
): Cell[] {
  let all: Partial<Cell>[] = kernels.map((kernel) => ({ kernel }))
  for (const axis of Object.keys(axes) as Axis[])
    all = all.flatMap((cell) => axes[axis].map((value) => ({ ...cell, [axis]: value })))
  return all.flatMap((cell) => settings.map((setting) => ({ ...cell, setting }) as Cell))
}

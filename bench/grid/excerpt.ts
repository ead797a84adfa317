// SPDX-License-Identifier: Apache-2.0
/** Cells around where thresholds were: few enough for each run of the specs. */
import type { Axis, Cell } from './cell.js'
import { AXES } from './cell.js'

const BASE: Cell = {
  setting: 'one',
  kernel: 'bbr',
  rttMs: 30,
  lossRate: 0,
  jitterMs: 0,
  queuePipes: 1,
  rateMbps: 20,
}

function along(axis: Axis, values: readonly number[], of: Partial<Cell> = {}): Cell[] {
  return values.map((value) => ({ ...BASE, ...of, [axis]: value }))
}

export const EXCERPT: readonly Cell[] = [
  ...along('rttMs', [1, 2, 4, 8, 15, 60, 140, 160, 300]),
  ...along('rttMs', [1, 2, 60, 140, 300], { kernel: 'cubic' }),
  ...along('rttMs', [4, 15, 60, 140, 160], { lossRate: 0.01, rateMbps: 2 }),
  ...along('rttMs', [140, 160], { lossRate: 0.01 }),
  ...along('jitterMs', [20, 60], { rttMs: 8 }),
  ...along('lossRate', AXES.lossRate),
  ...along('jitterMs', AXES.jitterMs, { rttMs: 60, rateMbps: 2 }),
  ...along('rttMs', [4, 30, 140], { setting: 'steps' }),
  ...along('rttMs', [4, 30, 140], { setting: 'two' }),
]

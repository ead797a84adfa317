// SPDX-License-Identifier: Apache-2.0
/** The grid as a picture: a block for each rate and queue, RTT to the right, loss and jitter down. */
import { AXES } from './cell.js'
import type { Measured } from './judge.js'

const CELL = 14
const GAP = 34
const LEFT = 120

/** Red for nothing, over yellow, to green for all that is possible. */
function colour(share: number): string {
  return `hsl(${Math.round(120 * Math.max(0, (share - 0.4) / 0.6))} 65% 55%)`
}

/** Shares of one path alone under BBR. */
export function heatMap(all: readonly Measured[]): string {
  const width = AXES.rttMs.length * CELL
  const height = AXES.lossRate.length * AXES.jitterMs.length * CELL
  const parts = all
    .filter(({ cell }) => cell.setting === 'one' && cell.kernel === 'bbr')
    .map(({ cell, outcome }) => {
      const index = <Value>(values: readonly Value[], value: Value): number => values.indexOf(value)
      const column = index<number>(AXES.rateMbps, cell.rateMbps)
      const row = index<number>(AXES.queuePipes, cell.queuePipes)
      const down =
        index<number>(AXES.jitterMs, cell.jitterMs) * 4 + index<number>(AXES.lossRate, cell.lossRate)
      const x = LEFT + column * (width + GAP) + index<number>(AXES.rttMs, cell.rttMs) * CELL
      const y = GAP + row * (height + GAP) + down * CELL
      const { share, queueMs } = outcome
      const title = `${cell.rttMs} ms, loss ${cell.lossRate * 100} %, jitter ${cell.jitterMs} ms: ${share.toFixed(2)}, queue ${queueMs.toFixed(0)} ms`
      return `<rect x="${x}" y="${y}" width="${CELL - 1}" height="${CELL - 1}" fill="${colour(share)}"><title>${title}</title></rect>`
    })
  const labels = AXES.rateMbps.flatMap((rate, column) =>
    AXES.queuePipes.map((queue, row) => {
      const [x, y] = [LEFT + column * (width + GAP), GAP + row * (height + GAP) - 6]
      return `<text x="${x}" y="${y}">${rate} Mbit/s, queue of ${queue} pipes</text>`
    }),
  )
  const jitters = AXES.queuePipes.flatMap((_queue, row) =>
    AXES.jitterMs.map(
      (jitter, index) =>
        `<text x="4" y="${GAP + row * (height + GAP) + (index * 4 + 2) * CELL}">jitter ${jitter} ms</text>`,
    ),
  )
  const size = `width="${LEFT + 3 * (width + GAP)}" height="${3 * (height + GAP) + GAP}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" font-size="11">\n${[...labels, ...jitters, ...parts].join('\n')}\n</svg>\n`
}

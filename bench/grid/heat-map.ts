// SPDX-License-Identifier: Apache-2.0
/**
 * The grid as a picture: one path alone under BBR, share and queueing side by side. A block for each rate and queue;
 * in it, RTT to the right, jitter and loss down.
 */
import type { Cell } from './cell.js'
import { AXES } from './cell.js'
import type { Measured } from './judge.js'
import { queueing } from './judge.js'

const CELL = 12
const GAP = { x: 26, y: 52 }
const LEFT = 128
const TOP = 96
const WIDTH = AXES.rttMs.length * CELL
const HEIGHT = AXES.jitterMs.length * AXES.lossRate.length * CELL

/** From good to bad; told apart by those who see no red or green, too. */
const COLOURS = ['#4575b4', '#91bfdb', '#e0f3f8', '#ffffbf', '#fee090', '#fc8d59', '#d73027']

interface Figure {
  readonly title: string
  /** Of a cell; the less the better. */
  readonly badness: (measured: Measured) => number
  /** Up to which badness each colour but the last goes. */
  readonly steps: readonly number[]
  readonly labels: readonly string[]
}

const FIGURES: readonly Figure[] = [
  {
    title: 'share of what a plain stream brings',
    badness: ({ outcome }) => 1 - outcome.share,
    steps: [0.05, 0.1, 0.2, 0.3, 0.4, 0.5],
    labels: ['≥ 0.95', '≥ 0.9', '≥ 0.8', '≥ 0.7', '≥ 0.6', '≥ 0.5', 'less'],
  },
  {
    title: "smoothed RTT over the path's own",
    badness: queueing,
    steps: [1.25, 1.5, 2, 3, 4, 6],
    labels: ['≤ 1.25', '≤ 1.5', '≤ 2', '≤ 3', '≤ 4', '≤ 6', 'more'],
  },
]

interface Place {
  readonly x: number
  readonly y: number
}

/** Those that were simulated. */
type Rates = readonly number[]

/** The upper left corner of a block. */
function blockAt(rates: Rates, figure: number, rate: number, queue: number): Place {
  const column = figure * rates.length + rate
  return { x: LEFT + column * (WIDTH + GAP.x) + figure * GAP.x, y: TOP + queue * (HEIGHT + GAP.y) }
}

const indexOf = (values: readonly number[], value: number): number => values.indexOf(value)

function placeOf(cell: Cell, rates: Rates, figure: number): Place {
  const queue = indexOf(AXES.queuePipes, cell.queuePipes)
  const block = blockAt(rates, figure, indexOf(rates, cell.rateMbps), queue)
  const down =
    indexOf(AXES.jitterMs, cell.jitterMs) * AXES.lossRate.length + indexOf(AXES.lossRate, cell.lossRate)
  return { x: block.x + indexOf(AXES.rttMs, cell.rttMs) * CELL, y: block.y + down * CELL }
}

/** All cells of one colour are one path: so the picture stays small. */
function cellsOf(all: readonly Measured[], rates: Rates, figure: number): string[] {
  const { badness, steps } = FIGURES[figure]!
  const paths = COLOURS.map((): string[] => [])
  for (const measured of all) {
    const { x, y } = placeOf(measured.cell, rates, figure)
    // -1 is the last.
    const step = steps.findIndex((most) => badness(measured) <= most)
    paths.at(step)!.push(`M${x} ${y}h${CELL - 1}v${CELL - 1}h${1 - CELL}z`)
  }
  return paths.map((path, index) => `<path fill="${COLOURS[index]}" d="${path.join('')}"/>`)
}

function text({ x, y }: Place, what: string | number, anchor = 'start', size = 11): string {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" font-size="${size}">${what}</text>`
}

function blockLabels(rates: Rates, figure: number): string[] {
  return rates.flatMap((rateMbps, rate) =>
    AXES.queuePipes.flatMap((queuePipes, queue) => {
      const { x, y } = blockAt(rates, figure, rate, queue)
      const rtts = AXES.rttMs.map(
        (rttMs, index) =>
          `<text transform="translate(${x + index * CELL + 9} ${y + HEIGHT + 4}) rotate(-90)" text-anchor="end" font-size="9">${rttMs}</text>`,
      )
      return [
        `<rect x="${x - 1}" y="${y - 1}" width="${WIDTH + 1}" height="${HEIGHT + 1}" fill="#ddd"/>`,
        text({ x, y: y - 6 }, `${rateMbps} Mbit/s, queue ${queuePipes}`),
        ...rtts,
      ]
    }),
  )
}

/** Jitter and loss, left of the first blocks. */
function rowLabels(): string[] {
  return AXES.queuePipes.flatMap((_queue, queue) =>
    AXES.jitterMs.flatMap((jitterMs, group) => {
      const y = blockAt([], 0, 0, queue).y + group * AXES.lossRate.length * CELL
      const losses = AXES.lossRate.map((lossRate, row) =>
        text({ x: LEFT - 6, y: y + row * CELL + 9 }, `${lossRate * 100} %`, 'end', 9),
      )
      return [text({ x: 6, y: y + 2 * CELL + 4 }, `jitter ${jitterMs} ms`), ...losses]
    }),
  )
}

function legend(rates: Rates, figure: number): string[] {
  const { title, labels } = FIGURES[figure]!
  const { x } = blockAt(rates, figure, 0, 0)
  const stepX = Math.floor((rates.length * (WIDTH + GAP.x)) / labels.length)
  const boxes = labels.map((label, index) => {
    const left = x + index * stepX
    return `<rect x="${left}" y="36" width="14" height="14" fill="${COLOURS[index]}" stroke="#888"/>${text({ x: left + 17, y: 47 }, label, 'start', 10)}`
  })
  return [text({ x, y: 24 }, title, 'start', 14), ...boxes]
}

/** One path alone under BBR, at the rates that were simulated. */
export function heatMap(all: readonly Measured[]): string {
  const shown = all.filter(({ cell }) => cell.setting === 'one' && cell.kernel === 'bbr')
  const rates = AXES.rateMbps.filter((rate) => shown.some(({ cell }) => cell.rateMbps === rate))
  const last = blockAt(rates, FIGURES.length - 1, rates.length - 1, AXES.queuePipes.length - 1)
  const [width, height] = [last.x + WIDTH + 30, last.y + HEIGHT + 44]
  const axes = [
    text({ x: LEFT - 6, y: TOP - 6 }, 'loss', 'end', 9),
    text({ x: LEFT, y: height - 8 }, 'across: RTT in ms; queue: in bandwidth-delay products'),
  ]
  const blocks = FIGURES.flatMap((_figure, index) => [
    ...legend(rates, index),
    ...blockLabels(rates, index),
    ...cellsOf(shown, rates, index),
  ])
  const parts = [
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...axes,
    ...rowLabels(),
    ...blocks,
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif">\n${parts.join('\n')}\n</svg>\n`
}

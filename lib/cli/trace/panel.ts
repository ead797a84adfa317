// SPDX-License-Identifier: Apache-2.0
/** One quantity over time: a frame with a grid, and a line for each series. */
import type { Scale } from './scale.js'
import type { Point, Series } from './series.js'
import { element, shown, text } from './svg.js'

export interface Box {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

export interface PanelInit {
  readonly title: string
  readonly box: Box
  /** Milliseconds. */
  readonly time: Scale
  readonly scale: Scale
  readonly series: readonly Series[]
  readonly colourOf: (label: string) => string
}

const FRAME = '#8c959f'
const GRID = '#e5e7eb'

export function panel({ title, box, time, scale, series, colourOf }: PanelInit): string {
  const { left, top, width, height } = box
  const x = (t: number): number => left + (t / time.most) * width
  const y = (value: number): number => top + height - (value / scale.most) * height
  const rows = scale.ticks.flatMap(({ value, words }) => [
    element('line', { x1: left, x2: left + width, y1: y(value), y2: y(value), stroke: GRID }),
    text(left - 6, y(value) + 4, words, { 'text-anchor': 'end' }),
  ])
  const columns = time.ticks.map(({ value }) =>
    element('line', { x1: x(value), x2: x(value), y1: top, y2: top + height, stroke: GRID }),
  )
  const lines = series.map(({ label, points, isDashed }) => {
    const dashes = isDashed ? { 'stroke-dasharray': '4 3', 'stroke-opacity': 0.8 } : {}
    return element('path', {
      d: steps(points, x, y, width),
      fill: 'none',
      stroke: colourOf(label),
      'stroke-width': '1.2',
      ...dashes,
    })
  })
  const frame = element('rect', { x: left, y: top, width, height, fill: 'none', stroke: FRAME })
  return [text(left, top - 7, title, { 'font-weight': 'bold' }), ...rows, ...columns, frame, ...lines].join(
    '\n',
  )
}

/** A line in steps: each value holds until the next. Of all points in one pixel, the ends and extremes are drawn. */
function steps(
  points: readonly Point[],
  x: (t: number) => number,
  y: (value: number) => number,
  width: number,
): string {
  const last = points.at(-1)
  if (last === undefined) return ''
  const columnOf = ({ t }: Point): number => Math.round(x(t))
  const thin = points.length > 4 * width ? thinned(points, columnOf) : points
  const moves = thin.map((point, index) => {
    const [px, py] = [shown(x(point.t)), shown(y(point.value))]
    return index === 0 ? `M${px} ${py}` : `H${px}V${py}`
  })
  return moves.join('')
}

function thinned(points: readonly Point[], columnOf: (point: Point) => number): Point[] {
  const columns = new Map<number, Point[]>()
  for (const point of points) {
    const column = columnOf(point)
    const known = columns.get(column)
    if (known === undefined) columns.set(column, [point])
    else known.push(point)
  }
  return [...columns.values()].flatMap((inside) => {
    const least = inside.reduce((low, point) => (point.value < low.value ? point : low))
    const most = inside.reduce((high, point) => (point.value > high.value ? point : high))
    const ends = [inside[0]!, least, most, inside.at(-1)!]
    return [...new Set(ends)].toSorted((a, b) => a.t - b.t)
  })
}

// SPDX-License-Identifier: Apache-2.0
/** A traced connection as an SVG: four panels, one above the other, that share the axis of time. */
import { coloursOf, legend } from './legend.js'
import { drawMarks, marksOf } from './marks.js'
import type { Box } from './panel.js'
import { panel } from './panel.js'
import type { TracedConnection } from './read-trace.js'
import type { Unit } from './scale.js'
import { bytesUnit, scaleTo, scaleWithin } from './scale.js'
import type { Series } from './series.js'
import { flights, labelsOf, progress, rates, roundTrips } from './series.js'
import { element, text } from './svg.js'

const WIDTH = 1040
const LEFT = 64
const RIGHT = 24
const HEAD = 40
const PANEL_HEIGHT = 150
/** From the foot of one panel to the top of the next: its title. */
const GAP = 34
const FOOT = 44
/** Ticks, about. */
const ROWS = 4
const COLUMNS = 10
const SECOND = 1000
/** The two lines of the last panel. */
const PROGRESS_COLOUR = '#24292f'

interface Quantity {
  readonly title: (unit: Unit) => string
  readonly series: readonly Series[]
  readonly unitOf: (most: number) => Unit
  readonly colourOf: (label: string) => string
}

export function chart(connection: TracedConnection): string {
  const { begun, endedAt } = connection
  const labels = labelsOf(connection)
  const width = WIDTH - LEFT - RIGHT
  const paths = legend(labels, { left: LEFT, top: HEAD, width })
  const time = scaleWithin(Math.max(1, endedAt - begun.t), SECOND, COLUMNS)
  const first = HEAD + paths.height + GAP
  const quantities = quantitiesOf(connection, coloursOf(labels))
  const panels = quantities.map(({ title, series, unitOf, colourOf }, index) => {
    const most = Math.max(...series.map(({ points }) => highest(points)), 0)
    const unit = unitOf(most)
    const scale = scaleTo(most > 0 ? most : unit.size, unit.size, ROWS)
    const box: Box = { left: LEFT, top: first + index * (PANEL_HEIGHT + GAP), width, height: PANEL_HEIGHT }
    return panel({ title: title(unit), box, time, scale, series, colourOf })
  })
  const bottom = first + quantities.length * (PANEL_HEIGHT + GAP) - GAP
  const x = (t: number): number => LEFT + (t / time.most) * width
  const marks = drawMarks(marksOf(connection), { x, top: first, bottom, colourOf: coloursOf(labels) })
  const seconds = time.ticks.map(({ value, words }) =>
    text(x(value), bottom + 16, words, { 'text-anchor': 'middle' }),
  )
  const axis = text(LEFT + width / 2, bottom + 34, 'seconds', { 'text-anchor': 'middle' })
  return framed(bottom + FOOT, [head(connection), paths.svg, ...panels, ...seconds, axis, marks])
}

function quantitiesOf(connection: TracedConnection, colourOf: (label: string) => string): Quantity[] {
  return [
    {
      title: () => 'Sent on each path, Mbit/s',
      series: rates(connection),
      unitOf: () => ({ name: 'Mbit/s', size: 1 }),
      colourOf,
    },
    {
      title: ({ name }) => `In flight, and window (dashed), ${name}`,
      series: flights(connection),
      unitOf: bytesUnit,
      colourOf,
    },
    {
      title: () => 'Smoothed round-trip time, ms',
      series: roundTrips(connection),
      unitOf: () => ({ name: 'ms', size: 1 }),
      colourOf,
    },
    {
      title: ({ name }) => `Acked by the peer, and read by the application (dashed), ${name}`,
      series: progress(connection),
      unitOf: bytesUnit,
      colourOf: () => PROGRESS_COLOUR,
    },
  ]
}

function highest(points: Series['points']): number {
  return points.reduce((most, { value }) => Math.max(most, value), 0)
}

function head({ begun }: TracedConnection): string {
  const words = `Connection ${begun.name} (${begun.side}, ${begun.scheduler}), ${begun.at}`
  return text(LEFT, 24, words, { 'font-size': '15', 'font-weight': 'bold' })
}

/** On white, so that it can be read on dark pages, too. */
function framed(height: number, parts: readonly string[]): string {
  const ground = element('rect', { width: WIDTH, height, fill: '#ffffff' })
  const size = { width: WIDTH, height, viewBox: `0 0 ${WIDTH} ${height}` }
  const font = { 'font-family': 'system-ui, sans-serif', 'font-size': '12', fill: '#24292f' }
  const inside = ['', ground, ...parts, ''].join('\n')
  return `${element('svg', { xmlns: 'http://www.w3.org/2000/svg', ...size, ...font }, inside)}\n`
}

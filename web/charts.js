// SPDX-License-Identifier: Apache-2.0
/** A line for each path over time, by uPlot. */

const HEIGHT = 180
/** Told apart on light and on dark. */
const COLORS = [
  ...['#2f81f7', '#e8710a', '#1a9e77', '#d63384', '#8250df', '#b8860b', '#0aa5c9', '#c0392b'],
  ...['#6f9e1a', '#5b6ee1', '#a0522d', '#20837c', '#b05cc8', '#7d8590', '#d4a017', '#3b8c3b'],
]

export function colorOf(index) {
  return COLORS[index % COLORS.length]
}

/** The value of a colour of the style sheet. */
export function styleColor(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim()
}

export class Chart {
  #element
  #kinds
  #plot
  #shape = ''

  /** @param kinds - `[{ name, dash }]`: columns of the history that each path has here */
  constructor(element, kinds) {
    this.#element = element
    this.#kinds = kinds
  }

  /** @param paths - `[{ key, label }]` @param span - seconds that are shown */
  draw(history, paths, now, span) {
    const lines = paths.flatMap(({ key, label }, index) =>
      this.#kinds.map(({ name, dash }) => ({ column: `${name} ${key}`, label, color: colorOf(index), dash })),
    )
    const width = this.#element.clientWidth
    const text = styleColor('--dim')
    const shape = JSON.stringify([lines, text])
    if (shape !== this.#shape) this.#renew(lines, width, text)
    this.#shape = shape
    if (this.#plot.width !== width) this.#plot.setSize({ width, height: HEIGHT })
    const columns = lines.map(({ column }) => column)
    this.#plot.batch(() => {
      this.#plot.setData(history.data(columns, now - span), false)
      this.#plot.setScale('x', { min: now - span, max: now })
      this.#plot.setScale('y', { min: 0, max: highest(this.#plot.data) })
    })
  }

  #renew(lines, width, stroke) {
    this.#plot?.destroy()
    const axis = { stroke, grid: { stroke: styleColor('--line'), width: 1 }, ticks: { show: false } }
    this.#plot = new uPlot(
      {
        ...{ width, height: HEIGHT, legend: { show: false }, cursor: { show: false } },
        axes: [
          { ...axis, values: (_, times) => times.map(timeOfDay) },
          { ...axis, size: 56 },
        ],
        scales: { x: { auto: false }, y: { auto: false } },
        series: [{}, ...lines.map(seriesOf)],
      },
      [[], ...lines.map(() => [])],
      this.#element,
    )
  }
}

/** `14:03`, or `14:03:07` within a minute. */
function timeOfDay(time) {
  const date = new Date(time * 1000)
  const parts = [date.getHours(), date.getMinutes(), ...(time % 60 === 0 ? [] : [date.getSeconds()])]
  return parts.map((part) => String(part).padStart(2, '0')).join(':')
}

function seriesOf({ label, color, dash }) {
  return { label, stroke: color, width: 1.5, points: { show: false }, ...(dash && { dash }) }
}

/** A little more than the highest value. */
function highest([, ...columns]) {
  const most = columns.reduce((top, column) => column.reduce((a, b) => (b > a ? b : a), top), 0)
  return most === 0 ? 1 : most * 1.05
}

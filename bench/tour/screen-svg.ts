// SPDX-License-Identifier: Apache-2.0
/** A screen of tmux, as `capture-pane -e` gives it, drawn as an SVG. */

const CELL = { width: 8.4, height: 18 }
const PADDING = 12
const COLORS: Readonly<Record<number, string>> = { 31: '#ff7b72', 32: '#3fb950', 33: '#d29922' }
const TEXT = '#e6edf3'
const BACK = '#0d1117'

const ESCAPE = '\u001B'
const SGR = new RegExp(`${ESCAPE}\\[([\\d;]*)m`)

interface Pen {
  color: string
  isBold: boolean
  isDim: boolean
  isInverse: boolean
}

/** @param lines - with SGR sequences @param columns - of the terminal */
export function screenSvg(lines: readonly string[], columns: number): string {
  const width = Math.round(columns * CELL.width + 2 * PADDING)
  const height = lines.length * CELL.height + 2 * PADDING
  const rows = lines.map((line, index) => rowSvg(line, PADDING + index * CELL.height))
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
<rect width="100%" height="100%" rx="8" fill="${BACK}"/>
<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" xml:space="preserve">
${rows.filter((row) => row !== '').join('\n')}
</g>
</svg>
`
}

function rowSvg(line: string, top: number): string {
  const pen: Pen = { color: TEXT, isBold: false, isDim: false, isInverse: false }
  let column = 0
  let drawn = ''
  // Every second part is what stands between ESC [ and m.
  for (const [index, part] of line.split(SGR).entries()) {
    if (index % 2 === 1) for (const code of part.split(';')) turn(pen, Number(code))
    else {
      drawn += textSvg(part, column, top, pen)
      column += part.length
    }
  }
  return drawn
}

function turn(pen: Pen, code: number): void {
  if (code === 0) Object.assign(pen, { color: TEXT, isBold: false, isDim: false, isInverse: false })
  else if (code === 1) pen.isBold = true
  else if (code === 2) pen.isDim = true
  else if (code === 7) pen.isInverse = true
  else if (code === 39) pen.color = TEXT
  else pen.color = COLORS[code] ?? pen.color
}

function textSvg(text: string, column: number, top: number, pen: Pen): string {
  if (text === '' || (text.trim() === '' && !pen.isInverse)) return ''
  const x = round(PADDING + column * CELL.width)
  const wide = round(text.length * CELL.width)
  const [ink, paper] = pen.isInverse ? [BACK, pen.color] : [pen.color, undefined]
  const back =
    paper === undefined
      ? ''
      : `<rect x="${x}" y="${top}" width="${wide}" height="${CELL.height}" fill="${paper}"/>`
  const look = `${pen.isBold ? ' font-weight="bold"' : ''}${pen.isDim ? ' opacity="0.6"' : ''}`
  return `${back}<text x="${x}" y="${top + 13}" fill="${ink}" textLength="${wide}"${look}>${escaped(text)}</text>`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

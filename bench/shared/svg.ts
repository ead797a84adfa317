// SPDX-License-Identifier: Apache-2.0
/** The few shapes that the charts of the benches are made of. */

/** Of text that explains. */
export const MUTED = '#57606a'
/** Of lines in the background. */
export const FAINT = '#d0d7de'

/** A picture with a white ground, so that it can be read on a dark page. */
export function picture(width: number, height: number, title: string, parts: readonly string[]): string {
  const frame = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="system-ui, sans-serif" font-size="12">`
  const ground = `<rect width="${width}" height="${height}" rx="6" fill="#ffffff"/>`
  return `${[frame, `<title>${escaped(title)}</title>`, ground, ...parts, '</svg>'].join('\n')}\n`
}

export function rect(x: number, y: number, width: number, height: number, fill: string, more = ''): string {
  return `<rect x="${short(x)}" y="${short(y)}" width="${short(width)}" height="${short(height)}" fill="${fill}"${more}/>`
}

/** A vertical line. */
export function upright(x: number, top: number, bottom: number, stroke: string): string {
  return `<line x1="${short(x)}" x2="${short(x)}" y1="${short(top)}" y2="${short(bottom)}" stroke="${stroke}" stroke-dasharray="3 3"/>`
}

export function text(x: number, y: number, words: string, more = ''): string {
  return `<text x="${short(x)}" y="${short(y)}"${more === '' ? '' : ` ${more}`}>${escaped(words)}</text>`
}

export function area(points: readonly (readonly [x: number, y: number])[], fill: string): string {
  return `<polygon points="${points.map(([x, y]) => `${short(x)},${short(y)}`).join(' ')}" fill="${fill}"/>`
}

/** With one digit after the point at most. */
function short(value: number): string {
  return String(Math.round(value * 10) / 10)
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

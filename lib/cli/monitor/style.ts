// SPDX-License-Identifier: Apache-2.0
/** What a terminal can show: colours, and characters beyond ASCII. */

export interface Style {
  readonly hasColor: boolean
  readonly hasUnicode: boolean
}

type Env = Readonly<Record<string, string | undefined>>

/** NO_COLOR, TERM=dumb, and locales without UTF-8. */
export function styleOf(env: Env): Style {
  const noColor = env['NO_COLOR']
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  const isDumb = env['TERM'] === 'dumb'
  return {
    hasColor: (noColor === undefined || noColor === '') && !isDumb,
    hasUnicode: /utf-?8/i.test(locale) || process.platform === 'win32',
  }
}

const CODES = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', invert: '7' } as const
export type Tone = keyof typeof CODES

export function paint(style: Style, tone: Tone, text: string): string {
  return style.hasColor ? `\u001B[${CODES[tone]}m${text}\u001B[0m` : text
}

const BLOCKS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']
const LEVELS = [' ', '.', ':', '-', '=', '+', '*', '#', '@']

/** The newest `width` values, each as high as its share of the highest. */
export function sparkline(style: Style, values: readonly number[], width: number): string {
  const shown = values.slice(-width)
  const most = Math.max(1, ...shown)
  const levels = style.hasUnicode ? BLOCKS : LEVELS
  const drawn = shown.map((value) => levels[value <= 0 ? 0 : Math.max(1, Math.ceil((value / most) * 8))]!)
  return drawn.join('').padStart(width)
}

/** No longer than `width`. */
export function clip(style: Style, text: string, width: number): string {
  if (text.length <= width) return text
  return width < 2 ? text.slice(0, width) : `${text.slice(0, width - 1)}${style.hasUnicode ? '…' : '~'}`
}

// SPDX-License-Identifier: Apache-2.0
/** Which colour is which path. */
import { element, text } from './svg.js'

/** Okabe and Ito's, which everybody can tell apart, without the yellow that is too light for a thin line. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#7f7f7f', '#000000']
/** About, in a font that we do not know. */
const CHARACTER_WIDTH = 7
const ROW = 18
const SWATCH = 16

export interface Legend {
  readonly svg: string
  readonly height: number
}

export function coloursOf(labels: readonly string[]): (label: string) => string {
  const colours = new Map(labels.map((label, index) => [label, COLOURS[index % COLOURS.length]!]))
  return (label) => colours.get(label) ?? COLOURS.at(-1)!
}

/** Rows of labels as wide as `width` at most. */
export function legend(labels: readonly string[], { left, top, width }: LegendPlace): Legend {
  const colourOf = coloursOf(labels)
  const pieces: string[] = []
  let x = left
  let y = top
  for (const label of labels) {
    const room = SWATCH + 8 + label.length * CHARACTER_WIDTH + 16
    if (x > left && x + room > left + width) {
      x = left
      y += ROW
    }
    pieces.push(element('rect', { x, y: y + 4, width: SWATCH, height: 4, fill: colourOf(label) }))
    pieces.push(text(x + SWATCH + 6, y + 10, label))
    x += room
  }
  return { svg: pieces.join('\n'), height: y - top + ROW }
}

export interface LegendPlace {
  readonly left: number
  readonly top: number
  readonly width: number
}

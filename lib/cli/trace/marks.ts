// SPDX-License-Identifier: Apache-2.0
/** What happened to a connection, as thin lines over all panels; a pointer on one is told what it was. */
import type { TracedConnection } from './read-trace.js'
import { element, titled } from './svg.js'

export interface Mark {
  /** Milliseconds since the connection began. */
  readonly t: number
  readonly words: string
  /** The path's label; `undefined` for what concerns all. */
  readonly label: string | undefined
  readonly isDashed: boolean
}

export interface MarksPlace {
  readonly x: (t: number) => number
  readonly top: number
  readonly bottom: number
  readonly colourOf: (label: string) => string
}

/** Of what concerns all paths. */
const COLOUR = '#57606a'
/** A pointer need not be on the pixel. */
const REACH = 7

export function marksOf({ begun, changes, others }: TracedConnection): Mark[] {
  const told = changes.filter(({ state }) => state === 'suspect' || state === 'closed')
  const ofPaths = told.map(({ t, label, state, why }) => ({
    t: t - begun.t,
    words: `${label} ${state}${why === '' ? '' : ` (${why})`}`,
    label,
    isDashed: state === 'suspect',
  }))
  const ofAll = others.map(({ t, words }) => ({ t: t - begun.t, words, label: undefined, isDashed: false }))
  return [...ofPaths, ...ofAll].toSorted((a, b) => a.t - b.t)
}

export function drawMarks(marks: readonly Mark[], { x, top, bottom, colourOf }: MarksPlace): string {
  const drawn = marks.map(({ t, words, label, isDashed }) => {
    const place = { x1: x(t), x2: x(t), y1: top, y2: bottom }
    const stroke = label === undefined ? COLOUR : colourOf(label)
    const dashes = isDashed ? { 'stroke-dasharray': '2 3' } : {}
    return titled(
      `${(t / 1000).toFixed(3)} s: ${words}`,
      element('line', { ...place, stroke, 'stroke-width': '0.8', ...dashes }),
      element('line', { ...place, stroke: 'transparent', 'stroke-width': REACH, 'pointer-events': 'stroke' }),
    )
  })
  return drawn.join('\n')
}

// SPDX-License-Identifier: Apache-2.0
/** The states of each path over time: a bar each. */
import { styleColor } from './charts.js'

const ROW = 22
const LABEL = 110
const GAP = 6

export class Timeline {
  #canvas = document.createElement('canvas')
  #element

  constructor(element) {
    this.#element = element
    element.append(this.#canvas)
  }

  /** @param paths - `[{ key, label }]` @param span - seconds that are shown */
  draw(tracks, paths, now, span) {
    const width = this.#element.clientWidth
    const height = Math.max(1, paths.length) * ROW
    const context = this.#sized(width, height)
    context.clearRect(0, 0, width, height)
    context.font = '12px system-ui, sans-serif'
    context.textBaseline = 'middle'
    const colors = Object.fromEntries(
      ['up', 'wait', 'down', 'paused', 'text'].map((name) => [name, styleColor(`--${name}`)]),
    )
    const x = (at) => LABEL + (Math.max(0, at - (now - span)) / span) * (width - LABEL)
    for (const [index, { key, label }] of paths.entries()) {
      const top = index * ROW
      context.fillStyle = colors.text
      context.fillText(short(label), 0, top + ROW / 2, LABEL - GAP)
      const turns = tracks.get(key)?.turns ?? []
      for (const [at, turn] of turns.entries()) {
        const end = turns[at + 1]?.at ?? now
        if (turn.look === undefined || end < now - span) continue
        context.fillStyle = colors[turn.look]
        context.fillRect(x(turn.at), top + GAP / 2, Math.max(1, x(end) - x(turn.at)), ROW - GAP)
      }
    }
  }

  /** In pixels of the screen. */
  #sized(width, height) {
    const canvas = this.#canvas
    const ratio = window.devicePixelRatio
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)]
    if (canvas.width !== wide || canvas.height !== high) {
      canvas.width = wide
      canvas.height = high
      canvas.style.width = `${width}px`
      canvas.style.height = `${height}px`
    }
    const context = canvas.getContext('2d')
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    return context
  }
}

function short(label) {
  return label.length > 18 ? `${label.slice(0, 17)}…` : label
}

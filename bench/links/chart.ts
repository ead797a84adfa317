// SPDX-License-Identifier: Apache-2.0
/** The chart for README: each peer's rate as a share of plain TCP on each link, added up. */
import { PEERS, type Peer } from './peers.js'
import type { Scenario } from './scenario.js'
import { SCENARIOS } from './scenarios.js'
import type { Summary } from './summary.js'

const COLOURS: Readonly<Record<string, string>> = {
  ours: '#1f6feb',
  'ours-go': '#79b8ff',
  go: '#e5534b',
  mptcp: '#8b949e',
  aggligator: '#d4a72c',
  'ours-2': '#0b3d91',
}

const BAR = 14
const GAP = 3
const LABEL_WIDTH = 450
const WIDTH = 1040
const HEAD = 70
/** Pixels of a bar as long as the sum. */
const FULL = WIDTH - LABEL_WIDTH - 90

interface Bar {
  readonly peer: Peer
  readonly share: number
}

/** One panel for each congestion control, one above the other. */
export function chart(summary: Summary, congestionControls: readonly string[]): string {
  let y = HEAD
  const parts: string[] = []
  for (const cc of congestionControls) {
    parts.push(text(16, y, `congestion control ${cc}`, 'font-weight="bold"'))
    y += 14
    for (const scenario of SCENARIOS) {
      // What only ours runs compares nobody.
      const bars = scenario.peers ? [] : barsOf(summary, scenario, cc)
      if (bars.length === 0) continue
      parts.push(group(scenario, bars, y))
      y += bars.length * (BAR + GAP) + 14
    }
    y += 24
  }
  const frame = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" font-family="system-ui, sans-serif" font-size="12">`
  const ground = `<rect width="${WIDTH}" height="${y}" fill="#ffffff"/>`
  const head = text(
    16,
    24,
    'Rate as a share of plain TCP on each link, added up',
    'font-size="16" font-weight="bold"',
  )
  return `${[frame, ground, head, legend(), ...parts, '</svg>'].join('\n')}\n`
}

function barsOf(summary: Summary, scenario: Scenario, cc: string): Bar[] {
  const peers = PEERS.filter(({ id }) => id in COLOURS)
  const bars = peers.map((peer) => ({
    peer,
    share: summary.get(scenario.id, peer.id, cc, 'rate') / summary.sum(scenario, cc),
  }))
  return bars.filter(({ share }) => Number.isFinite(share))
}

function group(scenario: Scenario, bars: readonly Bar[], top: number): string {
  const height = bars.length * (BAR + GAP)
  const full = LABEL_WIDTH + FULL
  const lines = bars.flatMap(({ peer, share }, i) => {
    const y = top + i * (BAR + GAP)
    const width = Math.min(share, 1.1) * FULL
    const colour = COLOURS[peer.id] ?? '#000000'
    return [
      `<rect x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" fill="${colour}"/>`,
      text(LABEL_WIDTH + width + 5, y + 11, `${(share * 100).toFixed(0)} %`, 'fill="#57606a"'),
    ]
  })
  const mark = `<line x1="${full}" x2="${full}" y1="${top - 3}" y2="${top + height}" stroke="#d0d7de" stroke-dasharray="3 3"/>`
  return [text(16, top + height / 2 + 3, scenario.title), mark, ...lines].join('\n')
}

function legend(): string {
  const peers = PEERS.filter(({ id }) => id in COLOURS)
  return peers
    .map((peer, i) => {
      const x = 16 + i * 150
      return `<rect x="${x}" y="36" width="12" height="12" fill="${COLOURS[peer.id]}"/>${text(x + 17, 46, peer.title)}`
    })
    .join('\n')
}

function text(x: number, y: number, words: string, more = ''): string {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${safe}</text>`
}

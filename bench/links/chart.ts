// SPDX-License-Identifier: Apache-2.0
/** The charts of the results: one for the appendix, with all scenarios, and two small ones for README. */
import { FAINT, MUTED, picture, rect, text, upright } from '../shared/svg.js'
import type { Figures } from './measure.js'
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
  'aggligator-quic': '#eac54f',
  'ours-2': '#0b3d91',
  plain: '#c8ced5',
}

const BAR = 13
const GAP = 3
const EDGE = 16
/** Room for the figure behind a bar. */
const FIGURE_WIDTH = 60

interface Bar {
  readonly peer: Peer
  readonly value: number
}

const WIDTH = 760
const HEAD = 70
const SHARE_LABEL_WIDTH = 220

/** One panel for each congestion control, one above the other. */
export function chart(summary: Summary, congestionControls: readonly string[]): string {
  const panels = congestionControls.map((cc) => ({ cc, groups: groupsOf(summary, cc) }))
  const longest = Math.max(
    1,
    ...panels.flatMap(({ groups }) => groups.flatMap(({ bars }) => bars.map(({ value }) => value))),
  )
  const full = (WIDTH - EDGE - SHARE_LABEL_WIDTH - FIGURE_WIDTH) / longest
  const parts: string[] = []
  let y = HEAD - 20
  for (const { cc, groups } of panels) {
    parts.push(text(EDGE, y, `congestion control: ${cc}`, 'font-weight="bold"'))
    y += 24
    for (const { scenario, bars } of groups) {
      parts.push(text(EDGE, y, scenario.title))
      parts.push(upright(SHARE_LABEL_WIDTH + full, y + 4, y + 6 + bars.length * (BAR + GAP), FAINT))
      parts.push(
        ...barLines(bars, y + 6, SHARE_LABEL_WIDTH, full, (share) => `${(share * 100).toFixed(0)} %`),
      )
      y += bars.length * (BAR + GAP) + 28
    }
    y += 12
  }
  const title = 'Rate as a share of plain TCP on each link, added up'
  const head = text(EDGE, 24, title, 'font-size="15" font-weight="bold"')
  return picture(WIDTH, y, title, [head, ...parts])
}

function groupsOf(summary: Summary, cc: string): { scenario: Scenario; bars: Bar[] }[] {
  // What runs with ours only compares nothing.
  const scenarios = SCENARIOS.filter(({ peers }) => peers === undefined)
  const groups = scenarios.map((scenario) => {
    const sum = summary.sum(scenario, cc)
    const bars = barsOf(summary, scenario.id, cc, 'rate').map((bar) => ({ ...bar, value: bar.value / sum }))
    return { scenario, bars: bars.filter(({ peer, value }) => peer.id !== 'plain' && Number.isFinite(value)) }
  })
  return groups.filter(({ bars }) => bars.length > 0)
}

function barsOf(summary: Summary, scenario: string, cc: string, name: keyof Figures): Bar[] {
  const peers = PEERS.filter(({ id }) => id in COLOURS)
  const bars = peers.map((peer) => ({ peer, value: summary.get(scenario, peer.id, cc, name) }))
  return bars.filter(({ value }) => Number.isFinite(value))
}

function barLines(
  bars: readonly Bar[],
  top: number,
  left: number,
  scale: number,
  told: (value: number) => string,
): string[] {
  return bars.flatMap(({ peer, value }, i) => {
    const y = top + i * (BAR + GAP)
    return [
      text(left - 6, y + 10.5, peer.title, `text-anchor="end" fill="${MUTED}"`),
      rect(left, y, value * scale, BAR, COLOURS[peer.id] ?? '#000000'),
      text(left + value * scale + 5, y + 10.5, told(value), `fill="${MUTED}"`),
    ]
  })
}

/** One figure of one scenario, a bar for each peer. */
export interface SmallChart {
  /** Of its file in docs/pictures/, without extension. */
  readonly name: string
  readonly title: string
  readonly subtitle: string
  readonly scenario: string
  readonly figure: keyof Figures
  readonly told: (value: number) => string
}

export const SMALL_CHARTS: readonly SmallChart[] = [
  {
    name: 'rate-in-silence',
    title: 'A link falls silent: mean rate over 12 s',
    subtitle: 'two links of 50 Mbit/s, the first silent from 3 s to 7 s; more is better',
    scenario: 'silent',
    figure: 'rate',
    told: (value) => `${value.toFixed(0)} Mbit/s`,
  },
  {
    name: 'echo-in-silence',
    title: 'The best link falls silent: slowest echo',
    subtitle: '200 bytes every 5 ms, the better of two links silent for 3 s; less is better',
    scenario: 'echo-silent',
    figure: 'worst',
    told: (value) => `${value.toFixed(0)} ms`,
  },
]

const SMALL = { width: 430, head: 52, left: 176 }

/** @param cc - congestion control of the runs that it shows */
export function smallChart(summary: Summary, { title, subtitle, ...of }: SmallChart, cc: string): string {
  const bars = barsOf(summary, of.scenario, cc, of.figure)
  const scale = (SMALL.width - SMALL.left - FIGURE_WIDTH - EDGE) / Math.max(...bars.map(({ value }) => value))
  const height = SMALL.head + bars.length * (BAR + GAP) + 8
  return picture(SMALL.width, height, `${title} (${subtitle})`, [
    text(EDGE, 22, title, 'font-size="14" font-weight="bold"'),
    text(EDGE, 39, subtitle, `font-size="10.5" fill="${MUTED}"`),
    ...barLines(bars, SMALL.head, SMALL.left, scale, of.told),
  ])
}

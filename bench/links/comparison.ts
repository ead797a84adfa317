// SPDX-License-Identifier: Apache-2.0
/** The table of README that compares the peers in figures, for the congestion control that Linux comes with. */
import { figure, table } from '../shared/figures.js'
import type { Machine } from '../shared/machine.js'
import type { Row as Run } from './log.js'
import type { Figures } from './measure.js'
import { PEERS } from './peers.js'
import { SCENARIOS } from './scenarios.js'
import type { Summary } from './summary.js'

/** Linux comes with it: README shows its figures. */
export const USUAL = 'cubic'

const COLUMNS = ['ours', 'mptcp', 'aggligator', 'go']
const BEGIN = '<!-- Measured: npm run bench:charts -->'
const END = '<!-- End of measured -->'

interface Row {
  readonly words: string
  readonly scenario: string
  readonly figure: keyof Figures
  readonly told: (value: number) => string
}

const rate = (value: number): string => `${figure(value)} Mbit/s`
const time = (ms: number): string => (ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`)
const seconds = (value: number): string => `${figure(value)} s`

const ROWS: readonly Row[] = [
  { words: 'three fast links', scenario: 'even', figure: 'rate', told: rate },
  { words: 'three unequal links', scenario: 'uneven', figure: 'rate', told: rate },
  { words: 'two links that lose 1 % of the packets', scenario: 'loss', figure: 'rate', told: rate },
  {
    words: 'one of two links silent for 4 s: longest wait of the reader',
    scenario: 'silent',
    figure: 'stall',
    told: time,
  },
  {
    words: 'echo over three unequal links: 99th percentile',
    scenario: 'echo-uneven',
    figure: 'p99',
    told: time,
  },
  {
    words: 'processor time of both ends for each gigabyte, over three fast links',
    scenario: 'even',
    figure: 'cpuPerGB',
    told: seconds,
  },
]

/** `text` with the table in its place, and the machine and the days that it is from. @param runs - what the summary is of */
export function withComparison(
  text: string,
  summary: Summary,
  machine: Machine,
  runs: readonly Run[],
): string {
  const [before, rest] = text.split(`${BEGIN}\n`)
  const [, after] = (rest ?? '').split(END)
  if (before === undefined || after === undefined) throw new Error(`README.md needs ${BEGIN} and ${END}`)
  return `${before}${BEGIN}\n\n${comparison(summary)}\n\n${origin(machine, daysOf(runs))}\n\n${END}${after}`
}

/** Of the runs that the table is of, the first one first: some are measured again while others stay. */
function daysOf(runs: readonly Run[]): string[] {
  const scenarios = ROWS.map(({ scenario }) => scenario)
  const shown = runs.filter(
    ({ scenario, peer, congestionControl }) =>
      scenarios.includes(scenario) && COLUMNS.includes(peer) && congestionControl === USUAL,
  )
  return [...new Set(shown.flatMap(({ day }) => day ?? []))].sort()
}

function origin({ cores, cpu, memoryGiB, kernel, node }: Machine, days: readonly string[]): string {
  const told = days.map((day) =>
    new Date(day).toLocaleDateString('en-GB', { dateStyle: 'long', timeZone: 'UTC' }),
  )
  return `Measured on ${told.join(' and ')}: ${cores} × ${cpu}, ${memoryGiB} GiB, Linux ${kernel.split('-')[0]}, Node ${node.slice(1)}.`
}

function comparison(summary: Summary): string {
  const titles = COLUMNS.map((id) => PEERS.find((peer) => peer.id === id)!.title)
  const rows = ROWS.map(({ words, scenario, figure: name, told }) => {
    const sum = name === 'rate' ? summary.sum(SCENARIOS.find(({ id }) => id === scenario)!, USUAL) : undefined
    return [
      sum === undefined ? words : `${words} (plain TCP: ${figure(sum)} in sum)`,
      ...COLUMNS.map((peer) => {
        const value = summary.get(scenario, peer, USUAL, name)
        return Number.isNaN(value) ? '–' : told(value)
      }),
    ]
  })
  return table(['', ...titles], rows)
}

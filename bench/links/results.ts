// SPDX-License-Identifier: Apache-2.0
/** What a full measurement leaves behind: its figures, the report and the charts that are drawn from them. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Machine } from '../shared/machine.js'
import { PICTURES, RESULTS, ROOT } from '../shared/places.js'
import { chart, SMALL_CHARTS, smallChart } from './chart.js'
import { USUAL, withComparison } from './comparison.js'
import type { Row } from './log.js'
import { markdown } from './report.js'
import { Summary } from './summary.js'
import { verdicts } from './targets.js'

const SAVED = `${RESULTS}links.json`
const README = `${ROOT}README.md`

export interface Saved {
  readonly machine: Machine
  readonly runs: readonly Row[]
}

/** What was saved before. */
export function savedResults(): Saved | undefined {
  return existsSync(SAVED) ? (JSON.parse(readFileSync(SAVED, 'utf8')) as Saved) : undefined
}

export function saveResults({ machine, runs }: Saved): void {
  const summary = new Summary(runs)
  const congestionControls = congestionControlsOf(runs)
  const data = { machine, runs, targets: verdicts(summary, congestionControls) }
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(SAVED, `${JSON.stringify(data, null, 1)}\n`)
  for (const [file, text] of drawn({ machine, runs })) writeFileSync(file, text)
}

/** Everything that follows from the figures: the text of each file by its place, README with its table among them. */
export function drawn({ machine, runs }: Saved): Map<string, string> {
  const summary = new Summary(runs)
  const congestionControls = congestionControlsOf(runs)
  return new Map([
    [`${RESULTS}links.md`, `${markdown(summary, congestionControls, machine, runs)}\n`],
    [`${PICTURES}links.svg`, chart(summary, congestionControls)],
    [README, withComparison(readFileSync(README, 'utf8'), summary, machine, runs)],
    ...SMALL_CHARTS.map((of) => [`${PICTURES}${of.name}.svg`, smallChart(summary, of, USUAL)] as const),
  ])
}

function congestionControlsOf(runs: readonly Row[]): string[] {
  return [...new Set(runs.map((row) => row.congestionControl))].sort()
}

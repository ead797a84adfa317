// SPDX-License-Identifier: Apache-2.0
/** Tables of a whole measurement, for people. */
import { figure, table } from '../shared/figures.js'
import type { Machine } from '../shared/machine.js'
import type { Row } from './log.js'
import type { Figures } from './measure.js'
import { PEERS, type Peer } from './peers.js'
import type { Scenario } from './scenario.js'
import { SCENARIOS } from './scenarios.js'
import type { Summary } from './summary.js'
import { verdicts } from './targets.js'

export interface Column {
  readonly title: string
  readonly name: keyof Figures
}

export const COLUMNS: readonly Column[] = [
  { title: 'Mbit/s', name: 'rate' },
  { title: 'Mbit/s beside', name: 'beside' },
  { title: 'longest wait ms', name: 'stall' },
  { title: 'in the silence', name: 'meanwhile' },
  { title: 'used again ms', name: 'back' },
  { title: 'p50 ms', name: 'p50' },
  { title: 'p99 ms', name: 'p99' },
  { title: 'worst ms', name: 'worst' },
  { title: 'answered', name: 'answered' },
  { title: 'p50 ÷ least, by size', name: 'messageP50' },
  { title: 'p99 ÷ least, by size', name: 'messageP99' },
  { title: 'MB by path', name: 'perPath' },
  { title: 'delivered', name: 'delivered' },
  { title: 'sent/byte', name: 'sentPerByte' },
  { title: 'wire/byte', name: 'wirePerByte' },
  { title: 'resent', name: 'resent' },
  { title: 'suspected', name: 'suspected' },
  { title: 'CPU s/GB', name: 'cpuPerGB' },
  { title: 'packets late', name: 'late' },
]

const isBySize = (name: keyof Figures): name is 'messageP50' | 'messageP99' =>
  name === 'messageP50' || name === 'messageP99'

/** A run's figure as text: of several links their sum's parts, of sizes one after another, bytes in megabytes. */
export function told(name: keyof Figures, value: Figures[keyof Figures]): string {
  if (typeof value !== 'object') return figure(value)
  const each = value.map((one) => figure(name === 'perPath' ? one / 1e6 : one))
  return each.join(isBySize(name) ? ' ' : '+')
}

/** Their median; of several links the sum, but of paths and of sizes each. */
function cell(summary: Summary, scenario: Scenario, peer: Peer, cc: string, name: keyof Figures): string {
  const median = summary.get(scenario.id, peer.id, cc, name)
  if (Number.isNaN(median) || !(name === 'perPath' || isBySize(name))) return figure(median)
  const each = name === 'perPath' ? scenario.links : (scenario.sizes ?? [])
  return told(
    name,
    each.map((_, i) => summary.ofLink(scenario.id, peer.id, cc, name, i)),
  )
}

export function scenarioTable(
  summary: Summary,
  scenario: Scenario,
  congestionControls: readonly string[],
): string {
  const places = PEERS.flatMap((peer) => congestionControls.map((cc) => ({ peer, cc })))
  const here = places.filter(({ peer, cc }) => summary.has(scenario.id, peer.id, cc))
  const columns = COLUMNS.filter(({ name }) =>
    here.some(({ peer, cc }) => Number.isFinite(summary.get(scenario.id, peer.id, cc, name))),
  )
  const hasRate = columns.some(({ name }) => name === 'rate')
  const rows = here.map(({ peer, cc }) => {
    const rate = summary.get(scenario.id, peer.id, cc, 'rate')
    return [
      titleIn(scenario, peer),
      cc,
      ...columns.map(({ name }) => cell(summary, scenario, peer, cc, name)),
      ...(hasRate ? [figure(rate / summary.sum(scenario, cc))] : []),
      String(summary.runs(scenario.id, peer.id, cc)),
    ]
  })
  return table(
    ['peer', 'cc', ...columns.map(({ title }) => title), ...(hasRate ? ['÷ sum'] : []), 'runs'],
    rows,
  )
}

/** What plain TCP answers has only one link to be on. */
function titleIn({ work }: Scenario, { id, title }: Peer): string {
  return id === 'plain' && (work === 'echo' || work === 'messages') ? 'plain TCP, first link alone' : title
}

export function verdictTable(summary: Summary, congestionControls: readonly string[]): string {
  const rows = verdicts(summary, congestionControls).map((verdict) => [
    verdict.title,
    verdict.target,
    PEERS.find(({ id }) => id === verdict.peer)?.title ?? verdict.peer,
    verdict.congestionControl,
    verdict.bound,
    figure(verdict.measured),
    verdict.met ? 'met' : 'SHORT',
  ])
  return table(['scenario', 'target', 'peer', 'cc', 'bound', 'measured', ''], rows)
}

function machineText(about: Machine): string {
  return [
    `${about.cores} × ${about.cpu}, ${about.memoryGiB} GiB, Linux ${about.kernel}, Node ${about.node}, ${about.go}`,
    `getlantern/multipath ${about.goMultipath}`,
  ].join('  \n')
}

/** Which scenarios were measured when, and with which versions: some are measured again while others stay. */
function originText(runs: readonly Row[]): string {
  const scenariosOf = new Map<string, Set<string>>()
  for (const { build, version, day = 'an unknown day', scenario } of runs) {
    const software = version ?? (build === undefined ? 'plain TCP, MPTCP and Go' : `build ${build}`)
    const origin = `${software}, ${day}`
    scenariosOf.set(origin, (scenariosOf.get(origin) ?? new Set()).add(scenario))
  }
  const lines = [...scenariosOf].map(([origin, scenarios]) => `| ${origin} | ${[...scenarios].join(', ')} |`)
  return ['| measured with | scenarios |', '| --- | --- |', ...lines.sort()].join('\n')
}

/**
 * The whole report, medians of all runs.
 *
 * @param runs - what the summary is of
 */
export function markdown(
  summary: Summary,
  congestionControls: readonly string[],
  about: Machine,
  runs: readonly Row[],
): string {
  const parts = SCENARIOS.map((scenario) => ({
    scenario,
    text: scenarioTable(summary, scenario, congestionControls),
  }))
  const measured = parts.filter(({ scenario }) =>
    PEERS.some((peer) => congestionControls.some((cc) => summary.has(scenario.id, peer.id, cc))),
  )
  return [
    '# Emulated links',
    'Written by `npm run bench:links`: medians. Delays are one-way. Plain TCP has a connection on each link alone; its rate is their sum.',
    machineText(about),
    originText(runs),
    '![rates as shares of the sum of plain TCP on each link](../../docs/pictures/links.svg)',
    '## Targets',
    verdictTable(summary, congestionControls),
    ...measured.flatMap(({ scenario, text }) => [`## ${scenario.title}`, linksText(scenario), text]),
  ].join('\n\n')
}

/** The links in words, and what happens to them. */
function linksText({ links }: Scenario): string {
  const each = links.map((link) => {
    const { rate, recorded, delay, loss } = Object.fromEntries(
      link.split(',').map((part) => part.split('=') as [string, string]),
    )
    return `${recorded ?? `${rate} Mbit/s`} with ${delay} ms${loss === undefined ? '' : ` and ${loss} % loss`}`
  })
  return `Links: ${each.join(', ')}.`
}

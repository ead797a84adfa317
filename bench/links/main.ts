// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run bench:links`: ours and its peers over emulated links of different rates and delays, with loss and
 * silence. See options.ts for its command line, scenarios.ts for the links and targets.ts for the bounds.
 */
import { availableParallelism } from 'node:os'
import { libraryBuild } from '../shared/build.js'
import { figure } from '../shared/figures.js'
import { machine } from '../shared/machine.js'
import { endSession, isSame, keyOf, note, type Row, rows, session } from './log.js'
import type { Figures } from './measure.js'
import { aggligatorVersion, hasCongestionControl, missingFor, missingForLinks } from './needs.js'
import { type Options, readOptions, USAGE } from './options.js'
import { capacityOf, minutesFor, plan, type Planned } from './plan.js'
import { COLUMNS, scenarioTable, told, verdictTable } from './report.js'
import { savedResults, saveResults } from './results.js'
import { run } from './run.js'
import type { Scenario } from './scenario.js'
import { sideBySide } from './side-by-side.js'
import { Summary } from './summary.js'

/** More packets that the emulation itself delivered late make a run doubtful. */
const LATE_SHARE = 0.01
/** A doubtful run is made again, this often at most. */
const ATTEMPTS = 3

function line(row: Omit<Row, 'figures'>, figures: Figures): string {
  const present = COLUMNS.filter(({ name }) => figures[name] !== undefined)
  const words = present.map(({ title, name }) => `${title} ${told(name, figures[name])}`)
  const parts = figures.perLink ? [`(${figures.perLink.map(figure).join(' + ')})`] : []
  return `${row.scenario} ${row.peer} ${row.congestionControl} #${row.run}: ${[...words, ...parts].join(', ')}`
}

/** The rows of an interrupted full run that stand for runs of this one. */
function knownOf(options: Options, planned: readonly Planned[]): Map<Planned, Row> {
  const known = options.isFull ? rows().filter((row) => row.session === planned[0]?.row.session) : []
  return new Map(
    planned.flatMap((one) => {
      const before = known.find((row) => isSame(row, one.row))
      return before ? [[one, before]] : []
    }),
  )
}

/** Undefined where the run failed, which is said on stderr. */
async function measure(planned: Planned, traces?: string): Promise<Row | undefined> {
  const { row } = planned
  try {
    const figures = await undisturbed(planned, traces)
    note({ ...row, figures })
    return { ...row, figures }
  } catch (error) {
    console.error(`${keyOf(row)} #${row.run}: ${(error as Error).message}`)
    return undefined
  }
}

/** The figures of the first run that the machine left alone, or of the one that it disturbed least. */
async function undisturbed({ scenario, peer, row }: Planned, traces?: string): Promise<Figures> {
  const { congestionControl, seconds } = row
  const file = `${keyOf(row).replaceAll(/[^\w.=-]+/g, '_')}_${row.run}.jsonl`
  const trace = traces === undefined ? {} : { trace: `${traces}/${file}` }
  let best: Figures | undefined
  for (let attempt = 1; attempt <= ATTEMPTS && isBusy(best); attempt++) {
    const figures = await run({ scenario, peer, congestionControl, seconds, ...trace })
    console.log(line(row, figures))
    if (best === undefined || (figures.late ?? 0) < (best.late ?? 0)) best = figures
  }
  return best!
}

function isBusy(figures: Figures | undefined): boolean {
  return figures === undefined || (figures.late ?? 0) > LATE_SHARE
}

/** Rows in the plan's order, whichever was there first. */
async function measureAll(options: Options, planned: readonly Planned[]): Promise<Row[]> {
  const done = knownOf(options, planned)
  const missing = planned.filter((one) => !done.has(one))
  const capacity = capacityOf(options, availableParallelism())
  const minutes = Math.ceil(minutesFor(missing, capacity))
  console.error(`${missing.length} runs of ${planned.length} are to be made, about ${minutes} minutes`)
  await sideBySide(missing, capacity, async (one) => {
    const row = await measure(one, options.trace)
    if (row) done.set(one, row)
  })
  return planned.flatMap((one) => done.get(one) ?? [])
}

/** Where plain TCP was not asked for, its earlier runs of the same work, or of that which gives the sum, are used. */
function withEarlierPlain(measured: readonly Row[], scenarios: readonly Scenario[]): Row[] {
  const sumOf = new Map(scenarios.map((scenario) => [scenario.id, scenario.sumOf ?? scenario.id]))
  const plainOf = (row: Row): Row => ({
    ...row,
    peer: 'plain',
    scenario: sumOf.get(row.scenario) ?? row.scenario,
  })
  const wanted = new Set(measured.map((row) => keyOf(plainOf(row))))
  for (const row of measured) wanted.delete(keyOf(row))
  return [...measured, ...rows().filter((row) => wanted.has(keyOf(row)))]
}

/** What was saved before, but for what has been measured again. */
function withSaved(measured: readonly Row[]): Row[] {
  const again = new Set(measured.map(keyOf))
  return [...(savedResults()?.runs ?? []).filter((row) => !again.has(keyOf(row))), ...measured]
}

function save(runs: readonly Row[]): void {
  saveResults({ machine: machine(aggligatorVersion()), runs })
  console.log('written: bench/results/links.json and links.md, and the charts in docs/pictures')
}

function print(measured: readonly Row[], options: Options): void {
  const summary = new Summary(options.isFull ? measured : withEarlierPlain(measured, options.scenarios))
  for (const scenario of options.scenarios) {
    console.log(`\n## ${scenario.title}\n\n${scenarioTable(summary, scenario, options.congestionControls)}`)
  }
  console.log(`\n${verdictTable(summary, options.congestionControls)}`)
  const late = measured.filter(({ figures }) => isBusy(figures)).length
  if (late > 0) {
    console.error(
      `${late} of ${measured.length} runs had over 1 % of late packets: the machine was busy, measure again`,
    )
  }
}

/** Leaves out what this machine can't run, and says so. */
function possible(options: Options): Options {
  const peers = options.peers.filter((peer) => {
    const missing = missingFor(peer)
    if (missing !== undefined) console.error(`${peer.title} is left out: ${missing}`)
    return missing === undefined
  })
  const congestionControls = options.congestionControls.filter((name) => {
    if (!hasCongestionControl(name)) console.error(`${name} is left out: modprobe tcp_${name}`)
    return hasCongestionControl(name)
  })
  return { ...options, peers, congestionControls }
}

async function main(): Promise<void> {
  const asked = readOptions(process.argv.slice(2))
  if (!asked) {
    console.log(USAGE)
    return
  }
  const missing = await missingForLinks()
  if (missing.length > 0) {
    console.error(`Links can't be emulated here. Missing:\n${missing.map((what) => `- ${what}`).join('\n')}`)
    process.exitCode = 1
    return
  }
  const options = possible(asked)
  const kind = options.quick ? 'quick' : 'full'
  const begun = options.isFull ? session(kind, options.fresh) : undefined
  const day = new Date().toISOString().slice(0, 10)
  const origin = { build: libraryBuild(), aggligator: aggligatorVersion(), day, session: begun }
  const planned = plan(options, origin)
  const measured = await measureAll(options, planned)
  print(measured, options)
  if (options.isFull && !options.quick) save(measured)
  else if (options.save) save(withSaved(measured))
  if (measured.length < planned.length) {
    console.error(`${planned.length - measured.length} of ${planned.length} runs have failed: see above`)
    process.exitCode = 1
  } else if (options.isFull) endSession()
}

// Only a process that ends by itself runs its exit handlers.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
await main()

/**
 * `npm run bench:links`: ours and its peers over emulated links of different rates and delays, with loss and
 * silence. See options.ts for its command line, scenarios.ts for the links and targets.ts for the bounds.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { libraryBuild } from '../shared/build.js'
import { figure } from '../shared/figures.js'
import { machine } from '../shared/machine.js'
import { RESULTS } from '../shared/places.js'
import { chart } from './chart.js'
import { endSession, isSame, keyOf, note, type Row, rows, session } from './log.js'
import type { Figures } from './measure.js'
import { aggligatorVersion, hasCongestionControl, missingFor, missingForLinks } from './needs.js'
import { type Options, readOptions, USAGE } from './options.js'
import type { Peer } from './peers.js'
import { COLUMNS, markdown, scenarioTable, verdictTable } from './report.js'
import { run } from './run.js'
import type { Scenario } from './scenarios.js'
import { Summary } from './summary.js'
import { verdicts } from './targets.js'

/** More packets that the emulation itself delivered late make a run doubtful. */
const LATE_SHARE = 0.01

interface Planned {
  readonly scenario: Scenario
  readonly peer: Peer
  readonly row: Omit<Row, 'figures'>
}

function plan(options: Options, begun: string | undefined): Planned[] {
  const build = libraryBuild()
  const all: Planned[] = []
  for (let nth = 1; nth <= options.runs; nth++) {
    for (const scenario of options.scenarios) {
      for (const congestionControl of options.congestionControls) {
        for (const peer of options.peers) {
          if (!isUseful(scenario, peer)) continue
          const isOurs = peer.kind === 'multipath' && [peer.dials, peer.listens].includes('node')
          const row = {
            ...{ scenario: scenario.id, peer: peer.id, congestionControl, run: nth },
            seconds: options.seconds ?? (options.quick ? scenario.quick : scenario.seconds),
            ...(isOurs && build !== undefined ? { build } : {}),
            ...(begun === undefined ? {} : { session: begun }),
          }
          all.push({ scenario, peer, row })
        }
      }
    }
  }
  return all
}

/** A sum taken from another scenario needs no plain TCP in this one. */
function isUseful(scenario: Scenario, peer: Peer): boolean {
  if (scenario.peers && !scenario.peers.includes(peer.id)) return false
  return peer.id !== 'plain' || scenario.sumOf === undefined
}

function line(row: Omit<Row, 'figures'>, figures: Figures): string {
  const told = COLUMNS.filter(({ name }) => figures[name] !== undefined).map(({ title, name }) => {
    const value = figures[name]
    return `${title} ${typeof value === 'object' ? value.map(figure).join('+') : figure(value)}`
  })
  const parts = figures.perLink ? [`(${figures.perLink.map(figure).join(' + ')})`] : []
  return `${row.scenario} ${row.peer} ${row.congestionControl} #${row.run}: ${[...told, ...parts].join(', ')}`
}

async function measure(options: Options, planned: readonly Planned[]): Promise<Row[]> {
  const known = options.isFull ? rows().filter((row) => row.session === planned[0]?.row.session) : []
  const done: Row[] = []
  for (const { scenario, peer, row } of planned) {
    const before = known.find((one) => isSame(one, row))
    if (before) {
      done.push(before)
      continue
    }
    const { congestionControl, seconds } = row
    const file = `${keyOf(row).replaceAll(/[^\w.=-]+/g, '_')}_${row.run}.jsonl`
    const trace = options.trace === undefined ? {} : { trace: `${options.trace}/${file}` }
    try {
      const figures = await run({ scenario, peer, congestionControl, seconds, ...trace })
      console.log(line(row, figures))
      note({ ...row, figures })
      done.push({ ...row, figures })
    } catch (error) {
      console.error(`${keyOf(row)} #${row.run}: ${(error as Error).message}`)
    }
  }
  return done
}

/** Where plain TCP was not asked for, its earlier runs of the same work give the sum. */
function withEarlierPlain(measured: readonly Row[]): Row[] {
  const wanted = new Set(measured.map((row) => keyOf({ ...row, peer: 'plain' })))
  for (const row of measured) wanted.delete(keyOf(row))
  return [...measured, ...rows().filter((row) => wanted.has(keyOf(row)))]
}

function save(measured: readonly Row[], options: Options): void {
  const about = machine(aggligatorVersion())
  const summary = new Summary(measured)
  const { congestionControls } = options
  const data = { machine: about, runs: measured, targets: verdicts(summary, congestionControls) }
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(`${RESULTS}links.json`, `${JSON.stringify(data, null, 1)}\n`)
  writeFileSync(`${RESULTS}links.md`, `${markdown(summary, congestionControls, about)}\n`)
  writeFileSync(`${RESULTS}links.svg`, chart(summary, congestionControls))
  console.log(`written: ${RESULTS}links.json, links.md, links.svg`)
}

function print(measured: readonly Row[], options: Options): void {
  const summary = new Summary(options.isFull ? measured : withEarlierPlain(measured))
  for (const scenario of options.scenarios) {
    console.log(`\n## ${scenario.title}\n\n${scenarioTable(summary, scenario, options.congestionControls)}`)
  }
  console.log(`\n${verdictTable(summary, options.congestionControls)}`)
  const late = measured.filter(({ figures }) => (figures.late ?? 0) > LATE_SHARE).length
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
  const planned = plan(options, options.isFull ? session(kind, options.fresh) : undefined)
  const minutes = planned.reduce((total, { row }) => total + row.seconds + 1, 0) / 60
  console.error(`${planned.length} runs, about ${Math.ceil(minutes)} minutes without those already there`)
  const measured = await measure(options, planned)
  print(measured, options)
  if ((options.isFull && !options.quick) || options.save) save(measured, options)
  if (options.isFull) endSession()
}

// Only a process that ends by itself runs its exit handlers.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
await main()

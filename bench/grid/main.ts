// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run grid`: the window over RTT, loss, jitter, queue and rate, in virtual time and seeded. Prints where neighbours
 * differ by more than 15 % in share or twice in queueing, without those that judge.ts excuses, and exits with 1 there.
 * What differs is looked at with up to five seeds more, since losses and jitter come by chance.
 *
 *   --excerpt         some of the cells, in less than a minute       --kernel bbr,cubic   the sender's kernel
 *   --setting one     some of: one path alone, two, steps of its rate
 *   --rate 2,20       some of the rates                              --workers 2          processes
 *   --resume FILE     keeps each result there, and goes on with what it holds
 *   --judge FILE      judges what such a file holds, and simulates nothing
 *   --svg FILE        also writes the heat map
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { optionsOf } from '../shared/options-of.js'
import { BENCH } from '../shared/places.js'
import type { Cell, Setting } from './cell.js'
import { AXES, cells, keyOf, SETTINGS } from './cell.js'
import { EXCERPT } from './excerpt.js'
import { heatMap } from './heat-map.js'
import type { Cliff } from './judge.js'
import { cliffs } from './judge.js'
import { Progress } from './progress.js'
import type { Job, Result } from './results.js'
import { Results } from './results.js'

const args = optionsOf({
  excerpt: { type: 'boolean', default: false },
  setting: { type: 'string', default: SETTINGS.join(',') },
  kernel: { type: 'string', default: 'bbr,cubic' },
  rate: { type: 'string', default: AXES.rateMbps.join(',') },
  workers: { type: 'string', default: String(availableParallelism()) },
  resume: { type: 'string' },
  judge: { type: 'string' },
  svg: { type: 'string' },
})

const FIRST_SEED = 1
/** What differs is simulated with these seeds, and what differs still with the next ones, too. */
const SEEDS_IN_DOUBT = [
  [1, 2, 3],
  [4, 5, 6],
]
/** Cells that a worker gets one after another: those of the settings share links. */
const BATCH = SETTINGS.length

async function work(queue: Job[], results: Results, progress: Progress): Promise<void> {
  const child = fork(`${BENCH}grid/worker.ts`, [], { execArgv: ['--import', 'tsx'] })
  for (let batch = queue.splice(0, BATCH); batch.length > 0; batch = queue.splice(0, BATCH))
    for (const job of batch) {
      child.send(job)
      const [result] = (await once(child, 'message')) as [Result]
      results.add(result)
      progress.add(result)
    }
  child.disconnect()
}

async function measure(jobs: readonly Job[], results: Results): Promise<void> {
  const queue = jobs.filter((job) => !results.has(job))
  if (queue.length === 0) return
  const progress = new Progress(queue.length)
  await Promise.all(Array.from({ length: Number(args.workers) }, () => work(queue, results, progress)))
}

function wanted(): readonly Cell[] {
  if (args.excerpt) return EXCERPT
  const rateMbps = args.rate.split(',').map(Number)
  return cells(args.setting.split(',') as Setting[], args.kernel.split(',') as Cell['kernel'][], {
    ...AXES,
    rateMbps,
  })
}

/** Both sides of what differs, each once, with more seeds. */
function inDoubt(found: readonly Cliff[], seeds: readonly number[]): Job[] {
  const cellsByKey = new Map(
    found.flatMap(({ from, to }) => [from.cell, to.cell]).map((cell) => [keyOf(cell), cell]),
  )
  return [...cellsByKey.values()].flatMap((cell) => seeds.map((seed) => ({ cell, seed })))
}

function describe({ axis, from, to, what }: Cliff): string {
  const figures = [from, to].map(({ outcome }) =>
    what === 'share' ? outcome.share.toFixed(2) : `${outcome.queueMs.toFixed(0)} ms`,
  )
  return `${what}: ${keyOf(from.cell)}: ${axis} to ${to.cell[axis]}: ${figures.join(' to ')}`
}

const began = Date.now()
const results = new Results(args.judge ?? args.resume)
if (args.judge === undefined) {
  await measure(
    wanted().map((cell) => ({ cell, seed: FIRST_SEED })),
    results,
  )
  for (const seeds of SEEDS_IN_DOUBT) await measure(inDoubt(cliffs(results.measured()), seeds), results)
}
const all = results.measured()
const found = cliffs(all)
for (const cliff of found) console.log(describe(cliff))
const shares = all.map(({ outcome }) => outcome.share).sort((a, b) => a - b)
const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
console.log(
  `${all.length} cells in ${Math.round((Date.now() - began) / 1000)} s (${Math.round(results.cpuMs / 1000)} s of processor time), ${found.length} cliffs; ` +
    `share: mean ${mean.toFixed(3)}, a tenth under ${shares[Math.floor(shares.length / 10)]!.toFixed(2)}, least ${shares[0]!.toFixed(2)}`,
)
if (args.svg !== undefined) writeFileSync(args.svg, heatMap(all))
if (found.length > 0) process.exitCode = 1

// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run grid`: the window over RTT, loss, jitter, queue and rate, in virtual time and seeded. Prints where neighbours
 * differ by more than 15 % in share or twice in queueing, without those that judge.ts excuses, and exits with 1 there.
 *
 *   --excerpt         some of the cells, in less than a minute       --kernel bbr,cubic   the sender's kernel
 *   --setting one     some of: one path alone, two, steps of its rate
 *   --rate 2,20       some of the rates
 *   --json FILE       also writes all figures                        --svg FILE           also writes the heat map
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { BENCH } from '../shared/places.js'
import type { Cell, Setting } from './cell.js'
import { AXES, cells, keyOf, SETTINGS } from './cell.js'
import { EXCERPT } from './excerpt.js'
import { heatMap } from './heat-map.js'
import type { Measured } from './judge.js'
import { cliffs } from './judge.js'
import type { Outcome } from './simulate.js'

const { values: args } = parseArgs({
  options: {
    excerpt: { type: 'boolean', default: false },
    setting: { type: 'string', default: SETTINGS.join(',') },
    kernel: { type: 'string', default: 'bbr,cubic' },
    rate: { type: 'string', default: AXES.rateMbps.join(',') },
    json: { type: 'string' },
    svg: { type: 'string' },
  },
})

async function measure(queue: Cell[], all: Measured[]): Promise<void> {
  const child = fork(`${BENCH}grid/worker.ts`, [], { execArgv: ['--import', 'tsx'] })
  for (let cell = queue.pop(); cell !== undefined; cell = queue.pop()) {
    child.send(cell)
    const [outcome] = (await once(child, 'message')) as [Outcome]
    all.push({ cell, outcome })
  }
  child.disconnect()
}

const settings = args.setting.split(',') as Setting[]
const kernels = args.kernel.split(',') as Cell['kernel'][]
const rateMbps = args.rate.split(',').map(Number)
const wanted = args.excerpt ? EXCERPT : cells(settings, kernels, { ...AXES, rateMbps })
const began = Date.now()
const all: Measured[] = []
const queue = [...wanted]
await Promise.all(Array.from({ length: availableParallelism() }, () => measure(queue, all)))
const found = cliffs(all)
for (const { axis, from, to, what } of found) {
  const figures = [from, to].map(({ outcome }) =>
    what === 'share' ? outcome.share.toFixed(2) : `${outcome.queueMs.toFixed(0)} ms`,
  )
  console.log(`${what}: ${keyOf(from.cell)}: ${axis} to ${to.cell[axis]}: ${figures.join(' to ')}`)
}
const shares = all.map(({ outcome }) => outcome.share).sort((a, b) => a - b)
const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
console.log(
  `${all.length} cells in ${Math.round((Date.now() - began) / 1000)} s, ${found.length} cliffs; ` +
    `share: mean ${mean.toFixed(3)}, a tenth under ${shares[Math.floor(shares.length / 10)]!.toFixed(2)}, least ${shares[0]!.toFixed(2)}`,
)
if (args.json !== undefined) writeFileSync(args.json, `${JSON.stringify(all)}\n`)
if (args.svg !== undefined) writeFileSync(args.svg, heatMap(all))
if (found.length > 0) process.exitCode = 1

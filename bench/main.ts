// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run bench`: ours, Go's and plain net on loopback, each pair in processes of its own, in turn.
 *
 *   --only bulk-1,echo     some of the cases       --pairs node-node,go-go   some of the pairs
 *   --runs 5 --seconds 1.5                          --json   data instead of tables
 *   --save                 also writes bench/results/loopback.json and .md
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { type Case, CASES } from './loopback/cases.js'
import { PAIRINGS, type Pairing } from './loopback/pairings.js'
import { asData, figuresTable, Results, targetsTable } from './loopback/results.js'
import { buildGo, buildNodeWorkers, GO_PEER, libraryBuild } from './shared/build.js'
import { machine } from './shared/machine.js'
import { optionsOf } from './shared/options-of.js'
import { RESULTS } from './shared/places.js'

const args = optionsOf({
  only: { type: 'string', default: '' },
  pairs: { type: 'string', default: '' },
  runs: { type: 'string', default: '7' },
  seconds: { type: 'string', default: '1.5' },
  json: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
})

function chosen<T extends { readonly id: string }>(all: readonly T[], names: string): T[] {
  const wanted = names.split(',').filter(Boolean)
  const unknown = wanted.filter((name) => !all.some(({ id }) => id === name))
  if (unknown.length > 0)
    throw new Error(`no such name: ${unknown.join(', ')}; there are ${all.map(({ id }) => id).join(', ')}`)
  return all.filter(({ id }) => wanted.length === 0 || wanted.includes(id))
}

/** Leaves out what can't run here, and says so. */
async function runnable(pairings: readonly Pairing[]): Promise<Pairing[]> {
  await buildNodeWorkers()
  const hasGo = buildGo('go', GO_PEER)
  const hasOurs = libraryBuild() !== undefined
  if (!hasGo) console.error('Go is missing: its columns are left out')
  if (!hasOurs) console.error('dist/ is missing (npm run build): the columns with Node are left out')
  return pairings.filter(({ kind, dials, listens }) => {
    const languages = [dials, listens]
    return (
      (hasGo || !languages.includes('go')) && (hasOurs || kind === 'plain' || !languages.includes('node'))
    )
  })
}

async function measure(
  cases: readonly Case[],
  pairings: readonly Pairing[],
  results: Results,
): Promise<void> {
  for (const one of cases) {
    const runs = Math.min(Number(args.runs), one.maxRuns ?? Number.POSITIVE_INFINITY)
    const among = pairings.filter(({ id }) => !one.without?.includes(id))
    for (let run = 0; run < runs; run++) {
      for (const pairing of among) {
        progress(`${one.id}, run ${run + 1} of ${runs}, ${pairing.title}`)
        try {
          results.add(one.id, pairing.id, await one.run(pairing, Number(args.seconds)))
        } catch (error) {
          progress('')
          console.error(`${one.id}, ${pairing.title}: ${(error as Error).message}`)
        }
      }
    }
  }
  progress('')
}

/** A line that the next one replaces; nothing where nobody watches. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`)
}

const cases = chosen(CASES, args.only)
const pairings = await runnable(chosen(PAIRINGS, args.pairs))
const results = new Results()
await measure(cases, pairings, results)

const about = machine('not used')
const data = JSON.stringify({ machine: about, ...(asData(results, cases, pairings) as object) }, null, 1)
const where = `${about.cores} × ${about.cpu}, Linux ${about.kernel}, Node ${about.node}, Go: ${about.go}, ${about.date}`
const text = `${where}\n\n${figuresTable(results, cases, pairings)}\n\n${targetsTable(results)}\n`
console.log(args.json ? data : text)
if (args.save) {
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(`${RESULTS}loopback.json`, `${data}\n`)
  writeFileSync(`${RESULTS}loopback.md`, `# Loopback\n\n${text}`)
}

// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run node-tests`: Node's own tests with `net` replaced by this library.
 *
 *   --only net,http   families: net, http, https, http2, tls (default: all)
 *   --node 22         a Node of npm's package `node` (default: the one that runs)
 *   --paths 1         paths of each connection
 *   --jobs 2          tests at the same time
 *   --limit-s 20      time limit of a test, seconds
 *   --every 1         one file of that many in each family
 *   --from 0          and where that begins: all of a family in pieces
 *   --listed          runs those that differences.ts lists, too
 *   NAME …            these tests alone
 *
 * Prints what fails, then a table; build/node-tests/ gets it as JSON. Exit code 1 where a test fails that neither is
 * listed nor fails over the control.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Family, Judged, Verdict } from './campaign.js'
import { FAMILIES, judge, sampleOf } from './campaign.js'
import { nodeBinary, nodeTests, resultsFile } from './sources.js'

const { values: args, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: FAMILIES.join(',') },
    node: { type: 'string' },
    paths: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '2' },
    'limit-s': { type: 'string', default: '20' },
    every: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    listed: { type: 'boolean', default: false },
  },
})

try {
  nodeTests()
} catch (error) {
  console.log(`skipped: Node's tests cannot be fetched here: ${(error as Error).message}`)
  process.exit(0)
}

const names = positionals.map((name) => (/\.m?js$/.test(name) ? name : `${name}.js`))
const version = args.node ?? process.versions.node.split('.')[0]!
const judged = await judge({
  binary: nodeBinary(args.node),
  version,
  names: names.length > 0 ? names : sampled(args.only.split(',') as Family[]),
  paths: Number(args.paths),
  jobs: Number(args.jobs),
  timeLimitMs: Number(args['limit-s']) * 1000,
  runsListed: args.listed || names.length > 0,
  onJudged: tell,
})
console.log(table(judged))
const file = resultsFile(`results-node${version}-paths${args.paths}.json`)
writeFileSync(file, `${JSON.stringify(judged, null, 1)}\n`)
process.exitCode = judged.some(({ verdict }) => verdict === 'ours') ? 1 : 0

function sampled(families: readonly Family[]): string[] {
  return families.flatMap((family) => sampleOf(family, Number(args.every), Number(args.from)))
}

function tell({ name, verdict, why }: Judged): void {
  if (verdict === 'ours') console.log(`FAILED ${name}\n${why}\n`)
}

function table(all: readonly Judged[]): string {
  const verdicts: Verdict[] = ['passed', 'skipped', 'listed', 'control', 'ours']
  const lines = FAMILIES.map((family) => {
    const own = all.filter((one) => one.family === family)
    const counts = verdicts.map((verdict) => own.filter((one) => one.verdict === verdict).length)
    return `| ${[family, own.length, ...counts].join(' | ')} |`
  })
  return [`| family | files | ${verdicts.join(' | ')} |`, `|${' --- |'.repeat(7)}`, ...lines].join('\n')
}

// SPDX-License-Identifier: Apache-2.0
/**
 * A call of small datagrams over emulated links, one of which comes and goes: the share that arrives in time, and the bytes that it takes.
 * `npm run bench:call -- --seconds 60 --flaps 0 --down 2.5 --every 15`; needs what `bench:links` needs.
 */
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'
import { Network } from '../links/network.js'
import { buildGo, LINKSIM } from '../shared/build.js'
import { Program } from '../shared/program.js'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    bytes: { type: 'string', default: '100' },
    interval: { type: 'string', default: '5' },
    links: { type: 'string', default: '50/5,50/20,5/150' },
    flaps: { type: 'string', default: '0' },
    down: { type: 'string', default: '2.5' },
    every: { type: 'string', default: '15' },
    cc: { type: 'string', default: 'cubic' },
  },
})

const PORT = 7800
/** Beyond the shortest delay, a message is late. */
const SLACK_MS = 20

const WORKER = ['--import', 'tsx', fileURLToPath(new URL('worker.ts', import.meta.url))]
const seconds = Number(values.seconds)
const links = values.links.split(',').map((link) => link.split('/').map(Number) as [number, number])

function changes(): string[] {
  const all: string[] = []
  for (let at = Number(values.every); at + Number(values.down) < seconds; at += Number(values.every))
    all.push(`${at} ${values.flaps} down`, `${at + Number(values.down)} ${values.flaps} up`)
  return all
}

async function line<Value>(program: Program, pattern: RegExp): Promise<Value> {
  return JSON.parse(await program.line(pattern, (seconds + 30) * 1000)) as Value
}

if (!buildGo('linksim', LINKSIM)) process.exit(1)
await using network = await Network.start({
  links: links.map(([rate, delay]) => `rate=${rate},delay=${delay}`),
  changes: changes(),
  congestionControl: values.cc,
})
const there = new Program([...network.inside('server'), process.execPath, ...WORKER, 'serve', String(PORT)])
await there.line(/listening/)
const places = links.map((_, link) => `10.77.${link}.2:${PORT}`)
const dialArgs = ['dial', values.seconds, values.bytes, values.interval, ...places]
const here = new Program([...network.inside('client'), process.execPath, ...WORKER, ...dialArgs])
await here.line(/begins/)
network.mark()
const before = payload()
const { given, stats } = await line<{ given: number; stats: object }>(here, /given/)
const sentBytes = payload() - before
const { came } = await line<{ came: [at: number, tookMs: number][] }>(there, /came/)
const tookMs = came.map(([, took]) => took)
const best = Math.min(...links.map(([, delay]) => delay))
const sorted = tookMs.toSorted((a, b) => a - b)
const quantile = (share: number): string =>
  (sorted[Math.floor(share * (sorted.length - 1))] ?? NaN).toFixed(1)
const inTime = tookMs.filter((took) => took <= best + SLACK_MS).length / given
console.log(
  `${given} messages, ${(100 * inTime).toFixed(3)} % within ${best + SLACK_MS} ms, ${(100 * (1 - tookMs.length / given)).toFixed(3)} % lost;`,
  `median ${quantile(0.5)} ms, p99 ${quantile(0.99)}, p99.9 ${quantile(0.999)}, worst ${quantile(1)};`,
  `${(sentBytes / (given * Number(values.bytes))).toFixed(3)} × the bytes, headers of ours included`,
)
const beganAt = Math.min(...came.map(([at]) => at))
const lateMs = best + SLACK_MS
const bySecond = new Map<number, string[]>()
for (const [at, took] of came.toSorted(([a], [b]) => a - b)) {
  if (took <= lateMs) continue
  const second = Math.floor((at - beganAt) / 1000)
  bySecond.set(second, [
    ...(bySecond.get(second) ?? []),
    `${((at - beganAt) % 1000).toFixed(0)}:${took.toFixed(0)}`,
  ])
}
for (const [second, late] of bySecond) console.log(`late in second ${second}, as ms:took: ${late.join(' ')}`)
console.log(stats)

/** TCP payload that the dialling side has sent on all links. */
function payload(): number {
  const last = network.events.findLast(({ event }) => event === 'sample')
  return (last?.links ?? []).reduce((sum, { up }) => sum + up.payload, 0)
}

// SPDX-License-Identifier: Apache-2.0
/**
 * What `multipath run` costs over loopback: how long a program takes that does nothing, beside the same program and Node alone; and how fast
 * a program downloads, beside `multipath forward`. Both by turns. `npm run bench:run -- --pairs 7`; needs root, iproute2, nftables.
 * Each Node reads the certificates of NODE_EXTRA_CA_CERTS before anything else, which is no part of this unless `--own-certificates` is given.
 */
import { execFileSync } from 'node:child_process'
import { figure, median } from '../shared/figures.js'
import { optionsOf } from '../shared/options-of.js'
import { Program } from '../shared/program.js'

const values = optionsOf({
  starts: { type: 'string', default: '15' },
  pairs: { type: 'string', default: '7' },
  megabytes: { type: 'string', default: '200' },
  paths: { type: 'string', default: '2' },
  'own-certificates': { type: 'boolean', default: false },
})

if (!values['own-certificates']) delete process.env.NODE_EXTRA_CA_CERTS

const [SOURCE_PORT, LOCAL_PORT, PORT] = [7810, 7811, 7812]
const PLACE = '203.0.113.7'
const MAIN = 'dist/cli/main.js'
const TOKEN = { MULTIPATH_TOKEN: 'a token for measurements' }
const NAMESPACE = `run-bench-${process.pid}`

/** To whoever connects. */
const SOURCE = `
const chunk = Buffer.alloc(256 * 1024)
require('node:net').createServer((socket) => {
  socket.on('error', () => {})
  let left = ${Number(values.megabytes)} * 4
  const write = () => { while (left-- > 0) if (!socket.write(chunk)) { socket.once('drain', write); return } socket.end() }
  write()
}).listen(${SOURCE_PORT}, '${PLACE}', () => console.log('listening'))`
/** It tells the bytes per millisecond of a second download, from its connection on: by the first one, code and windows have become warm. */
const SINK = `
const [host, port] = process.argv.slice(1)
const download = (then) => {
  let bytes = 0, begunAt
  const socket = require('node:net').connect({ host, port: Number(port) }, () => { begunAt = performance.now() })
  socket.on('data', ({ length }) => { bytes += length })
  socket.on('end', () => then(bytes / (performance.now() - begunAt)))
}
download(() => download((rate) => console.log('rate ' + rate)))`

const within = ['nsenter', `--net=/run/netns/${NAMESPACE}`]
const node = [...within, process.execPath]
const to = Array.from({ length: Number(values.paths) }, (_, path) => [
  '--to',
  `127.0.0.${path + 1}:${PORT}`,
]).flat()
const run = (...program: string[]): string[] => [...node, MAIN, 'run', ...to, '--no-ctl', '--', ...program]

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Milliseconds. */
function timed([command, ...words]: readonly string[]): number {
  const begunAt = performance.now()
  execFileSync(command!, words, { env: { ...process.env, ...TOKEN }, stdio: ['ignore', 'ignore', 'inherit'] })
  return performance.now() - begunAt
}

/** Megabytes per second. */
async function rate(command: readonly string[]): Promise<number> {
  await using program = new Program(command, TOKEN)
  return Number((await program.line(/^rate/)).split(' ')[1]) / 1000
}

const sink = (host: string, port: number): string[] => ['-e', SINK, host, `${port}`]

/** Of each, by turns; the first turn only warms up. */
async function byTurns(
  turns: number,
  measures: readonly (() => number | Promise<number>)[],
): Promise<number[][]> {
  const rounds: number[][] = []
  for (let turn = 0; turn <= turns; turn++) {
    const round: number[] = []
    for (const measure of measures) round.push(await measure())
    if (turn > 0) rounds.push(round)
  }
  return rounds
}

ip('netns', 'add', NAMESPACE)
process.once('exit', () => ip('netns', 'delete', NAMESPACE))
ip('-n', NAMESPACE, 'link', 'set', 'lo', 'up')
ip('-n', NAMESPACE, 'address', 'add', `${PLACE}/32`, 'dev', 'lo')
await using source = new Program([...node, '-e', SOURCE])
await source.line(/listening/)
const rules = ['--allow', `source=${PLACE}:${SOURCE_PORT}`, '--allow-socks', `${PLACE}:*`]
await using serve = new Program([...node, MAIN, 'serve', '--listen', `${PORT}`, ...rules, '--no-ctl'], TOKEN)
await serve.line(/listening/)

const starts = await byTurns(Number(values.starts), [
  () => timed([...within, 'true']),
  () => timed([...node, '-e', '0']),
  () => timed(run('true')),
])
const [alone, bare, whole] = [0, 1, 2].map((column) => median(starts.map((round) => round[column]!)))
console.log(
  `run adds ${figure(whole! - alone!)} ms to a program (median of ${starts.length}), ${figure((whole! - alone!) / (bare! - alone!))} times as much as node -e 0, which takes ${figure(bare! - alone!)} ms`,
)

/** By a session of its own, as that of `run` is. */
async function forwarded(): Promise<number> {
  const local = `${LOCAL_PORT}=source`
  await using forward = new Program([...node, MAIN, 'forward', ...to, '--local', local, '--no-ctl'], TOKEN)
  await forward.line(/listening/)
  return await rate([...node, ...sink('127.0.0.1', LOCAL_PORT)])
}

if (Number(values.pairs) > 0) {
  const pairs = await byTurns(Number(values.pairs), [
    forwarded,
    () => rate(run(process.execPath, ...sink(PLACE, SOURCE_PORT))),
  ])
  const ratios = pairs.map(([beside, ran]) => ran! / beside!)
  console.log(
    `run brings ${figure(median(ratios))} of what forward brings (median of ${pairs.length} pairs, ${ratios.map(figure).join(', ')}): ${figure(median(pairs.map(([, ran]) => ran!)))} MB/s`,
  )
}

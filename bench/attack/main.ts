// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run attack`: a victim under attack, each side a process of its own. Tables of its memory and processor time, and
 * of the rate and the round trips of another client, before, during and after. `control` is the same attacker against
 * a process that drops what it reads, which tells what it takes from all others by the processor time of its own; it
 * has the lowest priority, since the processors of a real one are elsewhere. Everything has run for a while before.
 * Exits with 1 where the other client's p99 is over 50 ms, or the victim's memory over its budget, during an attack.
 *
 *   --only NAME[,NAME]   --sockets N (in place of each attack's own number)   --seconds 10
 *   --profile     the victim leaves a .cpuprofile in build/bench/attack/
 */
import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { figure, table } from '../shared/figures.js'
import { optionsOf } from '../shared/options-of.js'
import { BENCH, BUILD } from '../shared/places.js'
import type { AttackCase } from './attack-case.js'
import { CASES } from './cases/index.js'

/** What the friend measured in a phase, and the listener of itself. */
interface Phase {
  readonly rate: number
  readonly median: number
  readonly p99: number
  readonly memory: number
  /** Of a processor. */
  readonly share: number
}

interface Use {
  readonly memory: number
  readonly cpuSeconds: number
}

/** Until the code of both is compiled: cold, it is as slow as under attack. */
const WARM_UP_SECONDS = 5
const PHASES = ['before', 'control', 'attack', 'after'] as const
/** What another client may notice at most, ms. */
const MOST_P99_MS = 50

const values = optionsOf({
  only: { type: 'string' },
  sockets: { type: 'string' },
  seconds: { type: 'string', default: '10' },
  profile: { type: 'boolean', default: false },
})

async function start(...args: string[]): Promise<[child: ChildProcess, said: string]> {
  const profile = values.profile && args[0] === 'serve' ? ['--cpu-prof', `--cpu-prof-dir=${BUILD}attack`] : []
  const child = fork(`${BENCH}attack/worker.ts`, args, { execArgv: ['--import', 'tsx', ...profile] })
  const [said] = (await once(child, 'message')) as [unknown]
  return [child, String(said)]
}

async function ask<Answer>(child: ChildProcess, question: object = {}): Promise<Answer> {
  child.send(question)
  const [answer] = (await once(child, 'message')) as [Answer]
  return answer
}

async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

async function run(name: string, attackCase: AttackCase, seconds: number): Promise<Phase[]> {
  const sockets = values.sockets ?? String(attackCase.sockets)
  const [server, port] = await start('serve', name)
  const [friend] = await start('friend', name, port)
  const [sink, sinkPort] = attackCase.sink === undefined ? [] : await start('sink', name)
  const target = { before: undefined, control: sinkPort, attack: port, after: undefined }
  const phases: Phase[] = []
  await ask(friend, { seconds: WARM_UP_SECONDS })
  for (const phase of PHASES) {
    if (phase === 'control' && sink === undefined) {
      phases.push({
        rate: Number.NaN,
        median: Number.NaN,
        p99: Number.NaN,
        memory: Number.NaN,
        share: Number.NaN,
      })
      continue
    }
    const at = target[phase]
    const attacker = at === undefined ? undefined : await start('attack', name, at, sockets)
    const before = await ask<Use>(server)
    const client = await ask<Pick<Phase, 'rate' | 'median' | 'p99'>>(friend, { seconds })
    const { memory, cpuSeconds } = await ask<Use>(server)
    phases.push({ ...client, memory, share: (cpuSeconds - before.cpuSeconds) / seconds })
    if (attacker !== undefined) await end(attacker[0])
    if (phase === 'control' && sink !== undefined) await end(sink)
  }
  await end(friend)
  const exit = once(server, 'exit')
  server.disconnect()
  await exit
  return phases
}

function print(runs: ReadonlyMap<string, readonly Phase[]>): void {
  const shown: readonly [what: string, keyof Phase][] = [
    ['MB/s of the client', 'rate'],
    ['its round trips, median ms', 'median'],
    ['its round trips, p99 ms', 'p99'],
    ["the listener's memory, MiB", 'memory'],
    ["the listener's share of a processor", 'share'],
  ]
  for (const [what, key] of shown) {
    const rows = [...runs].map(([name, phases]) => {
      const [before = Number.NaN, control = Number.NaN, attack = Number.NaN] = phases.map(
        (phase) => phase[key],
      )
      const ratios = [attack / before, attack / control]
      return [name, ...phases.map((phase) => phase[key]), ...ratios].map((cell) =>
        typeof cell === 'number' ? figure(cell) : cell,
      )
    })
    console.log(`\n${what}`)
    console.log(table(['attack', ...PHASES, 'attack/before', 'attack/control'], rows))
  }
}

/** What was measured while the attack went on. */
const underAttack = (phases: readonly Phase[]): Phase => phases[PHASES.indexOf('attack')]!

/** @returns a line for each attack that another client noticed, or that cost too much memory */
function failures(runs: ReadonlyMap<string, readonly Phase[]>): string[] {
  return [...runs].flatMap(([name, phases]) => {
    const { p99, memory } = underAttack(phases)
    const { budgetMiB } = CASES[name]!
    return [
      ...(p99 <= MOST_P99_MS ? [] : [`${name}: p99 ${figure(p99)} ms, at most ${MOST_P99_MS}`]),
      ...(memory <= budgetMiB ? [] : [`${name}: ${figure(memory)} MiB, at most ${budgetMiB}`]),
    ]
  })
}

const names = values.only === undefined ? Object.keys(CASES) : values.only.split(',')
const runs = new Map<string, readonly Phase[]>()
for (const name of names) {
  const attackCase = CASES[name]
  if (attackCase === undefined)
    throw new Error(`no attack ${name}; there are ${Object.keys(CASES).join(', ')}`)
  const phases = await run(name, attackCase, Number(values.seconds))
  runs.set(name, phases)
  const { p99, memory } = underAttack(phases)
  console.log(`${name}: p99 ${figure(p99)} ms, ${figure(memory)} MiB of ${attackCase.budgetMiB}`)
}
print(runs)
const failed = failures(runs)
for (const line of failed) console.error(line)
process.exit(failed.length === 0 ? 0 : 1)

/**
 * `npm run attack`: a listener under attack, each side a process of its own; a table of its memory, and of the rate and
 * the round trips of another client, before, during and after.
 *
 *   --only NAME   --sockets 10000 (slowloris, random-cids, truncated-tls; a hundredth for the others)   --seconds 10
 */
import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { ATTACKS } from '../../spec/support/attacks.js'
import { figure, table } from '../shared/figures.js'
import { BENCH } from '../shared/places.js'

/** What the friend measured in a phase. */
interface Phase {
  readonly rate: number
  readonly p99: number
}

/** Attacks by the number of sockets; the others send all that they can. */
const BY_NUMBER: readonly string[] = ['slowloris', 'random-cids', 'truncated-tls']

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    sockets: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '10' },
  },
})

async function start(...args: string[]): Promise<[child: ChildProcess, said: unknown]> {
  const child = fork(`${BENCH}attack/worker.ts`, args, { execArgv: ['--import', 'tsx', '--expose-gc'] })
  const [said] = (await once(child, 'message')) as [unknown]
  return [child, said]
}

async function ask(child: ChildProcess, question: unknown): Promise<unknown> {
  child.send(question as object)
  const [answer] = (await once(child, 'message')) as [unknown]
  return answer
}

async function run(name: string, sockets: number, seconds: number): Promise<string[]> {
  const [server, port] = await start('serve', name)
  const [friend] = await start('friend', name, String(port))
  const measure = async (): Promise<[number, Phase]> => {
    const phase = (await ask(friend, { seconds })) as Phase
    return [(await ask(server, 'memory')) as number, phase]
  }
  const phases = [await measure()]
  const [attacker] = await start('attack', name, String(port), String(sockets))
  phases.push(await measure())
  attacker.kill('SIGKILL')
  await once(attacker, 'exit')
  phases.push(await measure())
  friend.kill('SIGKILL')
  server.kill('SIGKILL')
  const numbers = phases.map(([memory, { rate, p99 }]) => [figure(memory), figure(rate), figure(p99)])
  return [name, String(sockets), ...numbers.flat()]
}

const names = values.only === undefined ? Object.keys(ATTACKS) : [values.only]
const most = Number(values.sockets)
const rows: string[][] = []
for (const name of names) {
  const sockets = BY_NUMBER.includes(name) ? most : Math.max(1, Math.round(most / 100))
  rows.push(await run(name, sockets, Number(values.seconds)))
}
const phases = ['before', 'during', 'after'].flatMap((when) => [`MiB ${when}`, 'MB/s', 'p99 ms'])
console.log(table(['attack', 'sockets', ...phases], rows))
process.exit(0)

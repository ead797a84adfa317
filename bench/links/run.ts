// SPDX-License-Identifier: Apache-2.0
/** One run: a scenario, a peer, a congestion control. */
import type { ChildProcess } from 'node:child_process'
import { cpuSeconds, type Language, Worker, type WorkerEvent } from '../shared/worker.js'
import { receivedOf } from '../shared/timeline.js'
import { type Figures, measured, type Observed } from './measure.js'
import { Network } from './network.js'
import { addresses, type Job, type Peer, PLAIN, stop } from './peers.js'
import { withFile } from './recording-files.js'
import { type Scenario, USUAL_EVERY_MS } from './scenario.js'
import { writeTimeline } from './trace.js'

export interface RunSetting {
  readonly scenario: Scenario
  readonly peer: Peer
  readonly congestionControl: string
  readonly seconds: number
  /** A file for the run's timeline. */
  readonly trace?: string
}

interface Pair {
  readonly job: Job
  readonly listener: Worker
  readonly dialer: Worker
}

const ECHO_BYTES = 200
/** Handshakes over the longest links, with retries under loss, in milliseconds. */
const CONNECT_MS = 30_000
const TRACE_EVERY_MS = 1000
/** What is on its way when the writing ends has so long to arrive, in milliseconds. */
const FLUSH_MS = 20_000

export async function run(setting: RunSetting): Promise<Figures> {
  const { scenario, peer, congestionControl } = setting
  const changes = (scenario.changes ?? []).filter((change) => Number.parseFloat(change) < setting.seconds)
  const links = scenario.links.map(withFile)
  await using network = await Network.start({ links, changes, congestionControl })
  const processes = (await peer.prepare?.(network, scenario.beside)) ?? []
  const pairs: Pair[] = []
  try {
    for (const job of jobsOf(scenario)) pairs.push(await start(setting, network, job))
    return await observe(setting, network, pairs, processes)
  } finally {
    await Promise.all(pairs.flatMap(({ listener, dialer }) => [dialer.end(), listener.end()]))
    await stop(processes)
  }
}

function jobsOf({ work, beside }: Scenario): Job[] {
  const before = beside === undefined ? [] : [beside]
  if (work === 'both') return [...before, 'echo', 'bulk']
  return [...before, work === 'offered' ? 'bulk' : work]
}

/** What a Node worker of ours is told beyond what all are told. */
function policyArgs(scenario: Scenario, role: 'serve' | 'dial'): string[] {
  const { scheduler, policies, switchEvery, isComplete, offered } = scenario
  const args = scheduler === undefined ? [] : ['--scheduler', scheduler]
  if (role === 'serve') return args
  if (policies) args.push('--policies', JSON.stringify(policies))
  if (switchEvery !== undefined) args.push('--switch-every', String(switchEvery))
  if (isComplete) args.push('--flush')
  if (offered !== undefined) args.push('--offered', String(offered))
  return args
}

/** What the dialling worker does. */
function workArgs({ scenario, seconds }: RunSetting, job: Job): string[] {
  const { work, sizes, every = USUAL_EVERY_MS } = scenario
  const args = ['--seconds', String(seconds)]
  if (job === 'echo') return [...args, '--mode', job, '--size', String(ECHO_BYTES), '--every', String(every)]
  if (job === 'messages') return [...args, '--mode', job, '--sizes', (sizes ?? []).join(',')]
  return [...args, '--mode', work === 'offered' ? work : 'bulk']
}

async function start(setting: RunSetting, network: Network, job: Job): Promise<Pair> {
  const { scenario, trace } = setting
  const peer = job === 'plain' ? PLAIN : setting.peer
  const [listens, dials] = job === 'back' ? (['client', 'server'] as const) : (['server', 'client'] as const)
  const { listen, dial, locals } = addresses(peer, job, network.links)
  const common = { env: peer.env ?? {} }
  const extra = (language: Language, role: 'serve' | 'dial'): string[] =>
    language === 'node' ? policyArgs(scenario, role) : []
  const mode = job === 'echo' || job === 'messages' ? job : 'sink'
  const listener = new Worker({
    ...common,
    language: peer.listens,
    wrap: network.inside(listens),
    args: ['serve', '--kind', peer.kind, '--mode', mode, '--addrs', listen, ...extra(peer.listens, 'serve')],
  })
  await listener.event('listening')
  const args = ['dial', '--kind', peer.kind, '--addrs', dial, ...workArgs(setting, job)]
  args.push(...extra(peer.dials, 'dial'))
  if (locals !== '') args.push('--locals', locals)
  if (trace && peer.dials === 'node') args.push('--stats-every', String(TRACE_EVERY_MS))
  const dialer = new Worker({ ...common, language: peer.dials, wrap: network.inside(dials), args })
  return { job, listener, dialer }
}

async function observe(
  setting: RunSetting,
  network: Network,
  pairs: readonly Pair[],
  processes: readonly ChildProcess[],
): Promise<Figures> {
  const workers = pairs.flatMap(({ listener, dialer }) => [listener.pid, dialer.pid])
  const pids = [...workers, ...processes.map(({ pid }) => pid ?? 0)]
  const cpu = (): number => pids.reduce((total, pid) => total + cpuSeconds(pid), 0)
  const starts = await Promise.all(pairs.map(({ dialer }) => dialer.event('start', CONNECT_MS)))
  network.mark()
  const cpuBefore = cpu()
  const dones = await Promise.all(
    pairs.map(({ dialer }) => dialer.event('done', setting.seconds * 1000 + 10_000)),
  )
  const cpuUsed = cpu() - cpuBefore
  assertAlive(pairs)
  const observed: Observed = { scenario: setting.scenario, seconds: setting.seconds, network, cpuUsed }
  // Never flushed shows in the share that was delivered.
  const flushes = setting.scenario.isComplete ? pairs : []
  await Promise.allSettled(flushes.map(({ dialer }) => dialer.event('flushed', FLUSH_MS)))
  const all = await Promise.all(pairs.map((pair, i) => seen(pair, starts[i], dones[i])))
  const whole = Object.assign({}, observed, ...all) as Observed
  if (setting.trace)
    writeTimeline(
      setting.trace,
      whole,
      pairs.map(({ dialer }) => dialer),
    )
  return measured(whole)
}

/** @throws {Error} where a connection has failed: what it brought before would pass for a whole run */
function assertAlive(pairs: readonly Pair[]): void {
  const failed = pairs.flatMap(({ dialer }) => dialer.events).find(({ event }) => event === 'failed')
  if (failed !== undefined) throw new Error(`a connection has failed: ${String(failed.message)}`)
}

async function seen(pair: Pair, started?: WorkerEvent, done?: WorkerEvent): Promise<Partial<Observed>> {
  if (!started || !done) return {}
  if (pair.job === 'echo' || pair.job === 'messages') return { [pair.job]: { started, done } }
  const received = receivedOf(await pair.listener.ask('report'))
  const bulk = { started, done, received }
  return pair.job === 'bulk' ? { bulk } : { beside: bulk }
}

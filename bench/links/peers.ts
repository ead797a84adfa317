// SPDX-License-Identifier: Apache-2.0
/** The peers: what runs on each side of the links. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Language } from '../shared/worker.js'
import type { Network } from './network.js'
import type { Scenario } from './scenario.js'

export interface Peer {
  readonly id: string
  readonly title: string
  readonly kind: 'multipath' | 'plain'
  readonly dials: Language
  readonly listens: Language
  /** Which of the addresses the listener opens and the dialer dials. */
  readonly reach: 'links' | 'first' | 'tunnel'
  readonly env?: Readonly<Record<string, string>>
  /** Subflows on each link; default: one. */
  readonly subflows?: number
  /** The only ones that it takes part in. */
  readonly scenarios?: readonly string[]
  /** Not part of a run unless it is named. */
  readonly extra?: boolean
  /** Prepares the namespaces; gives the processes whose time counts too. */
  prepare?(network: Network, beside?: Scenario['beside']): Promise<ChildProcess[]>
}

/** Ports of the listeners: of bulk, of echo, of what sends bulk beside, and of messages. */
const PORTS = { bulk: 7000, echo: 7001, plain: 7002, back: 7003, messages: 7004 } as const
export type Job = keyof typeof PORTS
const TUNNEL_PORT = 7800
/** What the tunnel takes to listen, in milliseconds. */
const TUNNEL_START_MS = 1500

/** agg-tunnel, whose links are carried by what the option says. */
const tunnel = (id: string, title: string, carrier: '--tcp' | '--quic'): Peer => ({
  ...{ id, title, kind: 'plain', dials: 'go', listens: 'go', reach: 'tunnel' },
  prepare: (network) => prepareTunnel(network, carrier),
})

export const PEERS: readonly Peer[] = [
  { id: 'ours', title: 'multipath-net', kind: 'multipath', dials: 'node', listens: 'node', reach: 'links' },
  {
    id: 'ours-go',
    title: 'multipath-net → Go',
    kind: 'multipath',
    dials: 'node',
    listens: 'go',
    reach: 'links',
  },
  { id: 'go', title: 'getlantern/multipath', kind: 'multipath', dials: 'go', listens: 'go', reach: 'links' },
  {
    id: 'go-ours',
    title: 'Go → multipath-net',
    kind: 'multipath',
    dials: 'go',
    listens: 'node',
    reach: 'links',
    extra: true,
  },
  {
    id: 'mptcp',
    title: 'kernel MPTCP',
    kind: 'plain',
    dials: 'go',
    listens: 'go',
    reach: 'first',
    env: { GODEBUG: 'multipathtcp=1' },
    prepare: prepareMptcp,
  },
  tunnel('aggligator', 'aggligator tunnel', '--tcp'),
  tunnel('aggligator-quic', 'aggligator tunnel over QUIC', '--quic'),
  {
    id: 'plain',
    title: 'plain TCP, each link alone',
    kind: 'plain',
    dials: 'node',
    listens: 'node',
    reach: 'links',
  },
  // As many connections as the tunnel has, which joins each local address with each remote one.
  {
    id: 'ours-2',
    title: 'multipath-net, 2 subflows a link',
    kind: 'multipath',
    dials: 'node',
    listens: 'node',
    reach: 'links',
    subflows: 2,
    scenarios: ['loss'],
  },
]

/** What ours is measured against. */
export const OTHERS: readonly string[] = ['go', 'mptcp', 'aggligator', 'aggligator-quic']

/** Plain TCP, which others have beside them. */
export const PLAIN: Peer = PEERS.find(({ id }) => id === 'plain')!

export interface Addresses {
  readonly listen: string
  readonly dial: string
  readonly locals: string
}

export function addresses(peer: Peer, job: Job, links: number): Addresses {
  const port = PORTS[job]
  if (peer.reach === 'tunnel') return { listen: `127.0.0.1:${port}`, dial: `127.0.0.1:${port}`, locals: '' }
  const [here, there] = job === 'back' ? [2, 1] : [1, 2]
  if (peer.reach === 'first')
    return { listen: `0.0.0.0:${port}`, dial: `10.77.0.${there}:${port}`, locals: '' }
  // What plain TCP answers has only one link to be on: the first, beside the bulk there. So has the plain TCP beside others.
  const isOnFirst = job === 'plain' || (peer.id === 'plain' && (job === 'echo' || job === 'messages'))
  const used = Array.from({ length: isOnFirst ? 1 : links }, (_, i) => i)
  const dialled = used.flatMap((i) => Array.from({ length: peer.subflows ?? 1 }, () => i))
  const servers = (among: readonly number[]): string =>
    among.map((i) => `10.77.${i}.${there}:${port}`).join(',')
  return {
    listen: servers(used),
    dial: servers(dialled),
    locals: dialled.map((i) => `10.77.${i}.${here}`).join(','),
  }
}

/** Who listens announces its other addresses, and the kernel of who dials opens a subflow to each. */
async function prepareMptcp(network: Network, beside?: Scenario['beside']): Promise<ChildProcess[]> {
  for (const where of ['client', 'server'] as const) {
    network.ip(where, 'mptcp', 'limits', 'set', 'subflows', '8', 'add_addr_accepted', '8')
  }
  for (let i = 1; i < network.links; i++) {
    network.ip('server', 'mptcp', 'endpoint', 'add', `10.77.${i}.2`, 'dev', `l${i}`, 'signal')
    if (beside === 'back')
      network.ip('client', 'mptcp', 'endpoint', 'add', `10.77.${i}.1`, 'dev', `l${i}`, 'signal')
  }
  return []
}

async function prepareTunnel(network: Network, carrier: string): Promise<ChildProcess[]> {
  const ports = Object.values(PORTS)
  const server = ['server', '-n', carrier, `${TUNNEL_PORT}`, ...ports.flatMap((port) => ['-p', `${port}`])]
  const targets = Array.from({ length: network.links }, (_, i) => [carrier, `10.77.${i}.2:${TUNNEL_PORT}`])
  const client = [
    'client',
    '-n',
    '-4',
    ...ports.flatMap((port) => ['-p', `${port}:${port}`]),
    ...targets.flat(),
  ]
  const started = [start(network.inside('server'), server), start(network.inside('client'), client)]
  await delay(TUNNEL_START_MS)
  return started
}

/** Workers and links end with our pipes to them; a tunnel would outlive an interrupted run. */
const tunnels = new Set<ChildProcess>()
process.once('exit', () => {
  for (const tunnel of tunnels) tunnel.kill('SIGKILL')
})

function start(wrap: readonly string[], args: readonly string[]): ChildProcess {
  const [program = '', ...rest] = [...wrap, 'agg-tunnel', ...args]
  const child = spawn(program, rest, { stdio: 'ignore' })
  tunnels.add(child)
  child.once('close', () => tunnels.delete(child))
  return child
}

export async function stop(processes: readonly ChildProcess[]): Promise<void> {
  const running = processes.filter(({ exitCode }) => exitCode === null)
  const over = running.map((child) => once(child, 'close'))
  for (const child of running) child.kill('SIGKILL')
  await Promise.all(over)
}

// SPDX-License-Identifier: Apache-2.0
/** Who brings the page: ours as a proxy, a tunnel, MPTCP of the kernel, and plain TCP on one link. */
import { writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Network } from '../links/network.js'
import { PAGE_PEER } from '../shared/build.js'
import { Program } from '../shared/program.js'
import { BUILD, ROOT } from '../shared/places.js'

export interface PagePeer {
  readonly id: string
  readonly title: string
  /** Where the web server listens, and where the client fetches from. */
  readonly serves: string
  readonly fetches: string
  readonly proxy?: string
  readonly env?: Readonly<Record<string, string>>
  /** Starts what stands between the two. */
  start(network: Network): Promise<Program[]>
  /** Handshakes of paths that the far end has seen since the start. */
  handshakes?(programs: readonly Program[]): number
}

/** Before whatever else the machine does, but behind the links. */
const PRIORITY = ['nice', '-n', '-5']
const PORT = 8000
const LOOPBACK = `127.0.0.1:${PORT}`
const MULTIPATH = [process.execPath, `${ROOT}dist/cli/main.js`]
const TOKEN = `${BUILD}page-token`
const TUNNEL_PORT = 7800
/** What the tunnel takes to listen; it does not say when it does. */
const TUNNEL_START_MS = 1500

export const PAGE_PEERS: readonly PagePeer[] = [
  {
    id: 'ours',
    title: 'multipath socks ↔ serve',
    serves: LOOPBACK,
    fetches: LOOPBACK,
    proxy: 'socks5://127.0.0.1:1080',
    start: (network) => startOurs(network, ['socks', '--listen', '1080']),
    handshakes: pathsOpened,
  },
  {
    id: 'ours-forward',
    title: 'multipath forward ↔ serve',
    serves: LOOPBACK,
    fetches: LOOPBACK,
    start: (network) => startOurs(network, ['forward', '--local', `${PORT}=${LOOPBACK}`]),
    handshakes: pathsOpened,
  },
  { id: 'aggligator', title: 'agg-tunnel', serves: LOOPBACK, fetches: LOOPBACK, start: startTunnel },
  {
    id: 'mptcp',
    title: 'kernel MPTCP',
    serves: `0.0.0.0:${PORT}`,
    fetches: `10.77.0.2:${PORT}`,
    env: { GODEBUG: 'multipathtcp=1' },
    start: (network) => Promise.resolve(prepareMptcp(network)),
  },
  {
    id: 'plain',
    title: 'plain TCP, first link alone',
    serves: `0.0.0.0:${PORT}`,
    fetches: `10.77.0.2:${PORT}`,
    start: () => Promise.resolve([]),
  },
]

function pathsOpened([serve]: readonly Program[]): number {
  return serve?.count(/"event":"path".*: open"/) ?? 0
}

async function startOurs(network: Network, command: readonly string[]): Promise<Program[]> {
  writeFileSync(TOKEN, 'a token for the bench alone')
  const links = Array.from({ length: network.links }, (_, i) => `10.77.${i}.2:7000`)
  const serve = new Program([
    ...PRIORITY,
    ...network.inside('server'),
    ...[...MULTIPATH, 'serve', '--listen', '0.0.0.0:7000', '--token-file', TOKEN],
    ...['--allow', LOOPBACK, '--allow-socks', LOOPBACK, '--json', '--verbose'],
  ])
  await serve.line(/"event":"listening"/)
  const client = new Program([
    ...PRIORITY,
    ...network.inside('client'),
    ...[...MULTIPATH, ...command, '--token-file', TOKEN, ...links.flatMap((link) => ['--to', link])],
    ...['--json', '--verbose'],
  ])
  await client.line(/"event":"session"/)
  for (const link of links) await client.line(new RegExp(`${link.replaceAll('.', '\\.')}: open`))
  return [serve, client]
}

async function startTunnel(network: Network): Promise<Program[]> {
  const targets = Array.from({ length: network.links }, (_, i) => ['--tcp', `10.77.${i}.2:${TUNNEL_PORT}`])
  const server = ['agg-tunnel', 'server', '-n', '--tcp', `${TUNNEL_PORT}`, '-p', `${PORT}`]
  const client = ['agg-tunnel', 'client', '-n', '-4', '-p', `${PORT}:${PORT}`, ...targets.flat()]
  const programs = [
    new Program([...PRIORITY, ...network.inside('server'), ...server]),
    new Program([...PRIORITY, ...network.inside('client'), ...client]),
  ]
  await delay(TUNNEL_START_MS)
  return programs
}

function prepareMptcp(network: Network): Program[] {
  for (const where of ['client', 'server'] as const) {
    network.ip(where, 'mptcp', 'limits', 'set', 'subflows', '8', 'add_addr_accepted', '8')
  }
  for (let i = 1; i < network.links; i++) {
    network.ip('server', 'mptcp', 'endpoint', 'add', `10.77.${i}.2`, 'dev', `l${i}`, 'signal')
  }
  return []
}

/** One load of the page, in milliseconds. */
export async function loadPage(peer: PagePeer, network: Network): Promise<number> {
  const { serves, fetches, proxy, env = {} } = peer
  const web = new Program(
    [...PRIORITY, ...network.inside('server'), PAGE_PEER, 'serve', '-addr', serves],
    env,
  )
  try {
    await web.line(/listening/)
    const via = proxy === undefined ? [] : ['-proxy', proxy]
    const browser = [...PRIORITY, ...network.inside('client'), PAGE_PEER, 'fetch', '-addr', fetches, ...via]
    await using fetching = new Program(browser, env)
    const line = await fetching.line(/done/)
    return (JSON.parse(line) as { ms: number }).ms
  } finally {
    await web[Symbol.asyncDispose]()
  }
}

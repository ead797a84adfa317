// SPDX-License-Identifier: Apache-2.0
/** Who carries the call: datagrams of ours, UDP over one link or through a tunnel of several, and messages in streams. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Network } from '../links/network.js'
import { missingFor } from '../links/needs.js'
import { addresses, PEERS, stop } from '../links/peers.js'
import { buildGo, GO_PEER } from '../shared/build.js'
import { versionOf } from '../shared/machine.js'
import { BUILD, ROOT } from '../shared/places.js'
import { Program } from '../shared/program.js'
import type { Language } from '../shared/worker.js'

export interface CallPeer {
  readonly id: string
  readonly title: string
  /** Why it can't run here; `undefined`: it can. */
  missing(): string | undefined
  /** Starts what stands between the two ends of the call. */
  start(network: Network): Promise<Started>
}

/** What the two ends of the call are. */
export interface Started {
  readonly language: Language
  readonly kind: 'multipath' | 'plain' | 'udp'
  readonly listens: string
  readonly dials: string
  readonly env?: Readonly<Record<string, string>>
  readonly stop: () => Promise<unknown>
}

const PORT = 7000
/** Of the tunnel at this side, where it listens, and at that side. */
const ENTRY = '127.0.0.1:7002'
const TUNNEL_PORT = 7800
const EXIT = '127.0.0.1:7003'
/** What a tunnel takes that does not say when it listens, milliseconds. */
const TUNNEL_START_MS = 1500

const UDP = { language: 'go', kind: 'udp' } as const
const goMissing = (): string | undefined =>
  buildGo('go', GO_PEER) ? undefined : 'Go is not installed, or bench/go does not build'

function needs(program: string, ...args: string[]): () => string | undefined {
  return () => goMissing() ?? (versionOf(program, ...args) === 'not installed' ? 'not installed' : undefined)
}

/** A peer of bench:links, with messages in a stream, or datagrams of ours. */
function fromLinks(id: string, title: string): CallPeer {
  const peer = PEERS.find((known) => known.id === id)!
  return {
    id,
    title,
    missing: () => missingFor(peer),
    async start(network) {
      const processes = (await peer.prepare?.(network)) ?? []
      // Plain TCP's echo is on the first link alone.
      const { listen, dial } = addresses(peer, id === 'plain' ? 'echo' : 'bulk', network.links)
      return {
        ...{ language: id === 'ours' ? 'node' : 'go', kind: peer.kind, listens: listen, dials: dial },
        ...(peer.env && { env: peer.env }),
        stop: () => stop(processes),
      }
    },
  }
}

export const CALL_PEERS: readonly CallPeer[] = [
  fromLinks('ours', 'multipath-net, datagrams'),
  {
    id: 'forward',
    title: 'multipath forward ↔ serve, UDP',
    missing: goMissing,
    start: startForward,
  },
  {
    id: 'udp',
    title: 'UDP on the first link',
    missing: goMissing,
    start: () => {
      const ends = { listens: `10.77.0.2:${PORT}`, dials: `10.77.0.2:${PORT}` }
      return Promise.resolve({ ...UDP, ...ends, stop: () => Promise.resolve() })
    },
  },
  { id: 'engarde', title: 'engarde, UDP', missing: needs('engarde-client', '-v'), start: startEngarde },
  { id: 'glorytun', title: 'glorytun, UDP', missing: needs('glorytun', 'version'), start: startGlorytun },
  fromLinks('mptcp', 'kernel MPTCP, stream'),
  fromLinks('go', 'getlantern/multipath, stream'),
  fromLinks('aggligator', 'aggligator tunnel, stream'),
  fromLinks('plain', 'TCP on the first link, stream'),
]

function stopAll(programs: readonly Program[]): () => Promise<unknown> {
  return () => Promise.all(programs.map((one) => one.stop()))
}

async function startForward(network: Network): Promise<Started> {
  const token = `${BUILD}call-token`
  writeFileSync(token, 'a token for the bench alone', { mode: 0o600 })
  const multipath = [process.execPath, `${ROOT}dist/cli/main.js`]
  const links = Array.from({ length: network.links }, (_, i) => `10.77.${i}.2:${TUNNEL_PORT}`)
  const auth = ['--token-file', token, '--no-ctl', '-v']
  const serve = new Program([
    ...[...network.inside('server'), ...multipath, 'serve', '--listen', String(TUNNEL_PORT)],
    ...['--allow', `udp:${EXIT}`, ...auth],
  ])
  await serve.line(/listening/)
  const forward = new Program([
    ...[...network.inside('client'), ...multipath, 'forward', '--local', `udp:${ENTRY}=${EXIT}`],
    ...[...links.flatMap((link) => ['--to', link]), ...auth],
  ])
  for (const link of links) await forward.line(new RegExp(`${link}: open`))
  return { ...UDP, listens: EXIT, dials: ENTRY, stop: stopAll([forward, serve]) }
}

/** Each packet leaves on all interfaces; who receives them takes the first, as WireGuard does. */
async function startEngarde(network: Network): Promise<Started> {
  const configs = { client: `${BUILD}engarde-client.yml`, server: `${BUILD}engarde-server.yml` }
  const overrides = Array.from({ length: network.links }, (_, i) => ({
    ifName: `l${i}`,
    dstAddr: `10.77.${i}.2:${TUNNEL_PORT}`,
  }))
  const client = { listenAddr: ENTRY, dstAddr: overrides[0]!.dstAddr, dstOverrides: overrides }
  const server = { listenAddr: `0.0.0.0:${TUNNEL_PORT}`, dstAddr: EXIT }
  // JSON is YAML.
  writeFileSync(configs.client, JSON.stringify({ client }))
  writeFileSync(configs.server, JSON.stringify({ server }))
  const programs = (['server', 'client'] as const).map(
    (side) => new Program([...network.inside(side), `engarde-${side}`, configs[side]]),
  )
  for (const program of programs) await program.line(/Listening/)
  await programs[1]!.line(new RegExp(`l${network.links - 1}`))
  return { ...UDP, listens: EXIT, dials: ENTRY, stop: stopAll(programs) }
}

/** Its paths are preferred in the order of the links, which is that of their delays. Rates are limits, in bytes a second. */
async function startGlorytun(network: Network): Promise<Started> {
  const key = `${BUILD}glorytun.key`
  writeFileSync(key, execFileSync('glorytun', ['keygen'], { stdio: ['ignore', 'pipe', 'ignore'] }), {
    mode: 0o600,
  })
  const bind = (side: 'client' | 'server', ...args: string[]): Program =>
    new Program([
      ...[...network.inside(side), 'glorytun', 'bind', ...args],
      ...['dev', `gt-${side}`, 'keyfile', key],
    ])
  const programs = [
    bind('server', 'from', 'addr', '0.0.0.0', 'port', String(TUNNEL_PORT)),
    bind('client', 'to', 'addr', '10.77.0.2', 'port', String(TUNNEL_PORT)),
  ]
  await Promise.all(programs.map((program) => program.line(/running on device/)))
  for (const [side, host] of [
    ['server', 2],
    ['client', 1],
  ] as const) {
    network.ip(side, 'address', 'add', `10.78.0.${host}/24`, 'dev', `gt-${side}`)
    network.ip(side, 'link', 'set', `gt-${side}`, 'up')
  }
  for (let i = 0; i < network.links; i++) {
    const place = ['addr', `10.77.${i}.1`, 'to', 'addr', `10.77.${i}.2`, 'port', String(TUNNEL_PORT)]
    const path = ['path', 'dev', 'gt-client', ...place, 'set', 'up', 'pref', String(i)]
    execFileSync('glorytun', [...path, 'rate', 'fixed', 'tx', '625000', 'rx', '625000'])
  }
  await delay(TUNNEL_START_MS)
  return { ...UDP, listens: `10.78.0.2:${PORT}`, dials: `10.78.0.2:${PORT}`, stop: stopAll(programs) }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * `npm run bench:page`: a page of 60 objects of 20 KB, six at a time, each over a TCP connection of its own, over
 * four emulated links: through `multipath socks`, through agg-tunnel, over MPTCP and over plain TCP, in turns within
 * one run. `-- --runs 5` makes more runs than three.
 */
import { buildGo, PAGE_PEER } from '../shared/build.js'
import { figure, median } from '../shared/figures.js'
import { optionsOf } from '../shared/options-of.js'
import { Network } from '../links/network.js'
import { missingFor, missingForLinks } from '../links/needs.js'
import { PEERS } from '../links/peers.js'
import { link } from '../links/scenario.js'
import { loadPage, PAGE_PEERS, type PagePeer } from './peers.js'

const LINKS = [link(20, 10), link(20, 20), link(20, 30), link(20, 40)]
const CONGESTION_CONTROL = 'cubic'
const RUNS = '3'

interface Load {
  readonly peer: PagePeer
  readonly ms: number
  /** TCP connections that the links saw, where it is known. */
  readonly handshakes?: number
}

/** On links of their own, so that nothing is left of an earlier load. */
async function load(peer: PagePeer): Promise<Load> {
  await using network = await Network.start({
    links: LINKS,
    changes: [],
    congestionControl: CONGESTION_CONTROL,
  })
  const programs = await peer.start(network)
  try {
    const ms = await loadPage(peer, network)
    const handshakes = peer.handshakes?.(programs)
    return { peer, ms, ...(handshakes !== undefined && { handshakes }) }
  } finally {
    for (const program of programs) await program[Symbol.asyncDispose]()
  }
}

/** Why a peer is left out; undefined where it can run. */
function missing({ id }: PagePeer): string | undefined {
  const peer = PEERS.find((known) => known.id === id)
  return peer && id !== 'plain' ? missingFor(peer) : undefined
}

function table(loads: readonly Load[], peers: readonly PagePeer[]): string {
  const rows = peers.map((peer) => {
    const own = loads.filter((one) => one.peer === peer)
    const times = own.map(({ ms }) => ms)
    const seen = own.map(({ handshakes }) => handshakes ?? '–').join(', ')
    const each = times.map((ms) => ms.toFixed(0)).join(', ')
    return `| ${peer.title} | ${median(times).toFixed(0)} | ${each} | ${seen} |`
  })
  return [
    '| page through | median, ms | each run, ms | paths opened |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}

async function main(): Promise<void> {
  const values = optionsOf({ runs: { type: 'string', default: RUNS } })
  const lacking = await missingForLinks()
  if (!buildGo('pagego', PAGE_PEER)) lacking.push('Go: bench/pagego, both ends of the page')
  if (lacking.length > 0) {
    console.error(
      `The page can't be measured here. Missing:\n${lacking.map((what) => `- ${what}`).join('\n')}`,
    )
    process.exitCode = 1
    return
  }
  const peers = PAGE_PEERS.filter((peer) => {
    const why = missing(peer)
    if (why !== undefined) console.error(`${peer.title} is left out: ${why}`)
    return why === undefined
  })
  const loads: Load[] = []
  for (let run = 1; run <= Number(values.runs); run++) {
    for (const peer of peers) {
      const one = await load(peer)
      console.error(`#${run} ${peer.title}: ${figure(one.ms)} ms`)
      loads.push(one)
    }
  }
  console.log(`\n${LINKS.join('; ')}; ${CONGESTION_CONTROL}\n\n${table(loads, peers)}`)
}

// Only a process that ends by itself runs its exit handlers.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
await main()

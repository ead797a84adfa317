// SPDX-License-Identifier: Apache-2.0
/** One connection between Node and Go, either side dialling, each path over a relay where the spec wants to break it. */
import { expect } from 'vitest'
import {
  MultipathDialer,
  MultipathListener,
  type ConnOptions,
  type DialerOptions,
  type MultipathConn,
  type SubflowServer,
} from '../../lib/index.js'
import type { GoConn, GoDialer, GoListener, GoPeer } from './go-peer.js'
import { kindsOf, pathOf, serverOf, type Kind } from './kinds.js'
import { CountingTracker } from './node-side.js'
import { PathRelay } from './path-relay.js'
import type { Side } from './with-go.js'

/** The module's own end-to-end test has as many: six paths are two dials to each. */
const MOST_PORTS = 3
const TCP: readonly Kind[] = ['tcp']

export interface PairOptions {
  readonly dials: Side
  readonly paths: number
  /** What carries the ports, and so the paths, used in turn. Default: TCP. */
  readonly over?: readonly Kind[]
  /** Whether each path goes over a relay; then all of them have joined before the pair is given out. */
  readonly relayed?: boolean
  /** For the connection of Node, whichever side dials. */
  readonly connOptions?: ConnOptions
}

export interface Pair extends AsyncDisposable {
  readonly node: MultipathConn
  readonly go: GoConn
  /** A relay for each path, in their order; empty unless asked for. */
  readonly relays: readonly PathRelay[]
  /** What Node counted: for each path where Node dials, for each port where it listens. */
  readonly trackers: readonly CountingTracker[]
  /** Addresses that were dialled, one for each path. */
  readonly addrs: readonly string[]
  readonly goDialer?: GoDialer
  readonly goListener?: GoListener
  readonly nodeDialer?: MultipathDialer
}

/**
 * Options for specs that end with {@link expectNothingHealed}: on few busy cores either process is late by more than
 * the silence that makes a path suspect by default, and to be resent then is right.
 */
export const PATIENT: ConnOptions = { suspectMs: 2_000 }

/** Ports for so many paths. */
export function portsFor(paths: number): number {
  return Math.min(paths, MOST_PORTS)
}

/** Listening sockets of Node, a tracker for each. */
export class NodeListener implements AsyncDisposable {
  readonly listener: MultipathListener
  readonly addrs: readonly string[]
  readonly trackers: readonly CountingTracker[]

  private constructor(servers: readonly { server: SubflowServer; addr: string }[], options: ConnOptions) {
    this.addrs = servers.map(({ addr }) => addr)
    this.trackers = servers.map(() => new CountingTracker())
    const accepting = servers.map(({ server }) => server)
    this.listener = new MultipathListener(accepting, this.trackers, options)
  }

  static async open(
    ports: number,
    options: ConnOptions = {},
    over: readonly Kind[] = TCP,
  ): Promise<NodeListener> {
    return new NodeListener(await Promise.all(kindsOf(over, ports).map(serverOf)), options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.listener.close()
  }
}

/** A dialer of Node over these addresses, a path and a tracker for each. */
export function nodeDialer(
  addrs: readonly string[],
  options: DialerOptions = {},
  over: readonly Kind[] = TCP,
): { dialer: MultipathDialer; trackers: readonly CountingTracker[] } {
  const trackers = addrs.map(() => new CountingTracker())
  const kinds = kindsOf(over, addrs.length)
  const paths = addrs.map((addr, i) => pathOf(kinds[i]!, addr, { label: `path-${i}`, tracker: trackers[i]! }))
  return { dialer: new MultipathDialer('Go', paths, options), trackers }
}

/** Opens one connection; `await using` closes both ends and the relays. */
export async function openPair(go: GoPeer, options: PairOptions): Promise<Pair> {
  const pair = options.dials === 'Node' ? await nodeDials(go, options) : await goDials(go, options)
  await Promise.all(pair.relays.map((relay) => relay.joined()))
  return pair
}

/** An address for each path, over relays where asked for. */
async function pathsTo(
  ports: readonly string[],
  options: PairOptions,
): Promise<{ addrs: string[]; relays: PathRelay[] }> {
  const targets = Array.from({ length: options.paths }, (_, i) => ports[i % ports.length]!)
  if (!options.relayed) return { addrs: targets, relays: [] }
  const relays = await Promise.all(targets.map((target) => PathRelay.open(target)))
  return { addrs: relays.map((relay) => relay.address), relays }
}

async function nodeDials(peer: GoPeer, options: PairOptions): Promise<Pair> {
  const goListener = await peer.listen(portsFor(options.paths), 'manual', options.over)
  const { addrs, relays } = await pathsTo(goListener.addrs, options)
  const { dialer, trackers } = nodeDialer(addrs, options.connOptions, options.over)
  const node = await dialer.dial()
  const go = await goListener.accept()
  return {
    node,
    go,
    relays,
    trackers,
    addrs,
    goListener,
    nodeDialer: dialer,
    async [Symbol.asyncDispose]() {
      await closeEnds(node, go, relays)
      await goListener.close()
    },
  }
}

async function goDials(peer: GoPeer, options: PairOptions): Promise<Pair> {
  const nodeListener = await NodeListener.open(portsFor(options.paths), options.connOptions, options.over)
  const { addrs, relays } = await pathsTo(nodeListener.addrs, options)
  const goDialer = await peer.dialer(addrs, options.over)
  const [go, node] = await Promise.all([goDialer.dial(), nodeListener.listener.accept()])
  return {
    node,
    go,
    relays,
    trackers: nodeListener.trackers,
    addrs,
    goDialer,
    async [Symbol.asyncDispose]() {
      await closeEnds(node, go, relays)
      await nodeListener[Symbol.asyncDispose]()
    },
  }
}

async function closeEnds(node: MultipathConn, go: GoConn, relays: readonly PathRelay[]): Promise<void> {
  node.on('error', () => undefined)
  node.destroy()
  for (const relay of relays) await relay[Symbol.asyncDispose]()
  await go.close().catch(() => undefined) // the spec may have closed it
}

/**
 * Fails when Node had to send anything twice, or to dial again, where nothing was broken: self-healing would hide
 * bugs otherwise. Go resends by itself whenever an ack takes longer than 1 ms across its 100 ms clock, so its
 * counters say nothing.
 *
 * @param share - of what Node sent, how much it may have sent again
 */
export function expectNothingHealed(pair: Pair, share: number = 0): void {
  const sum = (name: 'bytesSent' | 'bytesRetransmit'): number =>
    pair.trackers.reduce((total, tracker) => total + tracker[name], 0)
  expect(sum('bytesRetransmit')).toBeLessThanOrEqual(sum('bytesSent') * share)
  for (const relay of pair.relays) expect(relay.opened).toBe(1)
  // The relays are the judges of who dialled again. A short spec may be over before all of its paths have joined.
  for (const line of pair.nodeDialer?.formatStats() ?? []) expect(line).toMatch(/ S: +(\d+)\( +\1\) +F: +0 /)
}

// SPDX-License-Identifier: Apache-2.0
/**
 * A call of small messages over emulated links, one of which falls silent again and again: the share that arrives in time, and the
 * bytes that it takes, by multipath-net and by its peers. `npm run bench:call -- --seconds 60 --flaps 0 --down 2.5 --every 15`; needs
 * what `bench:links` needs. `--save` adds the runs to results/call.json, and writes results/call.md from all of them.
 */
import { Network } from '../links/network.js'
import { missingForLinks } from '../links/needs.js'
import { link } from '../links/scenario.js'
import { libraryBuild } from '../shared/build.js'
import { optionsOf } from '../shared/options-of.js'
import { Worker } from '../shared/worker.js'
import { type Call, figuresOf, SLACK_MS, type Took } from './figures.js'
import { CALL_PEERS, type CallPeer } from './peers.js'
import { saveCalls, tables } from './results.js'

const values = optionsOf({
  seconds: { type: 'string', default: '60' },
  bytes: { type: 'string', default: '100' },
  interval: { type: 'string', default: '5' },
  links: { type: 'string', default: '50/5,50/20,5/150' },
  /** Numbers of links, from 0, each of which is the flapping one in runs of its own. */
  flaps: { type: 'string', default: '0' },
  down: { type: 'string', default: '2.5' },
  every: { type: 'string', default: '15' },
  cc: { type: 'string', default: 'cubic' },
  peers: { type: 'string', default: CALL_PEERS.map(({ id }) => id).join(',') },
  runs: { type: 'string', default: '1' },
  /** How many peers are measured at the same time, each on links of its own. */
  together: { type: 'string', default: '2' },
  /** Lists the messages that were late. */
  late: { type: 'boolean', default: false },
  save: { type: 'boolean', default: false },
})

const WARM_UP_MS = '3000'
const CONNECT_MS = 30_000

const seconds = Number(values.seconds)
const links = values.links.split(',').map((text) => text.split('/').map(Number) as [number, number])
const BEST_MS = Math.min(...links.map(([, delay]) => delay))

function changes(flaps: number): string[] {
  const all: string[] = []
  for (let at = Number(values.every); at + Number(values.down) < seconds; at += Number(values.every))
    all.push(`${at} ${flaps} down`, `${at + Number(values.down)} ${flaps} up`)
  return all
}

async function measure(peer: CallPeer, flaps: number): Promise<Call> {
  await using network = await Network.start({
    links: links.map(([rate, delay]) => link(rate, delay)),
    changes: changes(flaps),
    congestionControl: values.cc,
  })
  const { language, kind, listens, dials, env, stop } = await peer.start(network)
  const worker = (role: 'serve' | 'dial', addrs: string): Worker =>
    new Worker({
      language,
      wrap: network.inside(role === 'serve' ? 'server' : 'client'),
      args: [
        ...[role, '--kind', kind, '--mode', 'call', '--addrs', addrs, '--size', values.bytes],
        ...(role === 'serve' ? [] : ['--every', values.interval, '--seconds', values.seconds]),
        ...(role === 'serve' ? [] : ['--settle', WARM_UP_MS]),
      ],
      ...(env && { env }),
    })
  const there = worker('serve', listens)
  const workers = [there]
  try {
    await there.event('listening')
    const here = worker('dial', dials)
    workers.push(here)
    const { at } = await here.event('start', CONNECT_MS)
    network.mark()
    const before = sent(network)
    const done = await here.event('done', seconds * 1000 + CONNECT_MS)
    const after = sent(network)
    const { took } = await there.ask('report')
    const messages = took as Took[]
    if (values.late) tellLate(messages, at)
    if (values.late && done['counts'] !== undefined) console.error(done['counts'])
    return {
      ...{ peer: peer.id, links: values.links, flaps, seconds, build: libraryBuild() },
      ...figuresOf({
        ...{ took: messages, given: done['given'] as number, bytes: Number(values.bytes) },
        ...{ bestMs: BEST_MS },
        ...{ payloadBytes: after.payload - before.payload, wireBytes: after.offered - before.offered },
      }),
    }
  } finally {
    await Promise.all(workers.map((one) => one.end()))
    await stop()
  }
}

/** What the dialling side has sent on all links: payload of TCP and UDP, and all with headers. */
function sent(network: Network): { payload: number; offered: number } {
  const last = network.events.findLast(({ event }) => event === 'sample')
  const ups = (last?.links ?? []).map(({ up }) => up)
  const sum = (of: 'payload' | 'offered'): number => ups.reduce((total, up) => total + up[of], 0)
  return { payload: sum('payload'), offered: sum('offered') }
}

function tellLate(messages: readonly Took[], beganAt: number): void {
  const lateMs = BEST_MS + SLACK_MS
  for (const [at, ms] of messages.toSorted(([a], [b]) => a - b))
    if (ms > lateMs)
      console.error(`  sent at ${((at - beganAt) / 1000).toFixed(3)} s: took ${ms.toFixed(0)} ms`)
}

function told({ peer, flaps, inTime, lost, payload, wire }: Call): string {
  const [arrived, never] = [inTime, lost].map((share) => (100 * share).toFixed(3))
  const bytes = `${payload.toFixed(2)} × the bytes, ${wire.toFixed(2)} × on the wire`
  return `${peer}, ${links[flaps]!.join('/')} flaps: ${arrived} % in time, ${never} % lost; ${bytes}`
}

/** Those that can run here; says why others can't. */
function peersHere(): CallPeer[] {
  return CALL_PEERS.filter(({ id }) => values.peers.split(',').includes(id)).filter((peer) => {
    const why = peer.missing()
    if (why !== undefined) console.error(`${peer.title} is left out: ${why}`)
    return why === undefined
  })
}

async function main(): Promise<void> {
  const lacking = await missingForLinks()
  if (lacking.length > 0) {
    console.error(`No call can be measured here. Missing:\n${lacking.map((what) => `- ${what}`).join('\n')}`)
    process.exitCode = 1
    return
  }
  const peers = peersHere()
  const calls: Call[] = []
  for (let run = 1; run <= Number(values.runs); run++)
    for (const flaps of values.flaps.split(',').map(Number))
      for (let at = 0; at < peers.length; at += Number(values.together)) {
        const some = peers.slice(at, at + Number(values.together))
        const measured = await Promise.all(some.map((peer) => measure(peer, flaps)))
        for (const call of measured) console.error(`#${run} ${told(call)}`)
        calls.push(...measured)
      }
  console.log(`\n${tables(calls)}`)
  if (values.save) saveCalls(calls)
}

// Only a process that ends by itself runs its exit handlers.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
await main()

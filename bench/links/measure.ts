// SPDX-License-Identifier: Apache-2.0
/** Figures of one run, from what the workers and the links noted. */
import { percentile, sum } from '../shared/figures.js'
import { bytesIn, longestGap, rateIn, type Received, type Span } from '../shared/timeline.js'
import type { WorkerEvent } from '../shared/worker.js'
import { type MessageFigures, messageFigures } from './messages.js'
import { linkOf, type Network, type NetworkEvent } from './network.js'
import { type Scenario, USUAL_EVERY_MS, valueOf } from './scenario.js'
import { bytesByPath, resentShare, suspicions } from './sender-stats.js'

interface Bulk {
  readonly started: WorkerEvent
  readonly done: WorkerEvent
  readonly received: readonly Received[]
}

export interface Observed {
  readonly scenario: Scenario
  readonly seconds: number
  readonly network: Network
  /** Processor seconds of all processes of both sides, from start to done. */
  readonly cpuUsed: number
  readonly bulk?: Bulk
  /** Of what else sent meanwhile. */
  readonly beside?: Bulk
  readonly echo?: { readonly started: WorkerEvent; readonly done: WorkerEvent }
  readonly messages?: { readonly started: WorkerEvent; readonly done: WorkerEvent }
}

/** Absent is what the run does not have. Times in milliseconds, rates in Mbit/s. */
export interface Figures extends Partial<MessageFigures> {
  /** As the reader saw it, from the sender's start (or the end of the warm-up) to its end. */
  readonly rate?: number
  /** Plain TCP: of each link alone. */
  readonly perLink?: readonly number[]
  /** Rate of what else sent meanwhile. */
  readonly beside?: number
  /** The longest the reader waited. */
  readonly stall?: number
  /** Rate while the link was silent; of each connection for plain TCP. */
  readonly meanwhile?: readonly number[]
  /** From the link's return until it carried half its rate again. */
  readonly back?: number
  readonly p50?: number
  readonly p99?: number
  readonly worst?: number
  /** Share of the echoes due that were answered by the end. */
  readonly answered?: number
  /** Processor seconds of both sides for each 10^9 bytes delivered. */
  readonly cpuPerGB?: number
  /** Bytes on the links, both ways and with headers, for each byte delivered. */
  readonly wirePerByte?: number
  /** TCP payload sent for each byte delivered. */
  readonly sentPerByte?: number
  /** Share of the frames' bytes sent that were sent again, as the sender counts it. */
  readonly resent?: number
  /** How often the sender suspected a subflow. */
  readonly suspected?: number
  /** Payload bytes that the sender put on each link's path, repeats and copies too; where paths have policies. */
  readonly perPath?: readonly number[]
  /** Share of what was written that the reader got in the end, where that was waited for. */
  readonly delivered?: number
  /** Share of the packets that the emulation delivered more than 2 ms late: the machine was busy. */
  readonly late?: number
}

/** A link counts as used again when it carries this share of its rate over the window. */
const USED_SHARE = 0.5
const USED_WINDOW_MS = 100

export function measured(observed: Observed): Figures {
  const { bulk, echo, messages, scenario } = observed
  const sender = (bulk ?? echo ?? messages)?.done
  return {
    ...(bulk ? bulkFigures(observed, bulk) : {}),
    ...(echo ? echoFigures(observed, echo) : {}),
    ...(messages ? timesOfMessages(scenario, messages) : {}),
    late: lateShare(observed.network.events.at(-1)),
    ...(sender ? { ...resentShare(sender), ...suspicions(sender) } : {}),
    ...(sender && scenario.policies ? bytesByPath(sender, scenario.links.length) : {}),
  }
}

function lateShare(last: NetworkEvent | undefined): number {
  const directions = (last?.links ?? []).flatMap(({ up, down }) => [up, down])
  return sum(directions.map(({ late }) => late)) / Math.max(1, sum(directions.map(({ packets }) => packets)))
}

function bulkFigures(observed: Observed, bulk: Bulk): Figures {
  const { scenario } = observed
  const { received } = bulk
  const whole = { from: bulk.started.at, to: bulk.done.at }
  const counted = { from: whole.from + scenario.warm * 1000, to: whole.to }
  const bytes = sum(received.map((one) => bytesIn(one, whole)))
  // A connection that was never made would otherwise count as a peer that is slow.
  if (bytes === 0) throw new Error(`nothing was delivered over ${received.length} connections`)
  const perLink = ratesIn(observed, received, counted)
  return {
    rate: sum(perLink),
    ...(received.length > 1 ? { perLink } : {}),
    stall: Math.max(...received.map((one) => longestGap(one, whole))),
    ...silenceFigures(observed, received, whole),
    ...(observed.beside ? { beside: rateOf(observed.beside) } : costs(observed, whole, bytes)),
    ...(scenario.isComplete ? { delivered: deliveredShare(bulk.done, received) } : {}),
  }
}

/** For each byte; what another connection costs can't be told from it. */
function costs({ cpuUsed, network: { events } }: Observed, whole: Span, bytes: number): Figures {
  return {
    cpuPerGB: (cpuUsed / bytes) * 1e9,
    wirePerByte: onLinks(events, whole, ({ up, down }) => up.offered + down.offered) / bytes,
    sentPerByte: onLinks(events, whole, ({ up }) => up.payload) / bytes,
  }
}

function rateOf({ started, done, received }: Bulk): number {
  return sum(received.map((one) => rateIn(one, { from: started.at, to: done.at })))
}

function deliveredShare(done: WorkerEvent, received: readonly Received[]): number {
  return sum(received.map(({ bytes }) => bytes)) / Number(done.sent)
}

/**
 * Rates of the connections, by link where each has one. What had come before the span and was only waiting for a
 * missing piece must not count as its own: no rate is higher than what the links brought within it.
 */
function ratesIn(observed: Observed, received: readonly Received[], span: Span): number[] {
  const rates = byLink(received).map((one) => rateIn(one, span))
  const arrived = onLinks(observed.network.events, span, ({ up }) => up.arrived)
  const most = (arrived * 8) / 1000 / (span.to - span.from)
  const excess = Math.max(1, sum(rates) / most)
  return rates.map((rate) => rate / excess)
}

function byLink(received: readonly Received[]): Received[] {
  return received.toSorted((a, b) => linkOf(a.local) - linkOf(b.local))
}

function silenceFigures(observed: Observed, received: readonly Received[], whole: Span): Figures {
  const { scenario, network } = observed
  const down = network.changedAt(0, 'down')
  const up = network.changedAt(0, 'up')
  // Where links come and go all the time no single silence is of interest.
  if (scenario.changes?.length !== 2 || down === undefined || up === undefined) return {}
  const back = usedAgainAfter(network.events, scenario, { from: up, to: whole.to })
  return {
    meanwhile: ratesIn(observed, received, { from: down, to: up }),
    // Never is told as the time that there was for it.
    back: back ?? whole.to - up,
  }
}

function usedAgainAfter(events: readonly NetworkEvent[], scenario: Scenario, span: Span): number | undefined {
  const mbits = valueOf(scenario.links[0] ?? '', 'rate')
  const enough = ((mbits * 1e6) / 8) * (USED_WINDOW_MS / 1000) * USED_SHARE
  const after = events.filter(({ event, at }) => event === 'sample' && at >= span.from && at <= span.to)
  for (const sample of after) {
    const earlier = sample.at - USED_WINDOW_MS
    if (earlier < span.from) continue
    const carried = bytesAt(events, sample.at, firstLink) - bytesAt(events, earlier, firstLink)
    if (carried >= enough) return sample.at - span.from
  }
  return undefined
}

type Counter = (link: NetworkEvent['links'][number]) => number

const firstLink = (links: NetworkEvent['links']): number => links[0]?.up.bytes ?? 0

/** A counter at a moment, between two samples by their distance. */
function bytesAt(
  events: readonly NetworkEvent[],
  at: number,
  of: (links: NetworkEvent['links']) => number,
): number {
  const next = events.findIndex((event) => event.at >= at)
  const after = events[next === -1 ? events.length - 1 : next]
  const before = events[next - 1]
  if (!after) return 0
  if (!before || after.at === before.at) return of(after.links)
  const share = Math.min(1, (at - before.at) / (after.at - before.at))
  return of(before.links) + (of(after.links) - of(before.links)) * share
}

function onLinks(events: readonly NetworkEvent[], span: Span, counter: Counter): number {
  const all = (links: NetworkEvent['links']): number => sum(links.map(counter))
  return bytesAt(events, span.to, all) - bytesAt(events, span.from, all)
}

function timesOfMessages(scenario: Scenario, { started, done }: NonNullable<Observed['messages']>): Figures {
  const all = done.messages as readonly (readonly [bytes: number, sentAt: number, ms: number])[]
  const { links, sizes = [] } = scenario
  return messageFigures(all, { links, sizes, from: started.at + scenario.warm * 1000 })
}

function echoFigures(observed: Observed, echo: NonNullable<Observed['echo']>): Figures {
  const samples = echo.done.echoes as readonly (readonly [sentAt: number, ms: number])[]
  const { scenario, seconds } = observed
  const from = echo.started.at + scenario.warm * 1000
  const times = samples.filter(([sentAt]) => sentAt >= from).map(([, ms]) => ms)
  if (times.length === 0) throw new Error('no echo came back')
  const due = ((seconds - scenario.warm) * 1000) / (scenario.every ?? USUAL_EVERY_MS)
  return {
    p50: percentile(times, 50),
    p99: percentile(times, 99),
    worst: Math.max(0, ...times),
    answered: Math.min(1, times.length / due),
  }
}

// SPDX-License-Identifier: Apache-2.0
/** One cell in virtual time: two cores over simulated links, and plain streams over the same links alone. */
import type { LinkOptions } from '../../lib/testing/link.js'
import { SimulatedNetwork } from '../../lib/testing/simulated-network.js'
import { corePair } from '../../spec/support/core-pair.js'
import { plainStream } from '../../spec/support/plain-stream.js'
import type { Cell } from './cell.js'
import { queueBytesOf } from './cell.js'

export interface Outcome {
  /** Of what plain streams bring over each link alone, together; 0 to 1. */
  readonly share: number
  /** Smoothed RTT of the first link over its RTT, milliseconds: mean, and 99th percentile. */
  readonly queueMs: number
  readonly queueP99Ms: number
  /** Sent again, of all that was sent. */
  readonly resent: number
}

const LARGE = { maxUnackedBytes: 2 ** 27, maxUnreadBytes: 2 ** 27, maxReorderBytes: 2 ** 27 }
const STEP_MS = 10
const BUFFERS = { sendBufferBytes: 2 ** 22, receiveBufferBytes: 2 ** 27 }

function linksOf({ setting, rttMs, rateMbps, lossRate, jitterMs, queuePipes, kernel }: Cell): LinkOptions[] {
  const link = (rate: number, rtt: number, jitter: number, loss: number): LinkOptions => ({
    rateMbps: rate,
    delayMs: rtt / 2,
    jitterMs: jitter,
    lossRate: loss,
    queueBytes: queueBytesOf({ queuePipes, rateMbps: rate, rttMs: rtt, jitterMs: jitter }),
    kernel,
    ...BUFFERS,
  })
  const first = link(rateMbps, rttMs, jitterMs, lossRate)
  return setting === 'two' ? [first, link(0.4 * rateMbps, 2.5 * rttMs, 0, 0)] : [first]
}

/** A link with losses is looked at for longer, milliseconds or bytes: a repair lasts for seconds, and losses come by chance. */
const LOSSY_MS = 10_000
const LOSSY_BYTES = 40_000_000

/** Round trips: BBR asks for more in one of eight, so that each of three rates is met in two of its cycles. */
const CYCLE_ROUNDS = 8
const LOOK_ROUNDS = { one: 25, two: 25, steps: 2 * 3 * CYCLE_ROUNDS }
const GOLDEN_RATIO = 0.618

/** Milliseconds before and while it is looked at: starting is not what the grid judges. Seeds begin at different points of a cycle. */
function timesOf(cell: Cell, seed: number): { warmMs: number; lookMs: number } {
  const { rttMs, jitterMs, lossRate, rateMbps, setting } = cell
  const rtt = (rttMs + jitterMs) * (setting === 'two' ? 2.5 : 1)
  const lossyMs = lossRate === 0 ? 0 : Math.min(LOSSY_MS, LOSSY_BYTES / (125 * rateMbps))
  const phase = ((seed - 1) * GOLDEN_RATIO) % 1
  return {
    warmMs: Math.max(2000, 30 * rtt) + phase * CYCLE_ROUNDS * rtt,
    lookMs: Math.max(6000, LOOK_ROUNDS[setting] * rtt, lossyMs),
  }
}

/** Changes of the first link's rate, at shares of the time. */
const STEPS = [
  [1 / 3, 0.25],
  [2 / 3, 1],
] as const

/** Calls `change` with shares of the rate as time passes. */
function* passing(cell: Cell, lookMs: number): Generator<{ ms: number; rateMbps?: number }> {
  if (cell.setting !== 'steps') {
    yield { ms: lookMs }
    return
  }
  let at = 0
  for (const [when, share] of STEPS) {
    yield { ms: (when - at) * lookMs }
    yield { ms: 0, rateMbps: share * cell.rateMbps }
    at = when
  }
  yield { ms: (1 - at) * lookMs }
}

/** What plain streams bring over each link alone, bytes per millisecond: cells of other settings have the same links. */
const plainRates = new Map<string, number>()

function plainRate(cell: Cell, link: LinkOptions, seed: number): number {
  const { warmMs, lookMs } = timesOf(cell, seed)
  const key = JSON.stringify([link, seed, cell.setting === 'steps', warmMs, lookMs])
  let rate = plainRates.get(key)
  if (rate === undefined) plainRates.set(key, (rate = plain(cell, link, { seed, warmMs, lookMs })))
  return rate
}

interface PlainRun {
  readonly seed: number
  readonly warmMs: number
  readonly lookMs: number
}

function plain(cell: Cell, link: LinkOptions, { seed, warmMs, lookMs }: PlainRun): number {
  const network = new SimulatedNetwork({ seed })
  const { clock } = network
  const line = network.link(link)
  const stream = plainStream(line)
  clock.advance(warmMs)
  const before = stream.bytes
  for (const { ms, rateMbps } of passing(cell, lookMs)) {
    if (rateMbps !== undefined) line.change({ rateMbps })
    clock.advance(ms)
  }
  // What is delivered at last after a repair may have come before.
  return Math.min((stream.bytes - before) / lookMs, lineRate(cell, link.rateMbps!))
}

/** What the line can carry, bytes per millisecond. */
function lineRate({ setting }: Cell, rateMbps: number): number {
  const share = setting === 'steps' ? (2 + STEPS[0][1]) / 3 : 1
  return share * rateMbps * 125
}

/** @param seed - decides jitter, losses, and the point of BBR's cycle */
export function simulate(cell: Cell, seed = 1): Outcome {
  const links = linksOf(cell)
  const { warmMs, lookMs } = timesOf(cell, seed)
  const possible = lookMs * links.reduce((sum, link) => sum + plainRate(cell, link, seed), 0)
  const pair = corePair({ links, seed, options: LARGE })
  const { near, far } = pair
  near.write(Number.MAX_SAFE_INTEGER)
  pair.advance(warmMs)
  const [before, sent, resent] = [far.received.bytes, near.sum('bytesSent'), near.sum('bytesRetransmitted')]
  const { rtt } = near.joined[0]!
  // Jitter of both ways, half of the most each.
  const own = cell.rttMs + cell.jitterMs
  const queues: number[] = []
  for (const { ms, rateMbps } of passing(cell, lookMs)) {
    if (rateMbps !== undefined) pair.links[0]!.change({ rateMbps })
    for (let step = 0; step < ms; step += STEP_MS) {
      pair.advance(Math.min(STEP_MS, ms - step))
      queues.push(Math.max(0, rtt.smoothed! - own))
    }
  }
  queues.sort((a, b) => a - b)
  return {
    share: Math.min(1, (far.received.bytes - before) / possible),
    queueMs: queues.reduce((sum, queue) => sum + queue, 0) / queues.length,
    queueP99Ms: queues[Math.floor(0.99 * queues.length)]!,
    resent: (near.sum('bytesRetransmitted') - resent) / Math.max(1, near.sum('bytesSent') - sent),
  }
}

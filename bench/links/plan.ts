// SPDX-License-Identifier: Apache-2.0
/** Which runs a measurement is made of, and how heavy each is. */
import { sum } from '../shared/figures.js'
import type { Row } from './log.js'
import type { Options } from './options.js'
import { OTHERS, type Peer } from './peers.js'
import { type Scenario, valueOf } from './scenario.js'
import { durationOf, type Weighed } from './side-by-side.js'

export interface Planned extends Weighed {
  readonly scenario: Scenario
  readonly peer: Peer
  readonly row: Omit<Row, 'figures'>
}

/** What rows tell of where they come from. */
export interface Origin {
  /** Of the library, where it is built. */
  readonly build: string | undefined
  readonly aggligator: string
  /** YYYY-MM-DD */
  readonly day: string
  /** The full run's name, where this is one. */
  readonly session: string | undefined
}

/** Mbit/s that a processor core emulates, sends and receives without packets that are late. */
const MBITS_PER_CORE = 40
/** More than messages of 200 bytes make: their delay is what is measured, so they need room. */
const ECHO_WEIGHT = 40
/** What namespaces, handshakes and the end of the processes take. */
const OVERHEAD_SECONDS = 1
const SPARED_SCENARIOS: readonly string[] = ['lopsided', 'both', 'churn']

export function plan(options: Options, origin: Origin): Planned[] {
  const all: Planned[] = []
  for (let run = 1; run <= options.runs; run++) {
    for (const scenario of options.scenarios) {
      // One that --quick leaves out may still be asked for by name.
      const seconds = options.seconds ?? ((options.quick && scenario.quick) || scenario.seconds)
      const weight = weightOf(scenario)
      for (const congestionControl of options.congestionControls) {
        for (const peer of options.peers) {
          if (!isUseful(scenario, peer) || (options.isFull && isSpared(scenario, peer))) continue
          const row = { scenario: scenario.id, peer: peer.id, congestionControl, run, seconds }
          all.push({ scenario, peer, row: { ...row, ...originOf(peer, origin) }, weight, batch: run })
        }
      }
    }
  }
  return all
}

function originOf(peer: Peer, { build, aggligator, day, session }: Origin): Partial<Row> {
  const isOurs = peer.kind === 'multipath' && [peer.dials, peer.listens].includes('node')
  return {
    ...(isOurs && build !== undefined ? { build } : {}),
    ...(peer.reach === 'tunnel' ? { version: aggligator } : {}),
    day,
    ...(session === undefined ? {} : { session }),
  }
}

/** A sum taken from another scenario needs no plain TCP in this one. */
function isUseful(scenario: Scenario, peer: Peer): boolean {
  if (scenario.peers && !scenario.peers.includes(peer.id)) return false
  if (peer.scenarios && !peer.scenarios.includes(scenario.id)) return false
  if (scenario.work === 'offered' && peer.dials !== 'node') return false
  return peer.id !== 'plain' || scenario.sumOf === undefined
}

/** A full run keeps to about an hour: where no target looks at the others, they run only when asked for. */
function isSpared(scenario: Scenario, peer: Peer): boolean {
  return SPARED_SCENARIOS.includes(scenario.id) && OTHERS.includes(peer.id)
}

function weightOf({ work, offered, links }: Scenario): number {
  if (work === 'offered') return offered ?? 0
  return work === 'echo' ? ECHO_WEIGHT : sum(links.map(rateOf))
}

/** A link without a rate has no limit, so nothing fits beside it. */
function rateOf(link: string): number {
  return valueOf(link, 'rate') || Infinity
}

/** What may go side by side; with none, one goes after another. */
export function capacityOf(options: Options, cores: number): number {
  return options.alone ? 0 : cores * MBITS_PER_CORE
}

export function minutesFor(planned: readonly Planned[], capacity: number): number {
  return durationOf(planned, capacity, ({ row }) => row.seconds + OVERHEAD_SECONDS) / 60
}

// SPDX-License-Identifier: Apache-2.0
/** A run second by second, as JSON lines, for whoever tunes the engine. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { longestGap, rateIn } from '../shared/timeline.js'
import type { Worker } from '../shared/worker.js'
import type { Observed } from './measure.js'
import type { NetworkEvent } from './network.js'

/** Line kinds: receiver (Mbit/s, longest wait), links (Mbit/s, drops), change, stats and subflow (ours). */
export function writeTimeline(file: string, observed: Observed, dialers: readonly Worker[]): void {
  const began = (observed.bulk ?? observed.echo)?.started.at ?? 0
  const told = dialers.flatMap(({ events }) =>
    events.filter(({ event }) => ['stats', 'subflow', 'failed'].includes(event)),
  )
  const changes = observed.network.events.filter(({ event }) => event === 'change')
  const lines = [
    ...perSecond(observed, began),
    ...changes.map(({ at, link, words }) => ({ event: 'change', at, link, words })),
    ...told,
  ]
  const text = lines
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, ...line }) => JSON.stringify({ t: Math.round(at - began) / 1000, ...line }))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${text.join('\n')}\n`)
}

interface Line {
  readonly at: number
  readonly [more: string]: unknown
}

function perSecond(observed: Observed, began: number): Line[] {
  const lines: Line[] = []
  for (let second = 0; second < observed.seconds; second++) {
    const span = { from: began + second * 1000, to: began + (second + 1) * 1000 }
    const received = observed.bulk?.received ?? []
    const mbits = received.map((one) => Math.round(rateIn(one, span) * 100) / 100)
    const waited = received.map((one) => Math.round(longestGap(one, span)))
    if (mbits.length > 0) lines.push({ at: span.to, event: 'receiver', mbits, waited })
    lines.push({ at: span.to, event: 'links', links: linkRates(observed.network.events, span.from, span.to) })
  }
  return lines
}

function linkRates(events: readonly NetworkEvent[], from: number, to: number): unknown[] {
  const before = events.findLast(({ at }) => at <= from) ?? events[0]
  const after = events.findLast(({ at }) => at <= to)
  if (!before || !after) return []
  return after.links.map((link, i) => {
    const was = before.links[i] ?? link
    const mbits = ((link.up.bytes - was.up.bytes) * 8) / 1000 / Math.max(1, after.at - before.at)
    const { lost, overflown } = link.up
    return {
      mbits: Math.round(mbits * 100) / 100,
      lost: lost - was.up.lost,
      overflown: overflown - was.up.overflown,
    }
  })
}

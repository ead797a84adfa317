// SPDX-License-Identifier: Apache-2.0
/** What the library has promised itself on loopback; README tells why. */
import type { PairingId } from './pairings.js'
import type { Results } from './results.js'

type Cell = readonly [caseId: string, figure: string, pairing: PairingId]

export interface Target {
  readonly text: string
  readonly cell: Cell
  /** What it is compared with; without it the bound is in the cell's own unit. */
  readonly to?: Cell
  readonly bound: number
  readonly atMost?: boolean
}

export interface Verdict {
  readonly target: string
  readonly bound: number
  readonly measured: number
  readonly met: boolean
}

/** Runs of one build differ by this much: "no slower" can't be asked for more exactly. */
const NOISE = 0.05

const ours = (id: string, figure = 'rate'): Cell => [id, figure, 'node-node']
const go = (id: string, figure = 'rate'): Cell => [id, figure, 'go-go']
const plain = (id: string, figure = 'rate'): Cell => [id, figure, 'plain']

const TARGETS: readonly Target[] = [
  { text: 'bulk on 1 path ÷ Go↔Go', cell: ours('bulk-1'), to: go('bulk-1'), bound: 2.5 },
  { text: 'bulk on 1 path ÷ plain net', cell: ours('bulk-1'), to: plain('bulk-1'), bound: 0.6 },
  { text: 'bulk on 3 paths ÷ Go↔Go', cell: ours('bulk-3'), to: go('bulk-3'), bound: 1.5 },
  { text: 'bulk on 3 paths ÷ on 1', cell: ours('bulk-3'), to: ours('bulk-1'), bound: 1 - NOISE },
  { text: 'Node→Go bulk ÷ Go↔Go', cell: ['bulk-1', 'rate', 'node-go'], to: go('bulk-1'), bound: 1 },
  { text: '1,000-byte writes ÷ Go↔Go', cell: ours('bulk-1000'), to: go('bulk-1000'), bound: 20 },
  { text: '1,000-byte writes ÷ plain net', cell: ours('bulk-1000'), to: plain('bulk-1000'), bound: 1 },
  { text: 'bulk with a trace ÷ without', cell: ours('traced', 'share'), bound: 0.97 },
  { text: 'bulk over TLS ÷ over TCP', cell: ours('tls', 'share'), bound: 0.6 },
  { text: 'bulk over a WebSocket ÷ over TCP', cell: ours('ws', 'share'), bound: 0.6 },
  { text: 'bulk on a mux stream ÷ on the connection', cell: ours('mux', 'share'), bound: 0.8 },
  { text: 'echo p50 ÷ Go↔Go', cell: ours('echo', 'p50'), to: go('echo', 'p50'), bound: 1, atMost: true },
  {
    text: 'echo p50 ÷ plain net',
    cell: ours('echo', 'p50'),
    to: plain('echo', 'p50'),
    bound: 1.3,
    atMost: true,
  },
  { text: 'KiB for each idle connection', cell: ours('idle', 'each'), bound: 25, atMost: true },
  { text: 'slowest of 2,000 ÷ median', cell: ours('many', 'fair'), bound: 0.5 },
  { text: 'slowest of 1,000 mux streams ÷ median', cell: ours('mux-many', 'fair'), bound: 0.5 },
  { text: 'MiB of 2,000 streams, dialer', cell: ours('many', 'dialer'), bound: 1024, atMost: true },
  { text: 'MiB of 2,000 streams, listener', cell: ours('many', 'listener'), bound: 1024, atMost: true },
]

/** The targets for which this run has the figures. */
export function verdicts(results: Results): Verdict[] {
  const all = TARGETS.map((target) => {
    const against = target.to ? results.median(...target.to) : 1
    const measured = results.median(...target.cell) / against
    const met = target.atMost ? measured <= target.bound : measured >= target.bound
    return { target: target.text, bound: target.bound, measured, met }
  })
  return all.filter((verdict) => Number.isFinite(verdict.measured))
}

/** The bound as it is written in a table. */
export function boundText(target: string, bound: number): string {
  return `${TARGETS.find(({ text }) => text === target)?.atMost ? '≤' : '≥'} ${bound}`
}

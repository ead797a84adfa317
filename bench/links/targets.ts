// SPDX-License-Identifier: Apache-2.0
/** What the engine has promised itself on emulated links; docs/engine.md tells how it gets there. */
import { FIELD_TARGETS } from './field-targets.js'
import { POLICY_TARGETS } from './policy-targets.js'
import { SCENARIOS } from './scenarios.js'
import type { Summary } from './summary.js'
import { atMost, perBest, perSum, Place, type Target } from './target.js'

const TARGETS: readonly Target[] = [
  perSum('single', 0.98),
  atMost('single', 'sentPerByte', 'bytes sent per byte', 1.02),
  perSum('even', 0.97),
  perBest('even'),
  perSum('uneven', 0.93),
  perBest('uneven'),
  atMost('uneven', 'stall', 'longest wait, ms', 400),
  {
    scenario: 'lopsided',
    text: 'rate ÷ first link alone',
    bound: 0.98,
    of: (at) => at.get('rate') / at.plainLink('perLink', 0),
  },
  perSum('loss', 0.93),
  // The tunnel has two connections on each link, and each recovers from losses of its own.
  { ...perBest('loss'), also: ['ours-2'] },
  { scenario: 'loss', text: 'Mbit/s', bound: 45, of: (at) => at.get('rate') },
  atMost('silent', 'stall', 'longest wait, ms', 150),
  {
    scenario: 'silent',
    text: 'rate in the silence ÷ second link alone',
    bound: 0.93,
    of: (at) => at.get('meanwhile') / at.plainLink('meanwhile', 1),
  },
  atMost('silent', 'back', 'both in use after the return, ms', 1000),
  ...(['p50', 'p99'] as const).map(
    (name): Target => ({
      scenario: 'echo-uneven',
      text: `${name} ÷ plain net on the first link`,
      bound: name === 'p50' ? 1.06 : 1.3,
      atMost: true,
      oursOnly: true,
      of: (at) => at.get(name) / at.get(name, 'plain'),
    }),
  ),
  atMost('echo-silent', 'worst', 'worst echo, ms', 65, true),
  atMost('echo-calm', 'suspected', 'false alarms in 60 s', 0, true),
  {
    scenario: 'both',
    text: 'echo p99 ÷ plain TCP’s beside its bulk on the first link',
    bound: 1,
    atMost: true,
    of: (at) => at.get('p99') / at.get('p99', 'plain'),
  },
  perSum('both', 0.95),
  { scenario: 'satellite', text: 'Mbit/s after 15 s', bound: 26, of: (at) => at.get('rate') },
  atMost('satellite', 'resent', 'resent share', 0.01),
  perSum('eight', 0.96),
  perSum('churn', 0.8),
  atMost('churn', 'stall', 'longest wait, ms', 300),
  ...FIELD_TARGETS,
  ...POLICY_TARGETS,
]

export interface Verdict {
  readonly scenario: string
  readonly title: string
  readonly target: string
  readonly bound: string
  readonly peer: string
  readonly congestionControl: string
  readonly measured: number
  readonly met: boolean
}

/** Every target at ours ↔ ours and ours → Go, for which there are figures. */
export function verdicts(summary: Summary, congestionControls: readonly string[]): Verdict[] {
  const all = TARGETS.flatMap((target) => {
    const scenario = SCENARIOS.find(({ id }) => id === target.scenario)
    if (!scenario) return []
    const peers = [...(target.oursOnly ? ['ours'] : ['ours', 'ours-go']), ...(target.also ?? [])]
    return congestionControls.flatMap((cc) =>
      peers.map((peer) => verdict(target, new Place(summary, scenario, peer, cc))),
    )
  })
  return all.filter(({ measured }) => Number.isFinite(measured))
}

function verdict(target: Target, at: Place): Verdict {
  const measured = target.of(at)
  return {
    scenario: target.scenario,
    title: at.scenario.title,
    target: target.text,
    bound: `${target.atMost ? '≤' : '≥'} ${target.bound}`,
    peer: at.peer,
    congestionControl: at.congestionControl,
    measured,
    met: target.atMost ? measured <= target.bound : measured >= target.bound,
  }
}

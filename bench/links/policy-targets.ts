// SPDX-License-Identifier: Apache-2.0
/** What schedulers by name, tiers and caps have promised. */
import { sum } from '../shared/figures.js'
import { CAP_BYTES } from './policy-scenarios.js'
import { atMost, perSum, type Place, type Target } from './target.js'

/** Links of the waterfall in the order of their tiers. */
const PRIMARY = 0
const BACKUP = 2
const CAPPED = 0
/** The longest frame. */
const FRAME_BYTES = 65_536

/** Of all payload that was sent, the part that went on one path. */
const shareOf = (at: Place, link: number): number => {
  const all = at.scenario.links.map((_, i) => at.ofLink('perPath', i))
  return at.ofLink('perPath', link) / sum(all)
}

const waterfall: readonly Target[] = [
  {
    scenario: 'waterfall-low',
    text: 'share of the primary path',
    bound: 0.99,
    of: (at) => shareOf(at, PRIMARY),
  },
  {
    scenario: 'waterfall-high',
    text: 'share of the backup path',
    bound: 0.01,
    atMost: true,
    of: (at) => shareOf(at, BACKUP),
  },
  // A tier is full only when its queue is a fraction of a second: so much may still wait at the end.
  ...['waterfall-low', 'waterfall-high'].map(
    (scenario): Target => ({
      scenario,
      text: 'rate ÷ offered',
      bound: 0.96,
      of: (at) => at.get('rate') / at.offered,
    }),
  ),
  atMost('waterfall-silent', 'stall', 'longest wait, ms', 300),
  {
    scenario: 'waterfall-silent',
    text: 'rate in the silence ÷ offered',
    bound: 0.95,
    of: (at) => at.get('meanwhile') / at.offered,
  },
  atMost('waterfall-silent', 'back', 'primary in use after its return, ms', 1000),
]

const capped: readonly Target[] = [
  {
    scenario: 'capped',
    text: 'bytes on the capped path',
    bound: CAP_BYTES,
    atMost: true,
    of: (at) => Math.max(...at.eachOfLink('perPath', CAPPED)),
  },
  {
    scenario: 'capped',
    text: 'bytes on the capped path',
    bound: CAP_BYTES - FRAME_BYTES,
    of: (at) => Math.min(...at.eachOfLink('perPath', CAPPED)),
  },
  {
    scenario: 'capped',
    text: 'rate after the cap ÷ second link alone',
    bound: 0.95,
    of: (at) => at.get('rate') / at.plainLink('perLink', 1),
  },
]

export const POLICY_TARGETS: readonly Target[] = [
  atMost('redundant-silent', 'worst', 'worst echo, ms', 50),
  {
    scenario: 'redundant-lossy',
    text: 'echo p99 ÷ lowest-rtt’s',
    bound: 0.5,
    atMost: true,
    of: (at) => at.get('p99') / at.elsewhere('echo-lossy', 'p99'),
  },
  {
    scenario: 'redundant-bulk',
    text: 'rate ÷ second link alone',
    bound: 0.95,
    of: (at) => at.get('rate') / at.plainLink('perLink', 1),
  },
  atMost('hybrid-silent', 'worst', 'worst echo, ms', 50),
  perSum('hybrid-bulk', 0.97),
  ...waterfall,
  ...capped,
  {
    scenario: 'switching',
    text: 'bytes delivered ÷ written',
    bound: 1,
    of: (at) => Math.min(...at.each('delivered')),
  },
  {
    scenario: 'switching',
    text: 'rate ÷ lowest-rtt’s',
    bound: 0.95,
    of: (at) => at.get('rate') / at.elsewhere('even', 'rate'),
  },
]

// SPDX-License-Identifier: Apache-2.0
/** Schedulers by name, and tiers, weights and caps of paths: ours only, beside plain TCP where it is the measure. */
import type { PathPolicy } from 'multipath-net'
import { BULK, ECHO, EVEN, link, type Scenario, TWO } from './scenario.js'

/** Payload bytes that the capped path may carry. */
export const CAP_BYTES = 5_000_000

const LOSSY = [link(50, 5, ',loss=5'), link(50, 20, ',loss=5')]
const OURS = { quick: 0, peers: ['ours'] }
const BESIDE_PLAIN = { quick: 0, peers: ['ours', 'plain'] }
/** The best link goes silent. */
const SILENCE = ['3 0 down', '6 0 up']

const WATERFALL = [link(20, 10), link(20, 20), link(20, 40)]
const TIERS: readonly PathPolicy[] = [{ tier: 'primary' }, { tier: 'secondary' }, { tier: 'backup' }]
const OFFERED = { ...BULK, ...OURS, work: 'offered', links: WATERFALL, policies: TIERS } as const

export const POLICY_SCENARIOS: readonly Scenario[] = [
  {
    ...ECHO,
    ...OURS,
    id: 'redundant-silent',
    title: 'redundant: echo on 50/5 + 50/20, best silent from 3 s to 6 s',
    links: TWO,
    changes: SILENCE,
    scheduler: 'redundant',
  },
  // What is lost is chance: more of it makes two runs alike.
  {
    ...ECHO,
    ...OURS,
    id: 'echo-lossy',
    title: 'echo on 50/5 + 50/20, 5 % loss each',
    links: LOSSY,
    seconds: 30,
  },
  {
    ...ECHO,
    ...OURS,
    id: 'redundant-lossy',
    title: 'redundant: echo on 50/5 + 50/20, 5 % loss each',
    links: LOSSY,
    seconds: 30,
    scheduler: 'redundant',
  },
  {
    ...BULK,
    ...BESIDE_PLAIN,
    id: 'redundant-bulk',
    title: 'redundant: 20/10 + 50/20',
    links: [link(20, 10), link(50, 20)],
    scheduler: 'redundant',
  },
  {
    ...ECHO,
    ...OURS,
    id: 'hybrid-silent',
    title: 'hybrid: echo on 50/5 + 50/20, best silent from 3 s to 6 s',
    links: TWO,
    changes: SILENCE,
    scheduler: 'hybrid',
  },
  {
    ...BULK,
    ...OURS,
    id: 'hybrid-bulk',
    title: 'hybrid: 50/5 + 50/10 + 50/20',
    links: EVEN,
    sumOf: 'even',
    scheduler: 'hybrid',
  },
  {
    ...OFFERED,
    id: 'waterfall-low',
    title: 'tiers: 15 Mbit/s into 20/10, then 20/20, then 20/40',
    offered: 15,
  },
  {
    ...OFFERED,
    id: 'waterfall-high',
    title: 'tiers: 35 Mbit/s into 20/10, then 20/20, then 20/40',
    offered: 35,
  },
  {
    ...OFFERED,
    id: 'waterfall-silent',
    title: 'tiers: 15 Mbit/s into 20/10, then 20/20, then 20/40, first silent from 3 s to 6 s',
    offered: 15,
    changes: SILENCE,
  },
  {
    ...BULK,
    ...BESIDE_PLAIN,
    id: 'capped',
    title: '50/10 for 5 MB + 50/20',
    links: [link(50, 10), link(50, 20)],
    policies: [{ maxBytes: CAP_BYTES }, {}],
    // By then the cap is reached.
    warm: 3,
  },
  {
    ...BULK,
    ...OURS,
    id: 'switching',
    title: 'another scheduler every 100 ms: 50/5 + 50/10 + 50/20',
    links: EVEN,
    sumOf: 'even',
    switchEvery: 100,
    policies: [{ weight: 1 }, { weight: 1 }, { weight: 1 }],
    isComplete: true,
  },
]

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
    title: 'redundant: echo over two links, the better one silent from 3 s to 6 s',
    links: TWO,
    changes: SILENCE,
    scheduler: 'redundant',
  },
  // What is lost is chance: more of it makes two runs alike.
  {
    ...ECHO,
    ...OURS,
    id: 'echo-lossy',
    title: 'echo over two links that lose 5 % of the packets',
    links: LOSSY,
    seconds: 30,
  },
  {
    ...ECHO,
    ...OURS,
    id: 'redundant-lossy',
    title: 'redundant: echo over two links that lose 5 % of the packets',
    links: LOSSY,
    seconds: 30,
    scheduler: 'redundant',
  },
  {
    ...BULK,
    ...BESIDE_PLAIN,
    id: 'redundant-bulk',
    title: 'redundant: bulk over a fast link and a slow one',
    links: [link(20, 10), link(50, 20)],
    scheduler: 'redundant',
  },
  {
    ...ECHO,
    ...OURS,
    id: 'hybrid-silent',
    title: 'hybrid: echo over two links, the better one silent from 3 s to 6 s',
    links: TWO,
    changes: SILENCE,
    scheduler: 'hybrid',
  },
  {
    ...BULK,
    ...OURS,
    id: 'hybrid-bulk',
    title: 'hybrid: bulk over three fast links',
    links: EVEN,
    sumOf: 'even',
    scheduler: 'hybrid',
  },
  {
    ...OFFERED,
    id: 'waterfall-low',
    title: 'tiers: 15 Mbit/s into three links of one tier each',
    offered: 15,
  },
  {
    ...OFFERED,
    id: 'waterfall-high',
    title: 'tiers: 35 Mbit/s into three links of one tier each',
    offered: 35,
  },
  {
    ...OFFERED,
    id: 'waterfall-silent',
    title: 'tiers: 15 Mbit/s into three links of one tier each, the first silent from 3 s to 6 s',
    offered: 15,
    changes: SILENCE,
  },
  {
    ...BULK,
    ...BESIDE_PLAIN,
    id: 'capped',
    title: 'two links, the first with a cap of 5 MB',
    links: [link(50, 10), link(50, 20)],
    policies: [{ maxBytes: CAP_BYTES }, {}],
    // By then the cap is reached.
    warm: 3,
  },
  {
    ...BULK,
    ...OURS,
    id: 'switching',
    title: 'another scheduler every 100 ms, over three fast links',
    links: EVEN,
    sumOf: 'even',
    switchEvery: 100,
    policies: [{ weight: 1 }, { weight: 1 }, { weight: 1 }],
    isComplete: true,
  },
]

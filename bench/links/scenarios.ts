// SPDX-License-Identifier: Apache-2.0
/** The links, what is done over them, and what happens to them meanwhile. */
import { FIELD_SCENARIOS } from './field-scenarios.js'
import { POLICY_SCENARIOS } from './policy-scenarios.js'
import { RECORDED_SCENARIOS } from './recorded-scenarios.js'
import { BULK, ECHO, EVEN, link, type Scenario, TWO } from './scenario.js'

const UNEVEN = [link(50, 5), link(20, 40), link(5, 150)]
const EIGHT = [5, 10, 15, 20, 25, 30, 35, 40].map((delay) => link(25, delay))

/** Each second another link goes silent, for half of that second. */
function churn(seconds: number): string[] {
  return Array.from({ length: seconds - 1 }, (_, i) => i + 1).flatMap((second) => {
    const which = (second - 1) % EIGHT.length
    return [`${second} ${which} down`, `${second + 0.5} ${which} up`]
  })
}

export const SCENARIOS: readonly Scenario[] = [
  { ...BULK, id: 'single', title: 'one link', links: [link(50, 10)] },
  { ...BULK, id: 'even', title: 'three fast links', links: EVEN },
  { ...BULK, id: 'uneven', title: 'three unequal links', links: UNEVEN, seconds: 12, quick: 6 },
  {
    ...BULK,
    id: 'lopsided',
    title: 'a fast link and a very slow one',
    links: [link(100, 10), link(1, 300)],
    seconds: 12,
    quick: 6,
  },
  {
    ...BULK,
    id: 'loss',
    title: 'two links that lose 1 % of the packets',
    links: [link(50, 10, ',loss=1'), link(50, 20, ',loss=1')],
  },
  {
    ...BULK,
    id: 'silent',
    title: 'two links, the first silent from 3 s to 7 s',
    links: [link(50, 10), link(50, 20)],
    seconds: 12,
    quick: 10,
    changes: ['3 0 down', '7 0 up'],
  },
  { ...ECHO, id: 'echo-uneven', title: 'echo over three unequal links', links: UNEVEN },
  {
    ...ECHO,
    id: 'echo-silent',
    title: 'echo over two links, the better one silent from 3 s to 6 s',
    links: TWO,
    quick: 8,
    changes: ['3 0 down', '6 0 up'],
  },
  {
    ...ECHO,
    id: 'echo-calm',
    title: 'echo over two undisturbed links',
    links: TWO,
    seconds: 60,
    quick: 0,
    peers: ['ours'],
  },
  {
    ...BULK,
    id: 'both',
    title: 'bulk over two links, and echo on a second connection',
    links: TWO,
    work: 'both',
  },
  {
    ...BULK,
    id: 'satellite',
    title: 'two satellite links',
    links: [link(20, 300), link(10, 700)],
    seconds: 30,
    quick: 20,
    warm: 15,
  },
  { ...BULK, id: 'eight', title: 'eight links', links: EIGHT },
  {
    ...BULK,
    id: 'churn',
    title: 'eight links, each second another one down for half of it',
    links: EIGHT,
    changes: churn(10),
    sumOf: 'eight',
  },
  ...POLICY_SCENARIOS,
  ...RECORDED_SCENARIOS,
  ...FIELD_SCENARIOS,
]

// SPDX-License-Identifier: Apache-2.0
/** What links do outside of laboratories: far ends, queues of all sizes, jitter, rates that change, pauses and neighbours. Only on demand. */
import { BULK, link, type Scenario } from './scenario.js'

/** Of the messages, 1 kB to 1 MB. */
export const MESSAGE_BYTES: readonly number[] = [1e3, 10e3, 100e3, 1e6]

/** Rate of the link that a plain connection shares. */
export const NEIGHBOUR_MBITS = 20

const ON_DEMAND = { ...BULK, extra: true, quick: 10 }
/** The agg-tunnel has one end that dials, and a tunnel of its own for each direction would be another thing. */
const DIALLING_BOTH_WAYS = ['ours', 'ours-go', 'go', 'mptcp', 'plain']

/** Two links of 20 Mbit/s, whose queues hold so many pipes: rate × round trip, in KiB. */
function queues(pipes: number): string[] {
  return [20, 40].map((delay) =>
    link(20, delay, `,queue=${Math.round((pipes * 20e3 * 2 * delay) / 8 / 1024)}`),
  )
}

export const FIELD_SCENARIOS: readonly Scenario[] = [
  {
    ...ON_DEMAND,
    id: 'far',
    title: 'three links with round trips of 100 to 250 ms',
    links: [link(30, 50), link(20, 85), link(10, 125)],
    seconds: 20,
  },
  { ...ON_DEMAND, id: 'shallow', title: 'two links with queues of a quarter of a pipe', links: queues(0.25) },
  { ...ON_DEMAND, id: 'deep', title: 'two links with queues of eight pipes', links: queues(8), seconds: 20 },
  {
    ...ON_DEMAND,
    id: 'jitter',
    title: 'two links with up to 20 ms of jitter',
    links: [link(20, 20, ',jitter=20'), link(20, 40, ',jitter=20')],
  },
  {
    ...ON_DEMAND,
    id: 'steps',
    title: 'two links, the first with 10 instead of 50 Mbit/s from 3 s to 6 s',
    links: [link(50, 10), link(20, 20)],
    changes: ['3 0 rate=10', '6 0 rate=50'],
  },
  {
    ...ON_DEMAND,
    id: 'two-ways',
    title: 'two links of 20 Mbit/s there and 2 Mbit/s back, bulk both ways at once',
    links: [link(20, 10, ',down:rate=2'), link(20, 20, ',down:rate=2')],
    beside: 'back',
    peers: DIALLING_BOTH_WAYS,
  },
  {
    ...ON_DEMAND,
    id: 'neighbour',
    title: 'two links, and a plain TCP connection on the first beside',
    links: [link(NEIGHBOUR_MBITS, 10), link(20, 20)],
    beside: 'plain',
    seconds: 20,
  },
  {
    ...ON_DEMAND,
    id: 'messages',
    title: 'messages of 1 kB to 1 MB over three unequal links, one at a time',
    links: [link(50, 5), link(20, 40), link(5, 150)],
    work: 'messages',
    sizes: MESSAGE_BYTES,
    seconds: 20,
    warm: 2,
  },
  {
    ...ON_DEMAND,
    id: 'pauses',
    title: 'two links, the first without delivery for 200 ms of each second',
    links: ['recorded=pauses,delay=10,queue=128', link(20, 20)],
  },
  {
    ...ON_DEMAND,
    id: 'silent-long',
    title: 'two links, the first silent from 3 s to 18 s',
    links: [link(20, 10), link(20, 20)],
    seconds: 24,
    quick: 22,
    changes: ['3 0 down', '18 0 up'],
  },
  {
    ...ON_DEMAND,
    id: 'silent-short',
    title: 'two links, the first silent for 0.3 s',
    links: [link(20, 10), link(20, 20)],
    changes: ['3 0 down', '3.3 0 up'],
  },
]

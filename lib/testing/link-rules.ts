// SPDX-License-Identifier: Apache-2.0
/** What a scheduler owes over time, shown on connections over simulated links. */
import type { Scheduler } from '../core/scheduler.js'
import type { Link } from './link.js'
import type { LinkShape } from './transfer.js'
import { Transfer } from './transfer.js'

const LONE: LinkShape = { rateMbps: 20, delayMs: 10 }
const FILLED_SHARE = 0.9
const UNEVEN: readonly LinkShape[] = [
  { rateMbps: 50, delayMs: 5 },
  { rateMbps: 20, delayMs: 40 },
]
const SLOW: readonly LinkShape[] = [
  { rateMbps: 5, delayMs: 10 },
  { rateMbps: 5, delayMs: 20 },
]

/** What happens to a link, and after how many milliseconds. */
type Trouble = readonly (readonly [atMs: number, happens: (link: Link) => void])[]

const SILENCE: Trouble = [
  [300, (link) => link.freeze()],
  [2300, (link) => link.thaw()],
]
const BREAK: Trouble = [[300, (link) => link.cut()]]

interface Course {
  readonly shapes: readonly LinkShape[]
  readonly bytes: number
  readonly trouble?: Trouble
}

/** Checks by the name of the rule. */
export const LINK_RULES: Readonly<Record<string, (scheduler: Scheduler) => Promise<void>>> = {
  'fills a lone path to nine tenths of its rate': fills,

  'carries everything over uneven paths, and ends': (scheduler) =>
    carries(scheduler, { shapes: UNEVEN, bytes: 6_000_000 }),

  'carries everything while either of two paths is silent for 2 s, and ends': (scheduler) =>
    carriesThrough(scheduler, { shapes: SLOW, bytes: 2_500_000, trouble: SILENCE }),

  'carries everything when either of two paths breaks, and ends': (scheduler) =>
    carriesThrough(scheduler, { shapes: SLOW, bytes: 1_500_000, trouble: BREAK }),
}

/** The trouble hits each link in turn, each time on a new connection. */
async function carriesThrough(scheduler: Scheduler, course: Course): Promise<void> {
  for (const hit of course.shapes.keys()) await carries(scheduler, course, hit)
}

async function carries(
  scheduler: Scheduler,
  { shapes, bytes, trouble = [] }: Course,
  hit = 0,
): Promise<void> {
  const transfer = new Transfer(scheduler, shapes)
  const { clock, links } = transfer
  try {
    await transfer.begin(bytes)
    for (const [atMs, happens] of trouble)
      clock.callAt(clock.now() + atMs, () => {
        happens(links[hit]!)
      })
    await transfer.ends()
  } finally {
    await transfer.close()
  }
}

async function fills(scheduler: Scheduler): Promise<void> {
  const transfer = new Transfer(scheduler, [LONE])
  try {
    await transfer.begin(20_000_000)
    // The rate is found within the first second.
    await transfer.passes(1000)
    const before = transfer.received
    await transfer.passes(2000)
    const mbps = ((transfer.received - before) * 8) / 2e6
    if (mbps < FILLED_SHARE * LONE.rateMbps) transfer.fail(`it was filled to ${mbps.toFixed(1)} Mbit/s only`)
  } finally {
    await transfer.close()
  }
}

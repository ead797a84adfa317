// SPDX-License-Identifier: Apache-2.0
/** Messages over links of different rate and delay: how long each took, beside the least that it can take. */
import { percentile } from '../shared/figures.js'
import { valueOf } from './scenario.js'

/** Payload of a full TCP packet, and all of it: what of a link's rate is left for data. */
const PAYLOAD_SHARE = 1448 / 1500

interface Link {
  /** Bytes of payload for each millisecond. */
  readonly rate: number
  /** One way, milliseconds. */
  readonly delay: number
}

function linkOf(words: string): Link {
  return { rate: valueOf(words, 'rate') * 125 * PAYLOAD_SHARE, delay: valueOf(words, 'delay') }
}

/** The least that a message can take, milliseconds: the T at which Σ rate × max(0, T − delay) reaches its bytes. */
export function leastMs(bytes: number, links: readonly string[]): number {
  let rate = 0
  let ahead = 0
  let least = Number.POSITIVE_INFINITY
  for (const link of links.map(linkOf).toSorted((a, b) => a.delay - b.delay)) {
    if (link.delay >= least) break
    rate += link.rate
    ahead += link.rate * link.delay
    least = (bytes + ahead) / rate
  }
  return least
}

/** Figures of a run for each size. */
export interface MessageFigures {
  /** Median of the time that messages of each size took, divided by the least. */
  readonly messageP50: readonly number[]
  readonly messageP99: readonly number[]
}

export function messageFigures(
  all: readonly (readonly [bytes: number, sentAt: number, ms: number])[],
  { sizes, links, from }: { sizes: readonly number[]; links: readonly string[]; from: number },
): MessageFigures {
  const percentiles = (percent: number): number[] =>
    sizes.map((size) => {
      const times = all.filter(([bytes, sentAt]) => bytes === size && sentAt >= from).map(([, , ms]) => ms)
      return percentile(times, percent) / leastMs(size, links)
    })
  return { messageP50: percentiles(50), messageP99: percentiles(99) }
}

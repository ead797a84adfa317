// SPDX-License-Identifier: Apache-2.0
/** The links of the tour: three, and from a moment on each is cut in turn. */
import { setTimeout as delay } from 'node:timers/promises'
import { link } from '../links/scenario.js'
import type { Network, NetworkEvent } from '../links/network.js'

export const LINKS: readonly string[] = [link(20, 10), link(20, 25), link(10, 40)]
/** Longer than the tour takes. */
const CUT_FOR_S = 600
const CUT_EVERY_S = 5
const CUT_LASTS_S = 3
const POLL_MS = 20

/** In linksim's words. */
export function cuts(): string[] {
  const count = Math.floor(CUT_FOR_S / CUT_EVERY_S)
  return Array.from({ length: count }, (_, i) => {
    const at = 2 + i * CUT_EVERY_S
    const which = i % LINKS.length
    return [`${at} ${which} down`, `${at + CUT_LASTS_S} ${which} up`]
  }).flat()
}

/** Resolves as the next link is cut. */
export async function nextCut(network: Network): Promise<void> {
  const before = network.events.filter(isCut).length
  while (network.events.filter(isCut).length === before) await delay(POLL_MS)
}

function isCut({ event, words }: NetworkEvent): boolean {
  return event === 'change' && words === 'down'
}

/** How often each link was cut since that moment. */
export function cutsSince(network: Network, since: number): string {
  const changes = network.events.filter((event) => isCut(event) && event.at >= since)
  const counts = LINKS.map((_, i) => changes.filter((change) => change.link === i).length)
  return counts.map((count, i) => `link ${i} ${count}`).join(', ')
}

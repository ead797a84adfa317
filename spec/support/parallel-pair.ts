// SPDX-License-Identifier: Apache-2.0
/** A pair of cores whose dialling side opens and closes subflows as they are wanted. */
import type { CorePair, CorePairInit } from './core-pair.js'
import { corePair } from './core-pair.js'

export interface ParallelPair extends CorePair {
  /** Most live subflows on the first link that there ever were. */
  readonly most: () => number
  readonly live: () => number
}

export function parallelPair(init: CorePairInit): ParallelPair {
  const pair = corePair(init)
  const { near, links, clock } = pair
  const wantedBy = { us: 1, peer: 1 }
  const liveOf = (path: unknown) =>
    near.core.subflows.filter((subflow) => subflow.path === path && subflow.gracefulClose === undefined)
  let most = 1
  near.onWanted = ({ path, count, by }) => {
    wantedBy[by] = count
    const wanted = Math.min(Math.max(wantedBy.us, wantedBy.peer), path.mostSubflows)
    const index = near.joined.slice(0, links.length).findIndex((first) => first.path === path)
    const live = liveOf(path)
    const delayMs = init.links[index]?.delayMs ?? 10
    for (let n = live.length; n < wanted; n++)
      clock.callAt(clock.now() + 4 * delayMs, () => {
        pair.join(index)
        most = Math.max(most, liveOf(path).length)
      })
    for (const subflow of live.slice(wanted)) near.core.retireSubflow(subflow, 'surplus', clock.now())
    near.flush()
  }
  return { ...pair, most: () => most, live: () => liveOf(near.joined[0]!.path).length }
}

// SPDX-License-Identifier: Apache-2.0
/** Random faults on the paths of one connection until it is over. */
import { setTimeout as delay } from 'node:timers/promises'
import { SeededRandom } from 'multipath-net/testing'
import type { Fault, SoakPath } from './path.js'
import type { Plan } from './plan.js'

const PAUSE_MS = { min: 500, max: 3_000 }
const FREEZE_MS = { min: 200, max: 8_000 }
/** A frame of Go waits for the very path that it was given to: a long silence would be the connection's. */
const GO_FREEZE_MS = { min: 200, max: 3_000 }
const CUT_MS = { min: 100, max: 6_000 }
const RATE_MS = { min: 1_000, max: 10_000 }
const RATES = { min: 1_000_000, max: 32_000_000 }

/** @param onFault - told of each, with the number of the path */
export async function disturb(
  paths: readonly SoakPath[],
  plan: Plan,
  onFault: (index: number, fault: Fault) => void,
  signal: AbortSignal,
): Promise<void> {
  const random = new SeededRandom(plan.faultSeed)
  for (;;) {
    const pauseMs = random.integer(PAUSE_MS.min, PAUSE_MS.max)
    const isOver = await delay(pauseMs, false, { signal }).catch(() => true)
    if (isOver) return
    const index = random.integer(0, paths.length - 1)
    const fault = drawFault(random, plan, index === plan.steady)
    const path = paths[index]!
    if (!path.isNormal) continue
    path.suffer(fault)
    onFault(index, fault)
  }
}

function drawFault(random: SeededRandom, { kind }: Plan, isSteady: boolean): Fault {
  const names: Fault['name'][] = kind.faults === 'all' ? ['freeze', 'cut', 'rate'] : ['freeze', 'rate']
  const name = isSteady ? 'rate' : random.pick(names)
  const within = ({ min, max }: { min: number; max: number }): number => random.integer(min, max)
  if (name === 'rate') return { name, ms: within(RATE_MS), bytesPerSecond: within(RATES) }
  if (name === 'cut') return { name, ms: within(CUT_MS) }
  return { name, ms: within(kind.faults === 'all' ? FREEZE_MS : GO_FREEZE_MS) }
}

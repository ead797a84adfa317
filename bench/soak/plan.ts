// SPDX-License-Identifier: Apache-2.0
/** What a connection of the soak is to be, drawn from a seed of its own before it begins. */
import type { SeededRandom } from 'multipath-net/testing'
import { mixedSizes } from '../../interop/support/seeded-data.js'

export type Side = 'ours' | 'Go'

export interface Kind {
  readonly name: string
  readonly dials: Side
  readonly listens: Side
  /** What may befall the paths: see bench/soak.ts for why a Go that sends is not cut. */
  readonly faults: 'all' | 'uncut'
  readonly up: boolean
  readonly down: boolean
}

export const KINDS: readonly Kind[] = [
  { name: 'ours to ours', dials: 'ours', listens: 'ours', faults: 'all', up: true, down: true },
  { name: 'ours to Go, Go reads', dials: 'ours', listens: 'Go', faults: 'all', up: true, down: false },
  { name: 'ours to Go, both ways', dials: 'ours', listens: 'Go', faults: 'uncut', up: true, down: true },
  { name: 'Go to ours, Go reads', dials: 'Go', listens: 'ours', faults: 'all', up: false, down: true },
  { name: 'Go to ours, both ways', dials: 'Go', listens: 'ours', faults: 'uncut', up: true, down: true },
]

/** A stretch of one direction, its data from a seed of its own, so that it is checked by itself. */
export interface Slice {
  readonly bytes: number
  readonly seed: number
  /** Of the writes, used in turn. */
  readonly sizes: readonly number[]
  /** For so long the reader does not read before it. */
  readonly pauseMs: number
}

export interface Round {
  readonly up: readonly Slice[]
  readonly down: readonly Slice[]
}

export interface Plan {
  readonly kind: Kind
  /** Bytes a second of each path, each way. */
  readonly rates: readonly number[]
  /** The path that is never frozen and never cut. */
  readonly steady: number
  readonly rounds: readonly Round[]
  readonly faultSeed: number
}

const MIB = 1_048_576
const MB = 1_000_000
const RATES = [1 * MB, 2 * MB, 4 * MB, 8 * MB, 16 * MB, Infinity]
const MOST_ROUNDS = 4
const ROUND_MIB = 64
const SLICE = { min: 64 * 1024, max: 2 * MIB }
const MOST_WRITE = 128 * 1024

export function drawSeed(random: SeededRandom): number {
  return random.integer(1, 2 ** 31 - 1)
}

export function drawPlan(random: SeededRandom, kinds: readonly Kind[]): Plan {
  const kind = random.pick(kinds)
  const rates = Array.from({ length: random.integer(2, 4) }, () => random.pick(RATES))
  return {
    kind,
    rates,
    steady: random.integer(0, rates.length - 1),
    rounds: Array.from({ length: random.integer(1, MOST_ROUNDS) }, () => ({
      up: kind.up ? drawSlices(random) : [],
      down: kind.down ? drawSlices(random) : [],
    })),
    faultSeed: drawSeed(random),
  }
}

/** From 1 to 64 MiB, spread over the orders of magnitude between, for a reader of random habits. */
function drawSlices(random: SeededRandom): Slice[] {
  const total = Math.round(MIB * ROUND_MIB ** random.random())
  const sizes = mixedSizes(drawSeed(random), 50, 1, MOST_WRITE)
  const pause = drawPauses(random)
  const slices: Slice[] = []
  for (let left = total; left > 0; ) {
    const bytes = Math.min(left, random.integer(SLICE.min, SLICE.max))
    slices.push({ bytes, seed: drawSeed(random), sizes, pauseMs: pause() })
    left -= bytes
  }
  return slices
}

/** Most readers read at once; some are slow, some stop at times. */
function drawPauses(random: SeededRandom): () => number {
  const habit = random.random()
  if (habit < 0.6) return () => 0
  if (habit < 0.8) return () => random.integer(10, 200)
  return () => (random.random() < 0.1 ? random.integer(500, 5_000) : 0)
}

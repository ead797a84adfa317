// SPDX-License-Identifier: Apache-2.0
/**
 * Recordings of links, made by chance from seeds: lists of the milliseconds at which 1,500 bytes may leave, in the format of
 * mahimahi, in which real ones are published. linksim repeats a list with its last time as the period.
 */
import { SeededRandom } from '../../lib/testing/seeded-random.js'

export const PERIOD_MS = 120_000

const OPPORTUNITY_BITS = 1500 * 8

export interface Recording {
  readonly name: string
  times(): number[]
}

/** Three carriers in one car. */
export const CARRIERS: readonly Recording[] = [
  { name: 'carrier-1', times: () => drive(5, 1) },
  { name: 'carrier-2', times: () => drive(15, 2) },
  { name: 'carrier-3', times: () => drive(5, 3) },
]

/** Those that stand for real ones. */
export const INVENTED: readonly Recording[] = [...CARRIERS, { name: 'wifi', times: () => fade(30, 4) }]

export const RECORDINGS: readonly Recording[] = [...INVENTED, { name: 'pauses', times: () => pause(20) }]

/** Shortest and longest silence of a carrier, and the time from one to the next: at least, and the mean of what is added. */
const OUTAGE_MS = { min: 200, max: 5000 }
const BETWEEN_MS = { min: 2000, added: 13_000 }
/** Of a carrier's rate against the usual one. */
const RATES = { min: 0.3, max: 3 }

/**
 * A carrier in a car: another rate each second, not far from the last, and outages.
 * @param mean - Mbit/s, outages included
 */
export function drive(mean: number, seed: number): number[] {
  const random = new SeededRandom(seed)
  const rates = new Float64Array(PERIOD_MS)
  let level = 0
  for (let from = 0; from < PERIOD_MS; from += 1000) {
    level = 0.7 * level + 0.5 * normal(random)
    rates.fill(Math.min(RATES.max, Math.max(RATES.min, Math.exp(level))), from, from + 1000)
  }
  for (let at = between(random); at + OUTAGE_MS.max < PERIOD_MS; at += between(random)) {
    const end = Math.round(at + OUTAGE_MS.min * (OUTAGE_MS.max / OUTAGE_MS.min) ** random.random())
    rates.fill(0, at, end)
    at = end
  }
  return opportunities(rates, mean)
}

function between(random: SeededRandom): number {
  return Math.round(BETWEEN_MS.min - BETWEEN_MS.added * Math.log(1 - random.random()))
}

/** Roughly. */
function normal(random: SeededRandom): number {
  const draws = Array.from({ length: 12 }, random.random)
  return draws.reduce((total, draw) => total + draw, -6)
}

/** From one end of the flat to the other and back; what passes in the way matters for a tenth of a second. */
const FADE = { everyMs: 12_000, stepMs: 100, least: 0.02 }

/**
 * A Wi-Fi whose user walks about: the rate rises and falls within seconds, down to a fraction, but it is never silent.
 * @param mean - Mbit/s
 */
export function fade(mean: number, seed: number): number[] {
  const random = new SeededRandom(seed)
  const rates = new Float64Array(PERIOD_MS)
  let phase = random.random()
  for (let from = 0; from < PERIOD_MS; from += FADE.stepMs) {
    // Nobody walks like a clock.
    phase += (FADE.stepMs / FADE.everyMs) * 2 * random.random()
    const nearness = (1 + Math.cos(2 * Math.PI * phase)) / 2
    rates.fill(FADE.least + nearness ** 2 * (0.7 + 0.6 * random.random()), from, from + FADE.stepMs)
  }
  return opportunities(rates, mean)
}

/** A path that delivers nothing for the first 200 ms of each second, as while a radio scans; one second of it. */
export function pause(mean: number): number[] {
  return opportunities(new Float64Array(1000).fill(1, 200), mean)
}

/** When 1,500 bytes may leave, for a rate in each millisecond, all in the same proportion such that they have that mean. */
function opportunities(rates: Float64Array, mean: number): number[] {
  const total = rates.reduce((sum, rate) => sum + rate, 0)
  const bitsPerMs = (mean * 1000 * rates.length) / total
  const times: number[] = []
  let credit = 0
  for (const [ms, rate] of rates.entries()) {
    credit += rate * bitsPerMs
    for (; credit >= OPPORTUNITY_BITS; credit -= OPPORTUNITY_BITS) times.push(ms + 1)
  }
  // The last time is the period.
  if (times.at(-1) !== rates.length) times.push(rates.length)
  return times
}

// SPDX-License-Identifier: Apache-2.0
/** The part of a path's description that says how it is used: `tier=backup,weight=2,max-rate=5Mbit`. */
import { InvalidArgumentError } from 'commander'
import type { PathPolicy, Tier } from '../index.js'

const TIERS: readonly string[] = ['primary', 'secondary', 'backup'] satisfies Tier[]
const PREFIX: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 }
const BINARY: Readonly<Record<string, number>> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 }

/** Subflows of one path. */
export const MOST_PARALLEL = 64

/** All entries, separated by commas. @throws {InvalidArgumentError} */
export function parsePolicy(text: string): PathPolicy {
  return Object.assign({}, ...text.split(',').map((entry) => parsePolicyEntry(entry))) as PathPolicy
}

type Read = (value: string) => PathPolicy

/** By name. @throws {InvalidArgumentError} */
const READERS: Readonly<Record<string, Read>> = {
  tier: (value) => {
    if (!TIERS.includes(value)) throw wrong('tier', `one of ${TIERS.join(', ')}`)
    return { tier: value as Tier }
  },
  weight: (value) => {
    const weight = Number(value)
    if (!/^\d+(\.\d+)?$/.test(value) || weight < 1 || weight > 1_000_000)
      throw wrong('weight', 'from 1 to 1000000')
    return { weight }
  },
  'max-bytes': (value) => ({ maxBytes: value === 'none' ? Infinity : parseBytes(value) }),
  'max-rate': (value) => ({ maxBytesPerSecond: value === 'none' ? Infinity : parseRate(value) }),
  parallel: (value) => {
    const max = Number(/^1-(\d+)$/.exec(value)?.[1])
    if (!(max >= 1 && max <= MOST_PARALLEL)) throw wrong('parallel', `from 1-1 to 1-${MOST_PARALLEL}`)
    return { parallel: { max } }
  },
}

/** `NAME=VALUE`. @throws {InvalidArgumentError} */
export function parsePolicyEntry(entry: string): PathPolicy {
  const at = entry.indexOf('=')
  const name = entry.slice(0, Math.max(0, at))
  if (Object.hasOwn(READERS, name)) return READERS[name]!(entry.slice(at + 1))
  const known = Object.keys(READERS).join('=, ')
  throw new InvalidArgumentError(`${JSON.stringify(entry)} is unknown: use ${known}=.`)
}

/** `10GB`, `512MiB`, `1000`: bytes. @throws {InvalidArgumentError} */
function parseBytes(text: string): number {
  const { amount, unit } = /^(?<amount>\d+(?:\.\d+)?)(?<unit>[kMGT]?i?)B?$/.exec(text)?.groups ?? {}
  const factor = unit === undefined ? undefined : (PREFIX[unit] ?? BINARY[unit === 'ki' ? 'Ki' : unit])
  if (amount === undefined || factor === undefined)
    throw wrong('max-bytes', 'an amount such as 10GB or 512MiB')
  return Math.round(Number(amount) * factor)
}

/** `5Mbit` or `5Mbit/s`: bytes per second. @throws {InvalidArgumentError} */
function parseRate(text: string): number {
  const { amount, unit } = /^(?<amount>\d+(?:\.\d+)?)(?<unit>[kMG]?)bit(?:\/s)?$/.exec(text)?.groups ?? {}
  if (amount === undefined) throw wrong('max-rate', 'a rate such as 5Mbit')
  return Math.max(1, Math.round((Number(amount) * PREFIX[unit!]!) / 8))
}

function wrong(name: string, what: string): InvalidArgumentError {
  return new InvalidArgumentError(`${name} must be ${what}.`)
}

// SPDX-License-Identifier: Apache-2.0
/** The part of a path's description that says how it is used: `tier=backup,weight=2,max-rate=5Mbit`. */
import { InvalidArgumentError } from 'commander'
import type { PathPolicy, Tier } from '../index.js'

const TIERS: readonly string[] = ['primary', 'secondary', 'backup'] satisfies Tier[]
const PREFIX: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 }
const BINARY: Readonly<Record<string, number>> = { Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40 }

export const MOST_PARALLEL = 64
/** The names that {@link parsePolicyEntry} knows. */
const POLICY_KEYS: readonly string[] = ['tier', 'weight', 'max-bytes', 'max-rate', 'parallel']

/** All entries, separated by commas. @throws {InvalidArgumentError} */
export function parsePolicy(text: string): PathPolicy {
  return Object.assign({}, ...text.split(',').map((entry) => parsePolicyEntry(entry))) as PathPolicy
}

/** `NAME=VALUE`. @throws {InvalidArgumentError} */
export function parsePolicyEntry(entry: string): PathPolicy {
  const at = entry.indexOf('=')
  const [name, value] = [entry.slice(0, Math.max(0, at)), entry.slice(at + 1)]
  switch (name) {
    case 'tier':
      if (!TIERS.includes(value)) throw wrong('tier', `one of ${TIERS.join(', ')}`)
      return { tier: value as Tier }
    case 'weight': {
      const weight = Number(value)
      if (!/^\d+(\.\d+)?$/.test(value) || weight < 1 || weight > 1_000_000)
        throw wrong('weight', 'from 1 to 1000000')
      return { weight }
    }
    case 'max-bytes':
      return { maxBytes: value === 'none' ? Infinity : parseBytes(value) }
    case 'max-rate':
      return { maxBytesPerSecond: value === 'none' ? Infinity : parseRate(value) }
    case 'parallel': {
      const max = Number(/^1-(\d+)$/.exec(value)?.[1])
      if (!(max >= 1 && max <= MOST_PARALLEL)) throw wrong('parallel', `from 1-1 to 1-${MOST_PARALLEL}`)
      return { parallel: { max } }
    }
    default:
      throw new InvalidArgumentError(`${JSON.stringify(entry)} is unknown: use ${POLICY_KEYS.join('=, ')}=.`)
  }
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

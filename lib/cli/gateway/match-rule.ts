// SPDX-License-Identifier: Apache-2.0
/** The rules of `--match`: which connections are captured, and over which paths they go. */
import { InvalidArgumentError } from 'commander'
import type { SchedulerName } from '../../index.js'
import { schedulers } from '../../index.js'
import type { AllowRule, Place } from '../streams/allow-list.js'
import { hasPort, matchesName } from '../streams/allow-list.js'
import type { Address } from '../streams/host.js'
import { parseAddress } from '../streams/host.js'
import { parseAllowRule } from '../streams/parse-rules.js'
import { blockList, contains, isSpecial, meansSpecial } from '../streams/special-ranges.js'

/** How connections use the paths. Those with the same policy share a session. */
export interface MatchPolicy {
  /** Of both directions; `undefined`: as the command says. */
  readonly scheduler?: SchedulerName
  /** Labels, addresses or interfaces of paths of `--to`; `undefined`: all of them. */
  readonly paths?: readonly string[]
}

/** Of UDP with that protocol, and otherwise of TCP. */
export interface MatchRule extends Pick<AllowRule, 'host' | 'range' | 'ports' | 'protocol'> {
  readonly policy: MatchPolicy
}

const SYNTAX =
  'It must be [udp:]HOST[:PORTS][,scheduler=NAME][,paths=LABEL/LABEL], such as 203.0.113.0/24:443, *.example.org,scheduler=redundant, udp:*:443 or [2001:db8::/32]:80,443,paths=dsl.'
/** What `*` does not mean: names of one machine, of one network, and of addresses (RFC 6761, RFC 6762). */
const PRIVATE_TOPS = ['localhost', 'local', 'arpa', 'internal']

/** `[tcp:|udp:]HOST[:PORTS][,scheduler=NAME][,paths=LABEL/…]`; HOST and PORTS are those of `--allow-socks`. */
export function parseMatch(text: string): MatchRule {
  const [prefix] = /^udp:|/.exec(text)!
  const words = text.replace(/^(?:tcp|udp):/, '').split(',')
  // What has no name is a further port.
  const count = words.findIndex((word) => word.includes('='))
  const place = words.slice(0, count < 0 ? undefined : count).join(',')
  const policies = count < 0 ? [] : words.slice(count).map(parsePolicy)
  try {
    const rule = parseAllowRule(`${prefix}${withPorts(place)}`)
    return { ...rule, policy: Object.assign({}, ...policies) as MatchPolicy }
  } catch {
    throw new InvalidArgumentError(SYNTAX)
  }
}

/** What a rule is for: a connection, or packets of UDP. */
export type Captured = Place & Pick<AllowRule, 'protocol'>

/** Tells for which rule a connection, a packet or a name is. */
export class Matcher {
  readonly #rules: readonly MatchRule[]

  constructor(rules: readonly MatchRule[]) {
    this.#rules = rules
  }

  /**
   * The first rule for a place. A name is captured as a whole: where no rule for it has that port, one of the same protocol counts,
   * and for TCP any other.
   */
  ruleFor({ host, port, protocol }: Captured): MatchRule | undefined {
    const own = this.#rules.filter((rule) => rule.protocol === protocol)
    const address = parseAddress(host)
    if (address !== undefined) return own.find((rule) => hasPort(rule, port) && meansAddress(rule, address))
    const naming = own.filter((rule) => meansName(rule, host))
    const found = naming.find((rule) => hasPort(rule, port)) ?? naming[0]
    return found ?? (protocol === undefined ? this.#rules.find((rule) => meansName(rule, host)) : undefined)
  }

  /** Whether connections to a canonical name are captured. */
  takesName(name: string): boolean {
    return this.#rules.some((rule) => meansName(rule, name))
  }
}

function meansAddress({ host, range }: MatchRule, address: Address): boolean {
  if (range === undefined) return host === '*' && !isSpecial(address)
  return contains(blockList([range]), address) && (!isSpecial(address) || meansSpecial(range))
}

function meansName({ host }: MatchRule, name: string): boolean {
  if (host === undefined || !matchesName(host, name)) return false
  return host !== '*' || (name.includes('.') && !PRIVATE_TOPS.includes(name.split('.').at(-1)!))
}

/** `place` with all ports where it names none. */
function withPorts(place: string): string {
  if (/^[^[\]]*:[^[\]]*:/.test(place)) return `[${place}]:*`
  return place.includes(':') && !place.endsWith(']') ? place : `${place}:*`
}

function parsePolicy(word: string): MatchPolicy {
  const [, name, value = ''] = /^([a-z]+)=(.+)$/s.exec(word) ?? []
  if (name === 'paths' && value.split('/').every((label) => label !== '')) return { paths: value.split('/') }
  if (name !== 'scheduler') throw new InvalidArgumentError(SYNTAX)
  if (!Object.hasOwn(schedulers, value))
    throw new InvalidArgumentError(`scheduler must be one of ${Object.keys(schedulers).join(', ')}.`)
  return { scheduler: value as SchedulerName }
}

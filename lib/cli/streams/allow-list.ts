// SPDX-License-Identifier: Apache-2.0
/** What may be reached through `multipath serve`. Nothing else is. */
import type { Address } from './host.js'
import { isLoopback, parseAddress, parseHost } from './host.js'
import type { Range } from './special-ranges.js'
import { blockList, contains, isSpecial, meansSpecial } from './special-ranges.js'

/** Ports from `first` to `last`. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

/** Of `--allow`: one place, perhaps with a name of its own. */
export interface AllowedPlace {
  /** `undefined`: TCP. */
  readonly protocol?: 'udp' | undefined
  /** Canonical: an address or a name. */
  readonly host: string
  readonly port: number
  readonly name: string | undefined
}

/** Of `--allow-socks`: names, or addresses, and ports. */
export interface AllowRule {
  /** `undefined`: TCP. */
  readonly protocol?: 'udp' | undefined
  /** `*`: every name and address; `.example.org`: names below it. `undefined` where the rule is a range. */
  readonly host: string | undefined
  readonly range: Range | undefined
  readonly ports: readonly PortRange[]
}

export interface AllowListInit {
  readonly places: readonly AllowedPlace[]
  readonly rules: readonly AllowRule[]
  /** Special ranges that allowed names may lead to. */
  readonly privateRanges: readonly Range[]
  /** Whether an address is one of this machine: what listens there may trust those who can reach it. */
  readonly isOwn: (address: string) => boolean
}

/** A place that somebody asks for; `host` is canonical. */
export interface Place {
  readonly host: string
  readonly port: number
}

const LOCALHOST = 'localhost'

export class AllowList {
  #init: AllowListInit

  constructor(init: AllowListInit) {
    this.#init = init
  }

  /** Allows from now on what `other` does, and nothing else. */
  replace(other: AllowList): void {
    this.#init = other.#init
  }

  /** The place that `--allow NAME=…` has given a name. */
  named(name: string): Place | undefined {
    return this.#init.places.find((place) => place.name === name)
  }

  /** Whether a lookup of the name, or a dial of the address, is worth while. */
  mayAsk(place: Place): boolean {
    const address = parseAddress(place.host)
    if (address !== undefined) return this.mayDial(place, address)
    // What a name leads to may lie within a range.
    const hasRange = this.#init.rules.some((rule) => rule.range !== undefined && hasPort(rule, place.port))
    return hasRange || this.#naming(place) !== undefined
  }

  /**
   * Whether `address`, which `place` has led to, may be dialled. Special addresses have to be written down as
   * such: a name, or `*`, never leads to them, whatever a name server says.
   */
  mayDial(place: Place, address: Address): boolean {
    const { places, rules, privateRanges } = this.#init
    const inRange = rules.some(
      (rule) => rule.range !== undefined && hasPort(rule, place.port) && this.#covers(rule.range, address),
    )
    const literal = { host: address.address, port: place.port }
    if (inRange || places.some((allowed) => isSame(allowed, literal))) return true
    const naming = this.#naming(place)
    if (naming === undefined) return false
    if (!this.#isSpecial(address) || contains(blockList(privateRanges), address)) return true
    return naming === 'exact' && isLoopbackByName(place, address)
  }

  /** How the place is written down, its address apart. */
  #naming(place: Place): 'exact' | 'pattern' | undefined {
    const { places, rules } = this.#init
    const hosts = rules.filter((rule) => hasPort(rule, place.port)).map(({ host }) => host)
    if (hosts.includes(place.host) || places.some((allowed) => isSame(allowed, place))) return 'exact'
    return hosts.some((host) => host !== undefined && matchesName(host, place.host)) ? 'pattern' : undefined
  }

  /** A range that is wider than what is special does not mean what is special. */
  #covers(range: Range, address: Address): boolean {
    if (!contains(blockList([range]), address)) return false
    return !this.#isSpecial(address) || meansSpecial(range)
  }

  #isSpecial(address: Address): boolean {
    return isSpecial(address) || this.#init.isOwn(address.address)
  }
}

function isSame(a: Place, b: Place): boolean {
  return a.host === b.host && a.port === b.port
}

/** Whether `port` is one of the rule's. */
export function hasPort({ ports }: Pick<AllowRule, 'ports'>, port: number): boolean {
  return ports.some(({ first, last }) => port >= first && port <= last)
}

/** Whether the `host` of a rule names this one. */
export function matchesName(pattern: string, host: string): boolean {
  if (pattern === '*') return true
  return pattern.startsWith('.')
    ? host.endsWith(pattern) && parseAddress(host) === undefined
    : host === pattern
}

/** `localhost` written down means loopback, and nothing else (RFC 6761, section 6.3). */
function isLoopbackByName({ host }: Place, { address }: Address): boolean {
  return host === LOCALHOST && isLoopback(address)
}

/** Canonical place of what a client wrote; `undefined` for what is none. */
export function placeOf(host: string, port: number): Place | undefined {
  const canonical = parseHost(host)
  return canonical === undefined || port < 1 || port > 65_535 ? undefined : { host: canonical, port }
}

// SPDX-License-Identifier: Apache-2.0
/** The command lines that would lead packets of a source out by its own interface. Never run by us. */
import type { InterfaceAddress, Route } from './ip-json.js'
import type { NetworkFacts } from './network-facts.js'

export interface SuggestedFix {
  readonly lines: readonly string[]
  /** False: the lines hold the word GATEWAY, and whoever runs them has to know the address. */
  readonly isGatewayKnown: boolean
}

/** Stands where a gateway is not known. */
export const UNKNOWN_GATEWAY = 'GATEWAY'
/** Tables that we propose begin here: 253 to 255 have a meaning, and low ones are what people choose. */
const FIRST_TABLE = 101

/** A suggested fix for each of `sources`, with a routing table of its own. */
export function planFixes(
  sources: readonly string[],
  facts: NetworkFacts,
): ReadonlyMap<string, SuggestedFix> {
  const taken = new Set([...facts.routes, ...facts.rules].map(({ table }) => table))
  const fixes = new Map<string, SuggestedFix>()
  for (const source of new Set(sources)) {
    const own = facts.addresses.find(({ address }) => address === source)
    if (own === undefined) continue
    // A rule that lacks its route says which table was meant.
    const existing = facts.rules.find((rule) => rule.source === source && !isBuiltIn(rule.table))?.table
    const table = existing ?? freeTable(taken)
    taken.add(table)
    fixes.set(source, fixOf(own, table, existing !== undefined, facts.routes))
  }
  return fixes
}

function fixOf(
  own: InterfaceAddress,
  table: string,
  hasRule: boolean,
  routes: readonly Route[],
): SuggestedFix {
  const ip = own.address.includes(':') ? 'ip -6' : 'ip'
  const gateway = gatewayOf(own, routes)
  const via = gateway === undefined ? '' : ` via ${gateway}`
  const rule = `${ip} rule add from ${own.address} table ${table}`
  const route = `${ip} route add default${via} dev ${own.device} table ${table}`
  return { lines: hasRule ? [route] : [rule, route], isGatewayKnown: gateway !== UNKNOWN_GATEWAY }
}

/** Everybody's tables: a default route in them would lead others astray. */
function isBuiltIn(table: string | undefined): boolean {
  return table === undefined || ['local', 'main', 'default'].includes(table)
}

/** The next one that is not in use. */
function freeTable(taken: ReadonlySet<string | undefined>): string {
  let table = FIRST_TABLE
  while (taken.has(String(table))) table++
  return String(table)
}

/**
 * Where `own`'s interface leads on: as its default route in any table says, else as any of its routes says, else
 * the only other host of its subnet. `undefined`: none is needed.
 */
function gatewayOf(own: InterfaceAddress, routes: readonly Route[]): string | undefined {
  if (own.isPointToPoint || own.peer !== undefined) return undefined
  const isV6 = own.address.includes(':')
  const through = routes.filter(
    ({ device, gateway }) => device === own.device && gateway?.includes(':') === isV6,
  )
  const best = through.find(({ destination }) => destination === 'default') ?? through[0]
  return best?.gateway ?? onlyNeighbour(own) ?? UNKNOWN_GATEWAY
}

/** The other host of an IPv4 subnet of two: /31 (RFC 3021) or /30. */
function onlyNeighbour({ address, prefixLength }: InterfaceAddress): string | undefined {
  const parts = address.split('.')
  const last = Number(parts.pop())
  if (address.includes(':') || prefixLength < 30 || prefixLength > 31) return undefined
  return [...parts, prefixLength === 31 ? last ^ 1 : last ^ 3].join('.')
}

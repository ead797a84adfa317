// SPDX-License-Identifier: Apache-2.0
/** What `ip -json` prints, as far as routes are judged by it. See ip-address(8), ip-route(8), ip-rule(8). */

/** An address of an interface. */
export interface InterfaceAddress {
  readonly device: string
  readonly address: string
  readonly prefixLength: number
  /** The other end of a link that has only two. */
  readonly peer: string | undefined
  /** A link without a link layer to find gateways on: a tunnel or a modem. */
  readonly isPointToPoint: boolean
}

export interface Route {
  /** `default`, a prefix or an address. */
  readonly destination: string
  readonly gateway: string | undefined
  readonly device: string | undefined
  readonly table: string
}

export interface Rule {
  /** A prefix or an address; `all`. */
  readonly source: string
  readonly table: string | undefined
}

/** How a packet would leave. */
export interface ChosenRoute {
  readonly device: string
  readonly gateway: string | undefined
  /** The source that the system would choose, where it says so. */
  readonly source: string | undefined
  /** The destination is this machine. */
  readonly isLocal: boolean
}

type Json = Readonly<Record<string, unknown>>

/** Of `ip -json address show`. @throws for what is no list of objects in JSON; so do all of these */
export function parseAddresses(text: string): InterfaceAddress[] {
  return parseList(text).flatMap((link) =>
    listOf(link['addr_info']).flatMap((info) => {
      const address = stringOf(info['local'])
      if (address === undefined) return []
      return {
        device: stringOf(link['ifname']) ?? '',
        address,
        prefixLength: Number(info['prefixlen']),
        peer: stringOf(info['address']),
        isPointToPoint: Array.isArray(link['flags']) && link['flags'].includes('POINTOPOINT'),
      }
    }),
  )
}

/** Of `ip -json route show table all`; each hop of a route with several is a route. */
export function parseRoutes(text: string): Route[] {
  return parseList(text).flatMap((route) => {
    const hops = listOf(route['nexthops'])
    return (hops.length === 0 ? [route] : hops).map((hop) => ({
      destination: stringOf(route['dst']) ?? '',
      gateway: stringOf(hop['gateway']),
      device: stringOf(hop['dev']),
      table: stringOf(route['table']) ?? 'main',
    }))
  })
}

/** Of `ip -json rule show`. */
export function parseRules(text: string): Rule[] {
  return parseList(text).map((rule) => ({
    source: stringOf(rule['src']) ?? 'all',
    table: stringOf(rule['table']),
  }))
}

/** Of `ip -json route get`. */
export function parseChosenRoute(text: string): ChosenRoute {
  const [route] = parseList(text)
  const device = stringOf(route?.['dev'])
  if (route === undefined || device === undefined) throw new Error('the ip command named no interface')
  return {
    device,
    gateway: stringOf(route['gateway']),
    source: stringOf(route['prefsrc']),
    isLocal: route['type'] === 'local',
  }
}

function parseList(text: string): Json[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(text.trim() === '' ? '[]' : text)
  } catch (cause) {
    throw new Error('the ip command printed no JSON: install iproute2', { cause })
  }
  return listOf(parsed)
}

/** Objects of a list. `ip` prints empty ones for what it leaves out. */
function listOf(value: unknown): Json[] {
  return Array.isArray(value)
    ? value.filter((item): item is Json => typeof item === 'object' && item !== null)
    : []
}

function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

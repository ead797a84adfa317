// SPDX-License-Identifier: Apache-2.0
/**
 * The shell scripts that make the kernel hand connections to the gateway, and that undo it. They are what `--dry-run` prints and
 * what is run. All that they make has the number of the port in its name, so that it is known whose it is.
 */
import type { HostPort } from '../parse.js'
import { formatHostPort } from '../parse.js'
import { IPV4_NAMES } from '../run/name-table.js'
import type { Address } from '../streams/host.js'
import { isLoopback } from '../streams/host.js'
import type { Range } from '../streams/special-ranges.js'
import { meansSpecial, SPECIAL } from '../streams/special-ranges.js'
import type { MatchRule } from './match-rule.js'

/** Connections that are not to be captured: those of a user or a group, by number or by name. */
export interface Exempt {
  readonly kind: 'skuid' | 'skgid'
  readonly owner: string | number
}

export interface NetScriptInit {
  /** Where the gateway listens, on loopback. */
  readonly port: number
  readonly rules: readonly MatchRule[]
  /** What arrives there is captured. */
  readonly interfaces: readonly string[]
  /** Whether connections of this machine are captured. */
  readonly isLocal: boolean
  /** Of this machine's own connections. */
  readonly exempt: readonly Exempt[]
  /** Where the gateway answers queries of names. */
  readonly dns: readonly HostPort[]
  /** The ends of paths. */
  readonly ends: readonly Address[]
  /** Names the process for which the rules stand. */
  readonly owner: string
}

/** Before the routes of the main table, and those of VPNs. */
const PRIORITY = 90
/** In front of the port: `mp` in ASCII. */
const MARK = 0x6d_70_00_00
const NAMES = `ip daddr ${IPV4_NAMES}`
const FAMILIES = [4, 6] as const
const FAMILY_WORDS = { 4: 'ip', 6: 'ip6' } as const

/** Of nftables. */
function tableOf(port: number): string {
  return `multipath_gateway_${port}`
}

/** The chain whose rules mark the first packet of each flow of UDP, as traces name it. */
export function udpChainOf(port: number): string {
  return `${tableOf(port)} capture_udp`
}

/** Whether a rule is for UDP. */
export function capturesUdp(rules: readonly MatchRule[]): boolean {
  return rules.some(({ protocol }) => protocol === 'udp')
}

/** Sets the rules, in place of those that an earlier process has left. */
export function setScript(init: NetScriptInit): string {
  const { port } = init
  const mark = markOf(port)
  const selector = `fwmark ${mark} lookup ${mark}`
  return `${clearScript(port)}
set -e
ip -4 rule add ${selector} priority ${PRIORITY}
ip -4 route add local default dev lo table ${mark}
if [ -e /proc/net/if_inet6 ]; then
  ip -6 rule add ${selector} priority ${PRIORITY}
  ip -6 route add local default dev lo table ${mark}
fi
nft -f - <<'END'
${tableText(init)}
END
`
}

/** Removes the rules, whether there are any or not. @param owner - only if they are of that process */
export function clearScript(port: number, owner?: string): string {
  const table = `inet ${tableOf(port)}`
  const mark = markOf(port)
  const guard =
    owner === undefined ? '' : `nft list chain ${table} owner_${owner} >/dev/null 2>&1 || exit 0\n`
  return `PATH="$PATH:/usr/sbin:/sbin"
${guard}nft delete table ${table} 2>/dev/null
for family in -4 -6; do
  while ip $family rule del fwmark ${mark} lookup ${mark} 2>/dev/null; do :; done
  ip $family route flush table ${mark} 2>/dev/null
done
:`
}

/** It is the number of the routing table as well, which the port alone is not: others use such numbers, and 254 is the main table. */
function markOf(port: number): string {
  return `0x${(MARK + port).toString(16)}`
}

function tableText(init: NetScriptInit): string {
  const { owner, port, isLocal } = init
  const sets = FAMILIES.map((family) => specialSet(family))
  const chains = [
    chain(`owner_${owner}`, []),
    ...arriving(init),
    ...(isLocal ? [leaving(init)] : []),
    ...dnsChains(init),
    ...udpChains(init),
  ]
  return `table inet ${tableOf(port)} {\n${[...sets, ...chains].join('\n')}\n}`
}

/** What comes from an interface. Without a listener, `tproxy` does nothing, and a connection goes its usual way. */
function arriving(init: NetScriptInit): string[] {
  const { port, interfaces, isLocal } = init
  const mark = markOf(port)
  return [
    chain('arriving', [
      'type filter hook prerouting priority mangle',
      ...(isLocal ? [`iifname "lo" meta mark ${mark} goto caught`] : []),
      ...interfaces.map((name) => `iifname "${name}" goto capture`),
    ]),
    chain('capture', [
      'meta l4proto tcp jump capture_tcp',
      `${NAMES} meta l4proto tcp reject with tcp reset`,
      ...(matches(init, 'udp').includes(NAMES) ? ['meta l4proto udp return'] : []),
      `${NAMES} reject`,
    ]),
    chain('capture_tcp', [
      // Of a connection that was captured before.
      `socket transparent 1 meta mark set ${mark} accept`,
      // One that was there before goes on as it is.
      'tcp flags & (fin | syn | rst | ack) != syn return',
      ...exceptions(init),
      ...matches(init).map((match) => `${match} goto caught`),
    ]),
    chain('caught', [
      `meta nfproto ipv4 meta l4proto tcp tproxy ip to 127.0.0.1:${port} meta mark set ${mark} accept`,
      `meta nfproto ipv6 meta l4proto tcp tproxy ip6 to [::1]:${port} meta mark set ${mark} accept`,
    ]),
  ]
}

/** What programs of this machine send; what is marked arrives at loopback. */
function leaving(init: NetScriptInit): string {
  const mark = markOf(init.port)
  return chain('leaving', [
    'type route hook output priority mangle',
    'meta l4proto != tcp return',
    ...ownPackets(init),
    // An answer within a captured connection.
    'fib saddr type != local return',
    ...exceptions(init),
    ...matches(init).map((match) => `${match} meta mark set ${mark} return`),
  ])
}

function ownPackets({ exempt }: NetScriptInit): string[] {
  return exempt.map(({ kind, owner }) => `meta ${kind} ${owner} return`)
}

/** This machine itself, and the ends of paths, lest a path lead through itself. */
function exceptions({ ends }: NetScriptInit): string[] {
  const ofFamily = FAMILIES.flatMap((family) => {
    const addresses = new Set(ends.filter((end) => end.family === family).map(({ address }) => address))
    return addresses.size === 0
      ? []
      : [`${FAMILY_WORDS[family]} daddr { ${[...addresses].join(', ')} } return`]
  })
  return ['fib daddr type { local, broadcast, multicast, anycast } return', ...ofFamily]
}

function matches({ rules }: NetScriptInit, protocol?: 'udp'): string[] {
  const own = rules.filter((rule) => rule.protocol === protocol)
  const hasNames = protocol === undefined || own.some(({ host }) => host !== undefined)
  return [...new Set([...(hasNames ? [NAMES] : []), ...own.flatMap(matchesOf)])]
}

/**
 * UDP is led to the port at an address of this machine, and the kernel changes the answers back. Only the first packet of a flow comes to
 * these rules: a trace tells of it as it was. What was not led there is not for the port.
 */
function udpChains(init: NetScriptInit): string[] {
  const { port, interfaces, rules } = init
  if (!capturesUdp(rules)) return []
  return [
    chain('arriving_udp', [
      // After queries of names.
      'type nat hook prerouting priority dstnat + 1',
      ...interfaces.map((name) => `iifname "${name}" meta l4proto udp goto capture_udp`),
    ]),
    chain('capture_udp', [
      ...exceptions(init),
      ...matches(init, 'udp').map(
        (match) => `${match} meta l4proto udp meta nftrace set 1 redirect to :${port}`,
      ),
    ]),
    chain('udp_port', [
      'type filter hook input priority filter - 1',
      `udp dport ${port} ct status & dnat != dnat drop`,
    ]),
  ]
}

/** A name has an address of IPV4_NAMES; `*` is every address as well. */
function matchesOf({ host, range, ports, protocol }: MatchRule): string[] {
  const port = `${protocol ?? 'tcp'} ${portsText(ports)}`
  if (range !== undefined) {
    const special = meansSpecial(range) ? '' : `${notSpecial(range.family)} `
    return [`${FAMILY_WORDS[range.family]} daddr ${rangeText(range)} ${special}${port}`]
  }
  return host === '*' ? FAMILIES.map((family) => `${notSpecial(family)} ${port}`) : []
}

function portsText(ports: MatchRule['ports']): string {
  const texts = ports.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
  return `dport { ${texts.join(', ')} }`
}

function rangeText({ address, prefix }: Range): string {
  return `${address}/${prefix}`
}

function notSpecial(family: 4 | 6): string {
  return `${FAMILY_WORDS[family]} daddr != @special${family}`
}

function specialSet(family: 4 | 6): string {
  const ranges = SPECIAL.filter((range) => range.family === family).map(rangeText)
  return `  set special${family} {
    type ipv${family}_addr
    flags interval
    auto-merge
    elements = { ${ranges.join(', ')} }
  }`
}

/** Queries of names, whatever server they are for. */
function dnsChains(init: NetScriptInit): string[] {
  const { dns, interfaces, isLocal } = init
  if (dns.length === 0) return []
  const redirect = (from: string, { host, port }: HostPort): string => {
    const family = host.includes(':') ? 6 : 4
    return `meta nfproto ipv${family} ${from}udp dport 53 dnat ${FAMILY_WORDS[family]} to ${formatHostPort({ host, port })}`
  }
  const outside = dns.filter(({ host }) => !isLoopback(host))
  const arrivingQueries = interfaces.flatMap((name) =>
    outside.map((place) => redirect(`iifname "${name}" `, place)),
  )
  return [
    chain('queries', ['type nat hook prerouting priority dstnat', ...arrivingQueries]),
    ...(isLocal
      ? [
          chain('own_queries', [
            'type nat hook output priority -100',
            ...ownPackets(init),
            ...dns.map((place) => redirect('', place)),
          ]),
        ]
      : []),
  ]
}

function chain(name: string, lines: readonly string[]): string {
  return [`  chain ${name} {`, ...lines.map((line) => `    ${line}`), '  }'].join('\n')
}

// SPDX-License-Identifier: Apache-2.0
/** Whom a limit of one address is for. */
import { isIPv6 } from 'node:net'
import { ipv6Groups } from '../transport/ipv6.js'

/** Of an IPv6 address, in 16-bit groups: one host has as many addresses in its network as it likes (RFC 4291, 2.5.1). */
const NETWORK_GROUPS = 4

/** What stands before an IPv4 address: mapped (RFC 4291, 2.5.5.2), and behind a translator (RFC 6052, 2.1). */
const BEFORE_IPV4 = new Set(['0:0:0:0:0:ffff', '64:ff9b:0:0:0:0'])

/** The address where it is IPv4, in whatever form, and the network of 64 bits where it is IPv6. */
export function sourceNetwork(address: string | undefined): string | undefined {
  if (address === undefined || !isIPv6(address)) return address
  const [bare = ''] = address.split('%')
  const groups = ipv6Groups(bare)
  if (BEFORE_IPV4.has(groups.slice(0, 6).join(':'))) return ipv4Of(groups.slice(6))
  return `${groups.slice(0, NETWORK_GROUPS).join(':')}::/64`
}

function ipv4Of(groups: readonly string[]): string {
  const numbers = groups.map((group) => Number.parseInt(group, 16))
  return numbers.flatMap((number) => [number >> 8, number & 255]).join('.')
}

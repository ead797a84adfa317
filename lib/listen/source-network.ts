// SPDX-License-Identifier: Apache-2.0
/** Whom a limit of one address is for. */
import { isIPv6 } from 'node:net'
import { ipv6Groups } from '../transport/ipv6.js'

/** Of an IPv6 address, in 16-bit groups: one host has as many addresses in its network as it likes (RFC 4291, 2.5.1). */
const NETWORK_GROUPS = 4

/** The address where it is IPv4, written either way, and the network of 64 bits where it is IPv6. */
export function sourceNetwork(address: string | undefined): string | undefined {
  if (address === undefined || !isIPv6(address)) return address
  const [bare = ''] = address.split('%')
  const mapped = /^::ffff:([\d.]+)$/i.exec(bare)?.[1]
  return mapped ?? `${ipv6Groups(bare).slice(0, NETWORK_GROUPS).join(':')}::/64`
}

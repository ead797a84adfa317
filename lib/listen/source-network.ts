/** Whom a limit of one address is for. */
import { isIPv6 } from 'node:net'

/** Of an IPv6 address, in 16-bit groups: one host has as many addresses in its network as it likes (RFC 4291, 2.5.1). */
const NETWORK_GROUPS = 4
const GROUPS = 8

/** The address where it is IPv4, written either way, and the network of 64 bits where it is IPv6. */
export function sourceNetwork(address: string | undefined): string | undefined {
  if (address === undefined || !isIPv6(address)) return address
  const [bare = ''] = address.toLowerCase().split('%')
  const mapped = /^::ffff:([\d.]+)$/.exec(bare)?.[1]
  if (mapped !== undefined) return mapped
  const [head = [], tail] = bare.split('::').map((part) => (part === '' ? [] : part.split(':')))
  const zeros = tail === undefined ? 0 : GROUPS - head.length - tail.length
  const groups = [...head, ...Array<string>(Math.max(0, zeros)).fill('0'), ...(tail ?? [])]
  const network = groups.slice(0, NETWORK_GROUPS).map((group) => Number.parseInt(group, 16).toString(16))
  return `${network.join(':')}::/64`
}

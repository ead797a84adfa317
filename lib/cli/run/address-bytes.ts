// SPDX-License-Identifier: Apache-2.0
/** Addresses as bytes, for what is not text: the tables of the kernel, and records of DNS. */
import { ipv6Groups } from '../../transport/ipv6.js'
import { parseAddress } from '../streams/host.js'

/** 4 bytes, or 16; those of an IPv4 address that is mapped into IPv6 are 4. `undefined` for what is no address. */
export function addressBytes(text: string): number[] | undefined {
  const parsed = parseAddress(text)
  if (parsed === undefined) return undefined
  if (parsed.family === 4) return parsed.address.split('.').map(Number)
  const groups = ipv6Groups(parsed.address).map((group) => Number.parseInt(group, 16))
  return groups.flatMap((group) => [group >> 8, group & 0xff])
}

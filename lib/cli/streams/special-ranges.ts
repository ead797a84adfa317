// SPDX-License-Identifier: Apache-2.0
/**
 * Addresses that lead into a network instead of to the internet: private, loopback, link-local and their kin. From the
 * registries of special-purpose addresses of the IANA (RFC 6890, with its updates).
 */
import { BlockList } from 'node:net'
import type { Address } from './host.js'

/** Addresses that begin with the same `prefix` bits. */
export interface Range extends Address {
  readonly prefix: number
}

const IPV4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24'],
  ...['203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
]
/** With ::/96, 2002::/16 and 2001::/23, which carry IPv4 addresses of any kind. */
const IPV6 = [
  ...['::/96', '64:ff9b:1::/48', '100::/64', '2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'],
  ...['5f00::/16', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
]
/** Behind it stands an IPv4 address that a translator leads to (RFC 6052, section 2.1). */
const TRANSLATED = '64:ff9b::'

/** All of them. */
export const SPECIAL: readonly Range[] = [
  ...IPV4.map((text) => rangeOf(text, 4)),
  ...IPV6.map((text) => rangeOf(text, 6)),
]
const ALL: BlockList = blockList(SPECIAL)

/** Whether a name or a general rule may not lead to `address`. */
export function isSpecial(address: Address): boolean {
  return contains(ALL, address) || isTranslatedSpecial(address)
}

/** Whether all of `range` lies within one special range. */
function isWithinSpecial(range: Range): boolean {
  return SPECIAL.some(
    (special) =>
      special.family === range.family &&
      special.prefix <= range.prefix &&
      contains(blockList([special]), range),
  )
}

/** Whether whoever writes down `range` means special addresses too: a wider one does not. */
export function meansSpecial(range: Range): boolean {
  return isWithinSpecial(range) || range.prefix === (range.family === 4 ? 32 : 128)
}

export function blockList(ranges: readonly Range[]): BlockList {
  const list = new BlockList()
  for (const { address, prefix, family } of ranges) list.addSubnet(address, prefix, `ipv${family}`)
  return list
}

export function contains(list: BlockList, { address, family }: Address): boolean {
  return list.check(address, `ipv${family}`)
}

function isTranslatedSpecial({ address, family }: Address): boolean {
  if (family !== 6 || !address.startsWith(TRANSLATED)) return false
  const groups = address.slice(TRANSLATED.length).split(':')
  if (groups.length > 2 || groups.includes('')) return true // Not of the form that carries an address.
  const bits = Number.parseInt(groups.map((group) => group.padStart(4, '0')).join(''), 16)
  const octets = [bits >>> 24, (bits >>> 16) & 255, (bits >>> 8) & 255, bits & 255]
  return contains(ALL, { address: octets.join('.'), family: 4 })
}

function rangeOf(text: string, family: 4 | 6): Range {
  const [address, prefix] = text.split('/')
  return { address: address!, prefix: Number(prefix), family }
}

// SPDX-License-Identifier: Apache-2.0
/** Names and addresses in the one form that rules compare. */
import { isIP, SocketAddress } from 'node:net'

/** An address in its shortest form; one that maps IPv4 into IPv6 is IPv4. */
export interface Address {
  readonly address: string
  readonly family: 4 | 6
}

/** Limits of a name (RFC 1035, section 2.3.4). */
const MAX_NAME_LENGTH = 253
/** Letters, digits and hyphens, and the underscore that some networks use. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
const MAPPED = '::ffff:'

/** `undefined` for what is no address, or one with a zone: it means something on one machine alone. */
export function parseAddress(text: string): Address | undefined {
  const family = isIP(text)
  if (family === 0 || text.includes('%')) return undefined
  if (family === 4) return { address: text, family }
  const { address } = new SocketAddress({ address: text, family: 'ipv6' })
  const mapped = address.startsWith(MAPPED) ? address.slice(MAPPED.length) : ''
  return isIP(mapped) === 4 ? { address: mapped, family: 4 } : { address, family: 6 }
}

/** A name in lower case without the dot of its root; `undefined` for what is none. */
export function parseName(text: string): string | undefined {
  const name = text.toLowerCase().replace(/\.$/, '')
  if (name.length > MAX_NAME_LENGTH || !name.split('.').every((label) => LABEL.test(label))) return undefined
  return name
}

/** An address or a name; `undefined` for what is neither. */
export function parseHost(text: string): string | undefined {
  return parseAddress(text)?.address ?? (isIP(text) === 0 ? parseName(text) : undefined)
}

/** Of an address: 127.0.0.0/8 and ::1. */
export function isLoopback(address: string): boolean {
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'))
}

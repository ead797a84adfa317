// SPDX-License-Identifier: Apache-2.0
/** Addresses as bytes, for what is not text: the tables of the kernel, and records of DNS. */
import { parseAddress } from '../streams/host.js'

const IPV6_GROUPS = 8

/** 4 bytes, or 16; those of an IPv4 address that is mapped into IPv6 are 4. `undefined` for what is no address. */
export function addressBytes(text: string): number[] | undefined {
  const parsed = parseAddress(text)
  if (parsed === undefined) return undefined
  if (parsed.family === 4) return parsed.address.split('.').map(Number)
  const [head = [], tail = []] = parsed.address.split('::').map(groupsOf)
  const gap = Array.from({ length: IPV6_GROUPS - head.length - tail.length }, () => 0)
  return [...head, ...gap, ...tail].flatMap((group) => [group >> 8, group & 0xff])
}

/** Of one side of `::`; the last two groups may be written as an IPv4 address. */
function groupsOf(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a, b, c, d] = group.split('.').map(Number)
    return [a! * 256 + b!, c! * 256 + d!]
  })
}

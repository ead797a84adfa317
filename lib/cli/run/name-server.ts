// SPDX-License-Identifier: Apache-2.0
/** The name server of the namespace: it answers at once, whatever is up outside. */
import { boundSocket, onPacket, sendPacket } from '../udp/bound-socket.js'
import type { Found } from './dns-message.js'
import { answerQuery } from './dns-message.js'
import type { NameTable } from './name-table.js'

const PORT = 53
const LOCALHOST: Found = {
  ipv4: [127, 0, 0, 1],
  ipv6: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
}

/** Over IPv6 as well where there is any. Rejects with the error of the system. */
export async function serveNames(names: NameTable): Promise<void> {
  const hasIPv6 = await listen('udp6', '::1', (name) => lookupName(name, names, true)).then(
    () => true,
    () => false,
  )
  await listen('udp4', '127.0.0.1', (name) => lookupName(name, names, hasIPv6))
}

async function listen(
  type: 'udp4' | 'udp6',
  address: string,
  lookup: (name: string) => Found | undefined,
): Promise<void> {
  const socket = await boundSocket({ type }, PORT, address)
  onPacket(socket, (query, client) => {
    const answer = answerQuery(query, lookup)
    if (answer !== undefined) sendPacket(socket, answer, client)
  })
}

/** `localhost` is the namespace itself (RFC 6761, section 6.3); names of addresses are no names of hosts. */
export function lookupName(name: string, names: NameTable, hasIPv6: boolean): Found | undefined {
  if (isBelow(name, 'arpa')) return undefined
  const { ipv4, ipv6 } = isBelow(name, 'localhost') ? LOCALHOST : names.addressesOf(name)
  return hasIPv6 ? { ipv4, ipv6 } : { ipv4 }
}

function isBelow(name: string, top: string): boolean {
  return name === top || name.endsWith(`.${top}`)
}

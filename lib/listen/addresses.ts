// SPDX-License-Identifier: Apache-2.0
/** The addresses of a stream: asked once, when it comes, and kept. A socket that is reset forgets its own. */
import type { Server } from 'node:net'
import { isIPv6 } from 'node:net'
import { debug } from '../debug.js'
import type { IncomingStream, SocketSource } from '../transport/transport.js'
import { discard } from '../ignore.js'
import type { ProxiedAddresses } from './proxy-header.js'

const NAMES = [
  ...(['remoteAddress', 'remotePort', 'remoteFamily'] as const),
  ...(['localAddress', 'localPort', 'localFamily'] as const),
]

/**
 * Makes the addresses that `stream` has now its own for good.
 *
 * @returns whether it may come in: without an address of its peer a stream must be one that has none, as of a Unix
 *   socket. Any other was reset before it was accepted, and whose it was can no longer be told.
 */
export function keepAddresses(stream: IncomingStream, server: SocketSource): boolean {
  const found = stream as Partial<Record<(typeof NAMES)[number], string | number>>
  const addresses = Object.fromEntries(NAMES.map((name) => [name, found[name]]))
  const { remoteAddress, localAddress } = addresses
  if (remoteAddress === undefined) return localAddress === undefined && !hasAddress(server)
  define(stream, addresses)
  return true
}

/** Both ends of a stream: what tells it from all others that live. */
export function endsOf({ localAddress, localPort, remoteAddress, remotePort }: IncomingStream): string {
  // V8 keeps a template as a tree of its parts, and what is joined as one string: each subflow has one for its life.
  return [localAddress, ':', localPort, '|', remoteAddress, ':', remotePort].join('')
}

/** Closes a stream that its peer has reset already. It does not count as refused, and what it has said stays unread. */
export function dropReset(stream: IncomingStream): void {
  debug('a stream was reset before it was accepted')
  discard(stream)
}

/** Gives `stream` the addresses that a balancer, or another worker, has named. */
export function giveAddresses(stream: IncomingStream, addresses: Partial<ProxiedAddresses>): void {
  define(stream, addresses)
  const { remoteAddress, localAddress } = addresses
  if (remoteAddress === undefined || localAddress === undefined) return
  define(stream, { remoteFamily: familyOf(remoteAddress), localFamily: familyOf(localAddress) })
}

/**
 * The values of a socket are getters of its class: its own properties go before them, for us and for everyone who
 * looks at the stream. Both ends, since two clients behind two balancers may share one of them.
 */
function define(stream: IncomingStream, values: object): void {
  for (const [name, value] of Object.entries(values))
    Object.defineProperty(stream, name, { value: value as unknown, configurable: true, enumerable: true })
}

function familyOf(address: string): string {
  return isIPv6(address) ? 'IPv6' : 'IPv4'
}

/** Whether the server listens on an address, and not on a Unix socket, or nowhere. */
function hasAddress(server: SocketSource): boolean {
  const address = (server as Partial<Server>).address?.()
  return typeof address === 'object' && address !== null
}

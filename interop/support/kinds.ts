// SPDX-License-Identifier: Apache-2.0
/** What carries a path between Node and Go; go/transports.go is the other end. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import {
  tcpDialer,
  tlsDialer,
  webSocketDialer,
  webSocketServer,
  type PathOptions,
  type SubflowDialer,
  type SubflowServer,
} from '../../lib/index.js'
import { CERTIFICATE } from '../../spec/support/certificate.js'

const HOST = '127.0.0.1'

export type Kind = 'tcp' | 'tls' | 'ws'

/** So many paths, by kinds that are used in turn. */
export function kindsOf(kinds: readonly Kind[], count: number): Kind[] {
  return Array.from({ length: count }, (_, i) => kinds[i % kinds.length]!)
}

/** A listening server of Node, and its address. */
export async function serverOf(kind: Kind): Promise<{ server: SubflowServer; addr: string }> {
  if (kind === 'ws') {
    const server = await webSocketServer({ port: 0, host: HOST })
    return { server, addr: addressOf(server.address() as AddressInfo) }
  }
  const server: Server =
    kind === 'tcp' ? createServer() : createTlsServer({ ...CERTIFICATE, ALPNProtocols: ['multipath/0'] })
  await once(server.listen(0, HOST), 'listening')
  return { server, addr: addressOf(server.address() as AddressInfo) }
}

/** A path of Node to a server of Go. */
export function pathOf(kind: Kind, addr: string, options: PathOptions): SubflowDialer {
  const to = { ...options, host: HOST, port: Number(addr.split(':')[1]) }
  if (kind === 'tcp') return tcpDialer(to)
  if (kind === 'tls') return tlsDialer({ ...to, servername: 'localhost', ca: CERTIFICATE.cert })
  return webSocketDialer({ ...options, url: `ws://${addr}/` })
}

function addressOf({ address, port }: AddressInfo): string {
  return `${address}:${port}`
}

// SPDX-License-Identifier: Apache-2.0
/** Every transport on loopback, for specs that hold for all of them. */
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer } from 'node:tls'
import { onTestFinished } from 'vitest'
import type { SubflowDialer, SubflowServer } from '../../lib/index.js'
import {
  proxyDialer,
  tcpDialer,
  tlsDialer,
  unixDialer,
  webSocketDialer,
  webSocketServer,
} from '../../lib/index.js'
import { CERTIFICATE } from './certificate.js'
import { httpProxy, socks5Proxy } from './proxies.js'
import { listening, portOf } from './tcp.js'

const HOST = '127.0.0.1'

export interface Transport {
  readonly name: string
  /** A server and a way to it; closed when the spec is over. */
  open(): Promise<{ server: SubflowServer; dialer: SubflowDialer }>
  /** The same dialer to a server that accepts and says nothing. */
  mute(): Promise<{ server: Server; dialer: SubflowDialer }>
  /** Whether the other side has to say something before a stream is open. */
  readonly isShaking: boolean
  /** What a dial says where nobody listens. */
  readonly refusal: RegExp
}

/** A server on a Unix socket of its own. */
async function onUnixSocket(): Promise<{ server: Server; path: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'multipath-'))
  const path = join(folder, 'socket')
  const server = createServer().listen(path)
  await once(server, 'listening')
  onTestFinished(() => {
    if (server.listening) server.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return { server, path }
}

/** A transport over TCP: what listens, and how a port is dialled. */
function overTcp(
  name: string,
  serve: () => Promise<{ server: SubflowServer; port: number }>,
  dialerTo: (port: number) => SubflowDialer | Promise<SubflowDialer>,
  isShaking: boolean,
): Transport {
  return {
    name,
    isShaking,
    refusal: /ECONNREFUSED/,
    open: async () => {
      const { server, port } = await serve()
      return { server, dialer: await dialerTo(port) }
    },
    mute: async () => {
      const server = await listening()
      return { server, dialer: await dialerTo(portOf(server)) }
    },
  }
}

async function tcpServer(): Promise<{ server: Server; port: number }> {
  const server = await listening()
  return { server, port: portOf(server) }
}

async function tlsServer(): Promise<{ server: Server; port: number }> {
  const server = await listening(createTlsServer({ ...CERTIFICATE, ALPNProtocols: ['multipath/0'] }))
  return { server, port: portOf(server) }
}

async function wsServer(): Promise<{ server: SubflowServer; port: number }> {
  const server = await webSocketServer({ port: 0, host: HOST, path: '/multipath' })
  onTestFinished(() => {
    server.close()
  })
  return { server, port: (server.address() as { port: number }).port }
}

/** A proxy in front of a TCP server; `mute` is a proxy that says nothing. */
function overProxy(name: string, protocol: string, proxy: () => Promise<{ port: number }>): Transport {
  const dialerTo = (port: number, target: number): SubflowDialer =>
    proxyDialer({ proxy: `${protocol}://${HOST}:${port}`, host: 'localhost', port: target })
  return {
    ...overTcp(name, tcpServer, (port) => dialerTo(port, 7), true),
    refusal: /^the proxy answered with (code 5: connection refused|status 502 Bad Gateway)$/,
    open: async () => {
      const { server, port } = await tcpServer()
      return { server, dialer: dialerTo((await proxy()).port, port) }
    },
  }
}

export const TRANSPORTS: readonly Transport[] = [
  overTcp('TCP', tcpServer, (port) => tcpDialer({ host: HOST, port }), false),
  overTcp(
    'TLS',
    tlsServer,
    (port) => tlsDialer({ host: HOST, port, servername: 'localhost', ca: CERTIFICATE.cert }),
    true,
  ),
  {
    name: 'a Unix socket',
    isShaking: false,
    refusal: /ENOENT|ECONNREFUSED/,
    open: async () => {
      const { server, path } = await onUnixSocket()
      return { server, dialer: unixDialer({ path }) }
    },
    mute: async () => {
      const { server, path } = await onUnixSocket()
      return { server, dialer: unixDialer({ path }) }
    },
  },
  overTcp(
    'a WebSocket',
    wsServer,
    (port) => webSocketDialer({ url: `ws://${HOST}:${port}/multipath` }),
    true,
  ),
  overProxy('a SOCKS5 proxy', 'socks5', () => socks5Proxy()),
  overProxy('an HTTP proxy', 'http', () => httpProxy()),
]

/** The next stream that `server` brings. */
export async function nextStream(server: SubflowServer): Promise<Duplex> {
  const event = 'setSecureContext' in server ? 'secureConnection' : 'connection'
  return new Promise((resolve) => {
    const serverOnStream = (stream: Duplex): void => {
      server.off(event as 'connection', serverOnStream)
      stream.on('error', () => {})
      onTestFinished(() => {
        stream.destroy()
      })
      resolve(stream)
    }
    server.on(event as 'connection', serverOnStream)
  })
}

/** Both ends of a stream over `transport`. */
export async function streamsOver(transport: Transport): Promise<{ near: Duplex; far: Duplex }> {
  const { server, dialer } = await transport.open()
  const accepted = nextStream(server)
  const near = await dialer.dial({ signal: new AbortController().signal })
  onTestFinished(() => {
    near.on('error', () => {}).destroy()
  })
  return { near, far: await accepted }
}

// SPDX-License-Identifier: Apache-2.0
/**
 * Preloaded into each of Node's own tests (`node --require`): `net`, and what http, https, tls and http2 take of it, is
 * replaced by the transport that `NODE_TESTS_OVER` names.
 */
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import tls from 'node:tls'
import type { Duplex } from 'node:stream'
import { serverClass } from './server.js'
import { socketClass } from './socket.js'
import { isCalledBy, real } from './real-net.js'
import { facade } from './facade.js'
import { plainDuplex } from './plain-duplex.js'
import type { Transport } from './transport.js'

const TRANSPORTS: Record<string, () => Transport> = { facade, duplex: plainDuplex }

type Constructor = abstract new (...args: never[]) => object

const create = TRANSPORTS[process.env['NODE_TESTS_OVER'] ?? '']
if (create !== undefined) install(create())

function install(transport: Transport): void {
  const Server = serverClass(transport)
  const Socket = socketClass(transport)
  const connect = (...args: unknown[]): Duplex => transport.connect(...args)
  const createServer = (options?: unknown, listener?: unknown): object => {
    // The primary of a cluster shares a handle with its workers.
    if (isCalledBy('node:internal/cluster')) return real.createServer(options as object)
    return new Server(options, listener)
  }

  replace(net, { Server, Socket, Stream: Socket, connect, createConnection: connect, createServer })
  replace(http.Agent.prototype, { createConnection: connect })
  inherit(http.Server, Server)
  inherit(tls.Server, Server)
  inherit(http2.createServer().constructor as Constructor, Server)
  replace(tls, { connect: tlsConnectOver(connect) })
}

/** tls.connect takes a socket of its own from inside Node; ours is given to it instead. */
function tlsConnectOver(connect: (...args: unknown[]) => Duplex): typeof tls.connect {
  const original = tls.connect as (...args: unknown[]) => tls.TLSSocket
  return (...args: unknown[]): tls.TLSSocket => {
    const [options, listener] = tlsArguments(args)
    if (options['socket'] !== undefined) return original(...args)
    const socket = connect({ ...options })
    try {
      const secure = original({ ...options, socket }, listener)
      socket.once('connect', () => secure.emit('connect'))
      return secure
    } catch (error) {
      socket.destroy()
      throw error
    }
  }
}

/** (options, listener), (port, host, options, listener): as tls.connect reads them. */
function tlsArguments(args: unknown[]): [Record<string, unknown>, unknown] {
  const [options, listener] = (
    net as unknown as { _normalizeArgs: (args: unknown[]) => [object, unknown] }
  )._normalizeArgs(args)
  const extra = [args[1], args[2]].find((value) => typeof value === 'object' && value !== null)
  return [{ ...options, ...extra }, listener ?? undefined]
}

function replace(target: object, values: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: true })
  }
}

/** Both chains: http and tls call `net.Server` as a function, http2 as the class it extends. */
function inherit(child: Constructor, parent: { prototype: object }): void {
  Object.setPrototypeOf(child, parent)
  Object.setPrototypeOf(child.prototype as object, parent.prototype)
}

// SPDX-License-Identifier: Apache-2.0
/** What undici, and with it `fetch`, connects by. */
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { connect as connectTls } from 'node:tls'
import { MultipathError } from '../errors.js'
import type { MultipathSocket } from '../net.js'
import type { HttpConnectOptions } from './target.js'
import { checked, open, tied } from './target.js'

/** The fields that matter of what undici gives to its `connect` function. */
export interface UndiciConnectOptions {
  /** `https:`, or another one. */
  readonly protocol: string
  /** Of the URL. */
  readonly hostname: string
  /** Of the URL; empty for that of the protocol. */
  readonly port?: string | undefined
  /** Name that the certificate must be for; default: `hostname`. */
  readonly servername?: string | undefined | null
}

/** For TLS over a connection, milliseconds: as long as undici gives its own. */
const TLS_MS = 10_000

/** Told once the connection is established, or has failed. */
export type UndiciCallback = (...args: [error: null, socket: Duplex] | [error: Error, socket: null]) => void

/**
 * The `connect` option of undici's `Agent`, `Pool` and `Client`, for `fetch` and undici's own functions.
 *
 * @param connect - paths and other options of each connection, or a function that gives them for a target
 * @param tls - of URLs with `https:`, such as `ca`, and `servername` where the certificate is not for the host of the URL
 * @throws {OptionError} ERR_MULTIPATH_OPTION without paths
 */
export function undiciConnect(
  connect: HttpConnectOptions,
  tls: ConnectionOptions = {},
): (options: UndiciConnectOptions, callback: UndiciCallback) => void {
  checked(connect)
  return ({ protocol, hostname, port, servername }, callback) => {
    const isTls = protocol === 'https:'
    const target = { host: hostname, port: Number(port || (isTls ? 443 : 80)) }
    const conn = open(connect, target, isTls ? { allowHalfOpen: true } : {})
    const secured = isTls
      ? secure(conn, { ...tls, host: hostname, ...named(servername || tls.servername || hostname) })
      : undefined
    const socket: Duplex = secured ?? conn
    const onError = (error: Error): void => {
      callback(error, null)
    }
    socket.once('error', onError)
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      socket.off('error', onError)
      callback(null, socket)
    })
  }
}

/** Addresses are no names for SNI (RFC 6066, section 3). */
function named(name: string): Pick<ConnectionOptions, 'servername'> {
  return isIP(name) === 0 ? { servername: name } : {}
}

function secure(conn: MultipathSocket, options: ConnectionOptions): TLSSocket {
  const socket = tied(connectTls({ ALPNProtocols: ['http/1.1'], ...options, socket: conn }), conn)
  conn.once('connect', () => limitHandshake(socket))
  return socket
}

/** A server may never answer: the paths alone have limits of their own. */
function limitHandshake(socket: TLSSocket): void {
  const timer = setTimeout(() => {
    const message = `TLS was not established within ${TLS_MS} ms`
    socket.destroy(new MultipathError('ERR_MULTIPATH_HANDSHAKE_TIMEOUT', message))
  }, TLS_MS)
  for (const event of ['secureConnect', 'close']) socket.once(event, () => clearTimeout(timer))
}

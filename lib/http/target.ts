// SPDX-License-Identifier: Apache-2.0
/** From what an HTTP client asks for to the connection that it gets. */
import type { RequestOptions } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { OptionError } from '../errors.js'
import type { ConnectOptions } from '../net.js'
import { connect, type MultipathSocket } from '../net.js'

/** Where a request goes. */
export interface HttpTarget {
  /** Name or address of the URL. */
  readonly host: string
  /** Port of the URL, or that of its scheme. */
  readonly port: number
}

/**
 * How an agent connects: the options of {@link connect}, whose `paths` reach the same server for every URL, or a function
 * that gives them for the host and port of a URL.
 */
export type HttpConnectOptions = ConnectOptions | ((target: HttpTarget) => ConnectOptions)

/** @throws {OptionError} ERR_MULTIPATH_OPTION if they cannot be what an agent needs */
export function checked(options: HttpConnectOptions): HttpConnectOptions {
  const isUsable =
    typeof options === 'function' || (typeof options === 'object' && 'paths' in Object(options))
  if (!isUsable) throw new OptionError('an agent needs options with paths, or a function that gives them')
  return options
}

/** A connection to the server of a request; it dials at once. */
export function open(
  options: HttpConnectOptions,
  target: HttpTarget,
  more: Pick<ConnectOptions, 'allowHalfOpen'> = {},
): ReturnType<typeof connect> {
  return connect({ ...more, ...(typeof options === 'function' ? options(target) : options) })
}

/** Target of a request as Node's own agents describe it. */
export function targetOf({ host, port }: RequestOptions, defaultPort: number): HttpTarget {
  return { host: host ?? 'localhost', port: Number(port ?? defaultPort) }
}

/** TLS over `conn` keeps the process up no longer than `conn` does: Node passes that on to sockets of its own alone. */
export function tied(tls: TLSSocket, conn: MultipathSocket): TLSSocket {
  const ref = tls.ref.bind(tls)
  const unref = tls.unref.bind(tls)
  return Object.assign(tls, {
    ref: () => {
      conn.ref()
      return ref()
    },
    unref: () => {
      conn.unref()
      return unref()
    },
  })
}

/** The option `timeout` of an agent. Node leaves it to whoever connects. */
export function timed<Stream extends MultipathSocket | TLSSocket>(
  socket: Stream,
  timeout: number | undefined,
): Stream {
  if (timeout) socket.setTimeout(timeout)
  return socket
}

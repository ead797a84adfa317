// SPDX-License-Identifier: Apache-2.0
/** From what an HTTP client asks for to the connection that it gets. */
import type { RequestOptions } from 'node:https'
import { OptionError } from '../errors.js'
import type { ConnectOptions } from '../net.js'
import { connect } from '../net.js'

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

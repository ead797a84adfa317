// SPDX-License-Identifier: Apache-2.0
/** The facade in the shape of node:net: connect(). Its createServer() is listen/multipath-server.ts. */
import { callForeign } from './stream/foreign.js'
import type { MultipathConn } from './conn/multipath-conn.js'
import type { DialerOptions } from './dial/options.js'
import { MultipathDialer } from './dial/multipath-dialer.js'
import { OptionError, toError } from './errors.js'
import type { PathSource } from './transport/path-source.js'
import type { TcpDialerOptions } from './transport/tcp.js'
import { tcpDialer } from './transport/tcp.js'
import type { SubflowDialer } from './transport/transport.js'

export interface ConnectOptions extends DialerOptions {
  /** One for each path: options of `net.connect`, or a dialer of any kind; or a source of paths, as `interfacePaths`. */
  readonly paths: readonly (TcpDialerOptions | SubflowDialer)[] | PathSource
  /** Ends the attempt; the connection is destroyed with its reason. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Connects, as `net.connect` does: the connection is there at once and tells by `connect` and `ready` that
 * it stands, or by `error` (ERR_MULTIPATH_FAIL_ON_ALL_DIALERS) that it never will. What is written waits.
 *
 * @throws {OptionError} ERR_MULTIPATH_OPTION
 */
export function connect(options: ConnectOptions, listener?: () => void): MultipathConn {
  const { paths, signal, ...rest } = options
  const dialer = dialerFor(paths, rest)
  const conn = dialer.prepare()
  if (listener !== undefined) conn.once('connect', listener)
  dialer.establish(conn, signal).then(
    () => {
      callForeign(() => conn.emit('connect'))
      callForeign(() => conn.emit('ready'))
    },
    (error: unknown) => conn.destroy(toError(error)),
  )
  return conn
}

function dialerFor(paths: ConnectOptions['paths'], options: DialerOptions): MultipathDialer {
  if ('watch' in Object(paths)) return new MultipathDialer('the peer', paths as PathSource, options)
  if (!Array.isArray(paths))
    throw new OptionError('paths must be an array, one element for each path, or a PathSource')
  const dialers = (paths as (TcpDialerOptions | SubflowDialer)[]).map(dialerOf)
  return new MultipathDialer(dialers.map(({ label }) => label).join(', '), dialers, options)
}

function dialerOf(path: TcpDialerOptions | SubflowDialer, index: number): SubflowDialer {
  if (typeof path !== 'object' || (path as unknown) === null)
    throw new OptionError(`paths[${index}] must be options of net.connect or a SubflowDialer`)
  return 'dial' in path ? path : tcpDialer(path)
}

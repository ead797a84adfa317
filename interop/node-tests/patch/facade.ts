// SPDX-License-Identifier: Apache-2.0
/** multipath-net in the place of net. `NODE_TESTS_PATHS` says over how many paths each connection goes. */
import type { Duplex } from 'node:stream'
import * as multipath from '../../../lib/index.js'
import { real } from './real-net.js'
import type { AnyServer, Listener, Options, Transport } from './transport.js'

const PATHS = Number(process.env['NODE_TESTS_PATHS'] ?? 1)
/** What concerns the connection, and not one of its paths. */
const OF_CONNECTION = ['allowHalfOpen', 'signal']
const OF_SERVER = ['allowHalfOpen']

export function facade(): Transport {
  return {
    normalize: (args) => real._normalizeArgs(args),
    connect,
    socket,
    createServer,
    socketPrototype: multipath.MultipathConn.prototype,
    isServer: (value) => value instanceof multipath.MultipathServer,
  }
}

function pick(options: Options, names: string[]): Options {
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  )
}

function pathsOf(options: Options): multipath.ConnectOptions['paths'] {
  const { path, allowHalfOpen: _, signal: __, ...rest } = options
  if (typeof rest['port'] === 'string' && process.env['NODE_TESTS_LAX']) rest['port'] = Number(rest['port'])
  return Array.from({ length: PATHS }, (_, index) =>
    path
      ? multipath.unixDialer({ path: path as string, label: `path-${index}` })
      : ({ ...rest, label: `path-${index}` } as unknown as multipath.TcpDialerOptions),
  )
}

function connect(options: Options, listener: Listener): Duplex {
  const all = { ...pick(options, OF_CONNECTION), paths: pathsOf(options) }
  const conn = multipath.connect(all, listener ?? undefined)
  if (options['timeout']) conn.setTimeout(options['timeout'] as number)
  return conn
}

/** Not connecting yet: `connect` gives it its paths. */
function socket(options: Options): Duplex {
  const rest = pick(options, ['allowHalfOpen'])
  const placeholder = multipath.tcpDialer({ port: 1 })
  const conn = new multipath.MultipathDialer('nowhere yet', [placeholder], rest).prepare()
  const signal = options['signal'] as AbortSignal | undefined
  Object.assign(conn, {
    connect(...args: unknown[]): Duplex {
      const [target, listener] = real._normalizeArgs(args)
      const paths = pathsOf(target) as (multipath.TcpDialerOptions | multipath.SubflowDialer)[]
      const dialers = paths.map((path) => ('dial' in path ? path : multipath.tcpDialer(path)))
      if (listener) conn.once('connect', listener)
      new multipath.MultipathDialer('the peer', dialers, rest).establish(conn, signal).then(
        () => {
          conn.emit('connect')
          conn.emit('ready')
        },
        (error: unknown) => conn.destroy(error as Error),
      )
      return conn
    },
  })
  return conn
}

function createServer(options: Options, listener: Listener): AnyServer {
  const server = multipath.createServer(
    pick(options, OF_SERVER),
    (listener ?? undefined) as (() => void) | undefined,
  )
  const listen = server.listen.bind(server) as (place: unknown, listener: unknown) => unknown
  Object.assign(server, {
    listen(...args: unknown[]): unknown {
      const [place, onListening] = real._normalizeArgs(args)
      if (args.length === 0 || typeof args[0] === 'function') place['port'] = 0
      if ('port' in place && (place['port'] === undefined || place['port'] === null)) place['port'] = 0
      return listen(place, onListening ?? undefined)
    },
  })
  return server as unknown as AnyServer
}

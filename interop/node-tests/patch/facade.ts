// SPDX-License-Identifier: Apache-2.0
/** multipath-net in the place of net. `NODE_TESTS_PATHS` says over how many paths each connection goes. */
import * as multipath from '../../../lib/index.js'
import { real } from './real-net.js'
import type { AnyServer, Listener, Options, Transport } from './transport.js'

const PATHS = Number(process.env['NODE_TESTS_PATHS'] ?? 1)
/** What concerns the connection, and not one of its paths. */
const OF_CONNECTION = ['allowHalfOpen', 'signal', 'highWaterMark']
const OF_SERVER = ['allowHalfOpen', 'pauseOnConnect', 'highWaterMark']

export function facade(): Transport {
  return {
    connect(...args) {
      const [options] = real._normalizeArgs(args)
      const socket = new Socket(pick(options, OF_CONNECTION))
      if (options['timeout']) socket.setTimeout(options['timeout'] as number)
      // As net does: some tests replace the method.
      return socket.connect(...args)
    },
    socket: (options) => new Socket(pick(options, OF_CONNECTION)),
    createServer,
    socketPrototype: Socket.prototype,
    isSocket: (value) => value instanceof multipath.MultipathConn,
    isServer: (value) => value instanceof multipath.MultipathServer,
  }
}

type ConnectArguments = multipath.ConnectArguments

class Socket extends multipath.MultipathSocket {
  override connect(...args: unknown[]): this {
    // Node's own calls have what _normalizeArgs() has made, in an array with a mark.
    const [first] = args
    const isNormal = Array.isArray(first) && Object.getOwnPropertySymbols(first).length > 0
    return super.connect(...argumentsOf(isNormal ? (first as unknown[]) : args))
  }
}

/** As they are where there is one path; the same options for each of several. */
function argumentsOf(args: unknown[]): ConnectArguments {
  if (PATHS === 1) return args as ConnectArguments
  const [{ path, allowHalfOpen: _, signal: __, ...rest }, listener] = real._normalizeArgs(args)
  const paths = Array.from({ length: PATHS }, (___, index) =>
    path
      ? multipath.unixDialer({ path: path as string, label: `path-${index}` })
      : ({ ...rest, label: `path-${index}` } as unknown as multipath.TcpDialerOptions),
  )
  const options = { ...pick(real._normalizeArgs(args)[0], OF_CONNECTION), paths }
  return [options, (listener ?? undefined) as () => void]
}

function pick(options: Options, names: string[]): Options {
  return Object.fromEntries(
    names.filter((name) => options[name] !== undefined).map((name) => [name, options[name]]),
  )
}

function createServer(options: Options, listener: Listener): AnyServer {
  const settings = typeof options === 'object' ? pick(options, OF_SERVER) : options
  const server = multipath.createServer(settings, listener ?? undefined)
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

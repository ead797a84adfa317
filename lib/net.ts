// SPDX-License-Identifier: Apache-2.0
/** The facade in the shape of node:net: connect() and createServer(). */
import { EventEmitter } from 'node:events'
import type { AddressInfo, ListenOptions, Server } from 'node:net'
import { createServer as createNetServer } from 'node:net'
import { callForeign } from './stream/foreign.js'
import type { MultipathConn } from './conn/multipath-conn.js'
import type { DialerOptions } from './dial/options.js'
import { MultipathDialer } from './dial/multipath-dialer.js'
import { OptionError, toError } from './errors.js'
import { MultipathListener } from './listen/multipath-listener.js'
import type { ListenerOptions } from './listen/options.js'
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

export interface ServerEvents {
  connection: [conn: MultipathConn]
  listening: []
  close: []
  error: [error: Error]
}

/** Where to listen: one place for each path. */
export type ListenPlace = number | ListenOptions

/** A server in the shape of net.Server, over one TCP server for each place it listens on. */
export class MultipathServer extends EventEmitter<ServerEvents> implements AsyncDisposable {
  readonly #options: ListenerOptions
  #servers: Server[] = []
  #listener: MultipathListener | undefined

  constructor(options: ListenerOptions = {}) {
    super()
    this.#options = options
  }

  get listening(): boolean {
    return this.#listener !== undefined && this.#servers.every((server) => server.listening)
  }

  /** The listener below, once there is one. */
  get listener(): MultipathListener | undefined {
    return this.#listener
  }

  /** Listens on each of `places`: a port, or options of `net.Server.listen`. */
  listen(places: ListenPlace | readonly ListenPlace[], listener?: () => void): this {
    if (this.#listener !== undefined) throw new OptionError('the server listens already')
    const all = (Array.isArray(places) ? places : [places]) as ListenPlace[]
    if (listener !== undefined) this.once('listening', listener)
    this.#servers = all.map(() => createNetServer())
    this.#listener = new MultipathListener(this.#servers, [], this.#options)
    void this.#accept(this.#listener)
    let missing = all.length
    all.forEach((place, index) => {
      const server = this.#servers[index]!
      server.on('error', (error) => this.emit('error', error))
      server.listen(typeof place === 'number' ? { port: place } : place, () => {
        if (--missing === 0) this.emit('listening')
      })
    })
    return this
  }

  /** Addresses in the order of the places; empty where not listening. */
  addresses(): AddressInfo[] {
    return this.#servers
      .map((server) => server.address())
      .filter((address) => typeof address === 'object' && address !== null)
  }

  /** The first address, as `net.Server.address`. */
  address(): AddressInfo | null {
    return this.addresses()[0] ?? null
  }

  /** Stops accepting; connections live on. `close` comes on the next tick, whether it was listening or not. */
  close(callback?: () => void): this {
    if (callback !== undefined) this.once('close', callback)
    void this.#listener?.close()
    process.nextTick(() => this.emit('close'))
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener?.close()
  }

  async #accept(listener: MultipathListener): Promise<void> {
    for await (const conn of listener) callForeign(() => this.emit('connection', conn))
  }
}

/** A server whose `connection` event brings a MultipathConn. Call `listen` on it. */
export function createServer(
  options?: ListenerOptions | ((conn: MultipathConn) => void),
  listener?: (conn: MultipathConn) => void,
): MultipathServer {
  const onConnection = typeof options === 'function' ? options : listener
  const server = new MultipathServer(typeof options === 'function' ? {} : options)
  if (onConnection !== undefined) server.on('connection', onConnection)
  return server
}

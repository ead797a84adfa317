// SPDX-License-Identifier: Apache-2.0
/** A server in the shape of net.Server. */
import { EventEmitter } from 'node:events'
import type { AddressInfo, DropArgument, ListenOptions, Server } from 'node:net'
import { createServer as createNetServer } from 'node:net'
import { promisify } from 'node:util'
import type { MultipathConn } from '../conn/multipath-conn.js'
import { OptionError } from '../errors.js'
import { discard } from '../ignore.js'
import { checkBoolean } from '../options.js'
import { callForeign } from '../stream/foreign.js'
import { MultipathListener } from './multipath-listener.js'
import type { ListenerOptions } from './options.js'
import { resolveListenerOptions } from './options.js'
import { trustedList } from './trusted-proxies.js'

export interface ServerOptions extends ListenerOptions {
  /** Whether connections are paused until `resume()`: received data waits. Default: false. */
  readonly pauseOnConnect?: boolean | undefined
}

/** Events of a server, with the arguments of their listeners. */
export interface ServerEvents {
  /** A connection is established. */
  connection: [conn: MultipathConn]
  /** Every place listens. */
  listening: []
  /** Every place is closed, and every connection has ended. */
  close: []
  /** The server cannot listen on a place, or a place has failed. */
  error: [error: Error]
  /** A connection was closed because `maxConnections` were open. */
  drop: [data: DropArgument]
}

/** Where to listen: a port, a path, or options of `net.Server.listen`. One place for each path. */
export type ListenPlace = number | string | ListenOptions

/** What one `listen()` has opened. */
interface Opened {
  readonly servers: readonly Server[]
  readonly listener: MultipathListener
  /** Places that do not listen yet. */
  missing: number
}

/** A server in the shape of net.Server, over one TCP server for each place it listens on. */
export class MultipathServer extends EventEmitter<ServerEvents> implements AsyncDisposable {
  /**
   * Largest number of connections. Further ones are closed and reported by `drop`. Default: only the limits of the options
   * apply.
   */
  maxConnections?: number
  readonly #options: ListenerOptions
  /** As given to the constructor. */
  readonly allowHalfOpen: boolean
  /** As given to the constructor. */
  readonly pauseOnConnect: boolean
  #opened: Opened | undefined
  /** Closed, but for connections that their clients have already, and we not yet. */
  readonly #retiring = new Set<MultipathListener>()
  #isRefed = true
  /** Connections that are not destroyed yet, whichever `listen()` has brought them. */
  #connections = 0

  /** @throws {OptionError} ERR_MULTIPATH_OPTION */
  constructor({ pauseOnConnect, ...options }: ServerOptions = {}) {
    super()
    Object.defineProperty(this, EventEmitter.captureRejectionSymbol, { value: this.#rejected })
    this.pauseOnConnect = checkBoolean('pauseOnConnect', pauseOnConnect) ?? false
    resolveListenerOptions(options)
    this.allowHalfOpen = options.allowHalfOpen ?? false
    if (options.trustedProxies !== undefined) trustedList(options.trustedProxies)
    this.#options = options
  }

  /** Whether every place listens. */
  get listening(): boolean {
    return this.#opened?.servers.every((server) => server.listening) ?? false
  }

  /** The listener below, while there is one. */
  get listener(): MultipathListener | undefined {
    return this.#opened?.listener
  }

  /**
   * Listens on one place, with the arguments of `net.Server.listen`, or on each place of an array. If one of them fails,
   * none stays open, `error` reports the cause, and `listen` may be called again, as after `close`.
   *
   * @throws ERR_SERVER_ALREADY_LISTEN, and as `net.Server.listen`; {@link OptionError} for no place
   */
  listen(listener?: () => void): this
  listen(port: number | string, host: string, listener?: () => void): this
  listen(port: number | string, host: string, backlog: number, listener?: () => void): this
  listen(places: ListenPlace | readonly ListenPlace[], listener?: () => void): this
  listen(...args: unknown[]): this {
    if (this.#opened !== undefined)
      throw nodeError(
        'ERR_SERVER_ALREADY_LISTEN',
        'Listen method has been called more than once without closing.',
      )
    const listener = typeof args.at(-1) === 'function' ? (args.pop() as () => void) : undefined
    const places = Array.isArray(args[0]) ? (args[0] as unknown[]).map((place) => [place]) : [args]
    if (places.length === 0)
      throw new OptionError('listen() needs at least one place, such as { port: 7000 }')
    const servers = places.map(() => createNetServer())
    const opened: Opened = {
      servers,
      listener: new MultipathListener(servers, [], this.#options),
      missing: places.length,
    }
    try {
      places.forEach((place, index) => this.#bind(opened, servers[index]!, place))
    } catch (error) {
      void opened.listener.close()
      throw error
    }
    this.#opened = opened
    if (listener !== undefined) this.once('listening', listener)
    for (const place of places) this.#obey((place[0] as ListenOptions | null | undefined)?.signal)
    void this.#accept(opened.listener)
    return this
  }

  /** Addresses in the order of the places, without those of Unix sockets. Empty if the server does not listen. */
  addresses(): AddressInfo[] {
    const all = this.#opened?.servers.map((server) => server.address()) ?? []
    return all.filter((address) => typeof address === 'object' && address !== null)
  }

  /** The first address, as `net.Server.address`: the path of a Unix socket. */
  address(): AddressInfo | string | null {
    return this.#opened?.servers[0]?.address() ?? null
  }

  /** Calls back with the number of connections that are not destroyed. */
  getConnections(callback: (error: Error | null, count: number) => void): this {
    process.nextTick(callback, null, this.#connections)
    return this
  }

  /** The process stays up while the server listens, as it does at first. */
  ref(): this {
    return this.#setRef(true)
  }

  /** The process may exit although the server listens. Connections keep it up. */
  unref(): this {
    return this.#setRef(false)
  }

  /**
   * Stops accepting. Open connections live on, and `close` is emitted once the last of them is destroyed.
   *
   * @param callback - called at `close`, with ERR_SERVER_NOT_RUNNING if the server did not listen
   */
  close(callback?: (error?: Error) => void): this {
    const opened = this.#opened
    if (typeof callback === 'function')
      this.once('close', () => {
        if (opened === undefined) callback(nodeError('ERR_SERVER_NOT_RUNNING', 'Server is not running.'))
        else callback()
      })
    this.#opened = undefined
    if (opened !== undefined) this.#retire(opened.listener)
    else this.#closeIfDrained()
    return this
  }

  /** Closes, and waits for `close`. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#opened !== undefined) await promisify(this.close.bind(this))()
  }

  /** As of net.Server: a listener of `connection` that rejects costs its connection alone. */
  #rejected(error: Error, event: string, conn: MultipathConn): void {
    if (event === 'connection') conn.destroy(error)
    else this.emit('error', error)
  }

  #bind(opened: Opened, server: Server, place: readonly unknown[]): void {
    server.on('error', (error) => {
      if (this.#opened !== opened) return
      if (opened.missing > 0) {
        this.#opened = undefined
        void opened.listener.close()
      }
      this.emit('error', error)
    })
    server.once('listening', () => {
      if (--opened.missing === 0 && this.#opened === opened) this.emit('listening')
    })
    if (!this.#isRefed) server.unref()
    ;(server.listen as (...args: readonly unknown[]) => unknown)(...place)
  }

  /** The server of its place obeys as well, and has checked what it is; the others are to close with it. */
  #obey(signal: AbortSignal | undefined): void {
    if (signal === undefined) return
    const close = (): void => void this.close()
    if (signal.aborted) {
      process.nextTick(close)
      return
    }
    signal.addEventListener('abort', close, { once: true })
    this.once('close', () => {
      signal.removeEventListener('abort', close)
    })
  }

  #setRef(isRefed: boolean): this {
    this.#isRefed = isRefed
    for (const server of this.#opened?.servers ?? []) server[isRefed ? 'ref' : 'unref']()
    return this
  }

  async #accept(listener: MultipathListener): Promise<void> {
    for await (const conn of listener) this.#take(conn)
  }

  #retire(listener: MultipathListener): void {
    this.#retiring.add(listener)
    listener.retire(() => {
      this.#retiring.delete(listener)
      this.#closeIfDrained()
    })
  }

  #take(conn: MultipathConn): void {
    // As with net, 0 is no limit.
    if (this.maxConnections && this.#connections >= this.maxConnections) {
      const { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily } = conn
      discard(conn)
      const data = { localAddress, localPort, localFamily, remoteAddress, remotePort, remoteFamily }
      callForeign(() => this.emit('drop', data as DropArgument))
      return
    }
    this.#connections++
    const { onDestroyed } = conn
    conn.onDestroyed = () => {
      onDestroyed?.()
      this.#connections--
      this.#closeIfDrained()
    }
    // Not documented, but as with net.
    Object.assign(conn, { server: this })
    if (this.pauseOnConnect) conn.pause()
    callForeign(() => this.emit('connection', conn))
  }

  #closeIfDrained(): void {
    if (this.#opened !== undefined || this.#retiring.size > 0) return
    if (this.#connections === 0) process.nextTick(() => this.emit('close'))
  }
}

/**
 * Creates a server, as `net.createServer` does. Its event `connection` brings a MultipathConn. Call `listen` next.
 *
 * @throws ERR_INVALID_ARG_TYPE unless the options are an object; {@link OptionError} for an invalid option
 */
export function createServer(
  options?: ServerOptions | ((conn: MultipathConn) => void) | null,
  listener?: (conn: MultipathConn) => void,
): MultipathServer {
  const onConnection = typeof options === 'function' ? options : listener
  // Node's own check, and its error.
  if (typeof options !== 'function') createNetServer(options as object)
  const server = new MultipathServer(typeof options === 'function' ? {} : (options ?? {}))
  if (typeof onConnection === 'function') server.on('connection', onConnection)
  return server
}

function nodeError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}

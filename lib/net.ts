// SPDX-License-Identifier: Apache-2.0
/** The facade in the shape of node:net: connect(), and a socket to connect. Its createServer() is listen/multipath-server.ts. */
import type { ConnInit } from './conn/multipath-conn.js'
import { MultipathConn } from './conn/multipath-conn.js'
import { MultipathDialer } from './dial/multipath-dialer.js'
import type { DialerOptions } from './dial/options.js'
import { connInit, isDialerOption } from './dial/options.js'
import { MultipathError, OptionError, toError } from './errors.js'
import { checkSignal } from './options.js'
import type { PathSource } from './transport/path-source.js'
import type { TcpDialerOptions } from './transport/tcp.js'
import { TCP_NAMES, tcpDialer } from './transport/tcp.js'
import { knownOptions } from './transport/path-options.js'
import type { SubflowDialer } from './transport/transport.js'
import type { UnixDialerOptions } from './transport/unix.js'
import { unixDialer } from './transport/unix.js'

export interface ConnectOptions extends DialerOptions {
  /**
   * The paths: for each one options of `net.connect`, or a dialer of any kind. Or a source of paths, such as
   * `interfacePaths(…)`.
   */
  readonly paths: readonly (TcpDialerOptions | SubflowDialer)[] | PathSource
  /** Ends the attempt to connect: the connection is destroyed with the reason of the signal. Default: none. */
  readonly signal?: AbortSignal | undefined
  /** Time without a read or a write after which `timeout` is emitted, milliseconds, as with `setTimeout()`. Default: never. */
  readonly timeout?: number | undefined
}

/** Options of a socket that does not connect yet. `paths` may also be given to `connect()`. */
export type SocketOptions = Partial<Omit<ConnectOptions, 'timeout'>>

/** Arguments of `connect`: options with `paths`, or the options or the address of a single path, as with `net.connect`. */
export type ConnectArguments =
  | [options: ConnectOptions | TcpDialerOptions, listener?: () => void]
  | [port: number | string, listener?: () => void]
  | [port: number | string, host: string, listener?: () => void]
  | []

type Paths = ConnectOptions['paths']

/** Options of {@link connect} that neither a dialer has nor a path. */
const OF_CONNECT = ['signal', 'timeout']

interface Normal {
  readonly options: Partial<ConnectOptions>
  readonly listener: (() => void) | undefined
}

/**
 * A connection that dials when `connect()` is called, for libraries that create a `new net.Socket()` and connect it
 * themselves. If its options have `paths`, it dials those, and ignores the address that the library requests.
 */
export class MultipathSocket extends MultipathConn {
  readonly #options: SocketOptions
  /** Takes the listener off the signal that may end the attempt. */
  #disobey: () => void = () => {}
  #hasBegun = false
  #dialer: MultipathDialer | undefined

  /** @throws {OptionError} ERR_MULTIPATH_OPTION */
  constructor(options: SocketOptions = {}) {
    const { paths, signal, ...rest } = options
    checkSignal(signal)
    const init: ConnInit = connInit(rest)
    const dialer = paths === undefined ? undefined : dialerFor(paths, rest)
    super(init)
    this.#dialer = dialer
    this.#options = options
    this.isDialled = false
    this.#obey(signal)
  }

  /**
   * The dialer of the connection, with events such as `path-failure`, and with `stats()`, `add` and `remove`. It is
   * `undefined` until the options or `connect()` have given the paths.
   */
  get dialer(): MultipathDialer | undefined {
    return this.#dialer
  }

  /**
   * Dials, once. The events `connect` and `ready` report that the connection is established, and `error` that it failed.
   * Data that is written earlier waits. The options are `paths` and `signal` or, with `port` or `path` in place of `paths`,
   * those of a single path. All others are those of the constructor.
   *
   * @throws {OptionError} ERR_MULTIPATH_OPTION for an invalid option, and for a second call
   */
  connect(...args: ConnectArguments): this {
    const { options, listener } = normalize(args)
    const { paths = options.paths, signal = options.signal, ...rest } = this.#options
    if (this.#hasBegun) throw new OptionError('connect() was already called on this socket: create a new one')
    if (paths === undefined)
      throw new OptionError(
        'no paths were given: pass connect({ paths: [{ host, port }, …] }), or a port for a single path',
        'ERR_MISSING_ARGS',
      )
    checkSignal(signal)
    refuseLate(args[0])
    const dialer = (this.#dialer ??= dialerFor(paths, rest))
    this.#hasBegun = true
    this.isDialled = true
    if (listener !== undefined) this.once('connect', listener)
    if (signal !== this.#options.signal) this.#obey(signal)
    if (this.destroyed || signal?.aborted === true) return this
    dialer.establish(this).then(this.#disobey, (error: unknown) => this.destroy(toError(error)))
    return this
  }

  /** As in {@link MultipathConn}. A socket that is connecting is reset once it is connected. */
  override resetAndDestroy(): this {
    if (!this.#hasBegun) return this.destroy(notDialledError())
    if (this.connecting) return this.once('connect', () => super.resetAndDestroy())
    return super.resetAndDestroy()
  }

  /** Until it stands. */
  #obey(signal: AbortSignal | undefined): void {
    const giveUp = (): void => void this.destroy(toError(signal?.reason))
    if (signal?.aborted) process.nextTick(giveUp)
    else signal?.addEventListener('abort', giveUp, { once: true })
    this.#disobey = () => {
      signal?.removeEventListener('abort', giveUp)
    }
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#disobey()
    super._destroy(error, callback)
  }

  /** @internal */
  override _write(chunk: Buffer, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#hasBegun) super._write(chunk, encoding, callback)
    else callback(notDialledError())
  }
}

/**
 * Connects, as `net.connect` does. It returns a connection at once, which emits `connect` and `ready` when it is
 * established, or `error` (ERR_MULTIPATH_FAIL_ON_ALL_DIALERS) if every path fails. Data that is written earlier waits.
 *
 * @throws {OptionError} ERR_MULTIPATH_OPTION
 */
export function connect(...args: ConnectArguments): MultipathSocket & {
  /** The dialer of the connection. */
  readonly dialer: MultipathDialer
} {
  const { options, listener } = normalize(args)
  const { timeout, ...rest } = options
  const socket = new MultipathSocket(rest)
  if (timeout) socket.setTimeout(timeout)
  if (listener !== undefined) socket.once('connect', listener)
  return socket.connect() as MultipathSocket & { readonly dialer: MultipathDialer }
}

/** Another name of {@link connect}, as in `node:net`. */
export const createConnection: typeof connect = connect

/** In the ways of net: options, a port and perhaps a host, or the path of a Unix socket. */
function normalize(args: readonly unknown[]): Normal {
  const last = args.at(-1)
  const listener = typeof last === 'function' ? (last as () => void) : undefined
  const [first, second] = args
  if (Array.isArray(first)) throw new OptionError('the paths of connect() are an option: pass { paths: […] }')
  if (typeof first === 'object' && first !== null) return { options: withPaths(first), listener }
  if (first === undefined || first === listener) return { options: {}, listener }
  if (typeof first === 'string' && !(Number(first) >= 0))
    return { options: withPaths({ path: first }), listener }
  const host = typeof second === 'string' ? { host: second } : {}
  return { options: withPaths({ port: first, ...host }), listener }
}

/** Options of one path, as those of `net.connect`, apart from those that are ours. Libraries give others of their own, too. */
function withPaths(options: object): Partial<ConnectOptions> {
  const { port, path: unix } = options as { port?: unknown; path?: unknown }
  if (Array.isArray(unix))
    throw new OptionError('path must be a string, got an array; did you mean paths?', 'ERR_INVALID_ARG_TYPE')
  // Node's own http gives an empty path where it has none.
  if ('paths' in options || (port === undefined && !unix)) return options
  const entries = Object.entries<unknown>(options as Record<string, unknown>)
  const isOurs = ([name]: [string, unknown]): boolean => OF_CONNECT.includes(name) || isDialerOption(name)
  const path = Object.fromEntries(entries.filter((entry) => !isOurs(entry)))
  const dialer = unix
    ? unixDialer(knownOptions(path, { path: true }) as UnixDialerOptions)
    : tcpDialer(knownOptions(path, TCP_NAMES) as TcpDialerOptions)
  return { ...Object.fromEntries(entries.filter(isOurs)), paths: [dialer] }
}

/** Options that a socket has had since it was made. @throws {OptionError} where `connect()` is given them with paths of ours */
function refuseLate(options: unknown): void {
  if (typeof options !== 'object' || options === null || !('paths' in options)) return
  const late = Object.keys(options).find((name) => isDialerOption(name))
  if (late !== undefined)
    throw new OptionError(`connect() on a socket takes no option ${late}: pass it to new MultipathSocket()`)
}

function dialerFor(paths: Paths, options: DialerOptions): MultipathDialer {
  if ('watch' in Object(paths)) return new MultipathDialer('the peer', paths as PathSource, options)
  if (!Array.isArray(paths))
    throw new OptionError('paths must be an array, one element for each path, or a PathSource')
  const dialers = paths.map(dialerOf)
  return new MultipathDialer(dialers.map(({ label }) => label).join(', '), dialers, options)
}

function dialerOf(path: TcpDialerOptions | SubflowDialer, index: number): SubflowDialer {
  if (typeof path !== 'object' || (path as unknown) === null)
    throw new OptionError(`paths[${index}] must be options such as { host, port }, or a SubflowDialer`)
  if ('dial' in path) return path
  try {
    return tcpDialer(path)
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    throw new OptionError(`paths[${index}]: ${error.message}`, error.code)
  }
}

function notDialledError(): MultipathError {
  const message = 'connect() has not been called on this socket'
  return new MultipathError('ERR_MULTIPATH_CLOSED', message, undefined, 'ERR_SOCKET_CLOSED')
}

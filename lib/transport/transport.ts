// SPDX-License-Identifier: Apache-2.0
/** One way to open a byte stream to the peer, and to be given those that it opens. */
import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import type { PathPolicy } from '../core/path.js'
import type { StatsTracker } from '../core/tracker.js'
import { OptionError } from '../errors.js'

/** Options of a path over any transport. */
export interface PathOptions extends PathPolicy {
  /** Name of the path in events, errors and statistics. Default: its address, such as `gw:7000`. */
  readonly label?: string | undefined
  /** Follows the path over all its reconnects. */
  readonly tracker?: StatsTracker | undefined
}

/** Arguments of `dial`. */
export interface DialOptions {
  /**
   * If it aborts before the stream is open, the dial closes its sockets and rejects with the reason. Afterwards, the stream
   * belongs to the caller.
   */
  readonly signal: AbortSignal
  /**
   * Call it with each socket as soon as the socket exists, so that `unref()` of a connection that is still dialling applies
   * to it. Otherwise the dial keeps the process running.
   */
  readonly onSocket?: ((socket: EventEmitter) => void) | undefined
}

/** A path, and the way to dial it. Go: dialer.go, Dialer. */
export interface SubflowDialer {
  /** Identity of the path in events, errors and statistics. */
  readonly label: string
  /** Follows the path over all its reconnects. */
  readonly tracker?: StatsTracker | undefined
  /** Tier, weight and caps of the path. */
  readonly policy?: PathPolicy | undefined
  /** Opens a stream. */
  dial(options: DialOptions): Promise<Duplex>
}

/**
 * Checks what a caller gives as the dialer of a path.
 *
 * @throws {OptionError} that says what it lacks, and how to give it
 */
export function checkDialer(dialer: unknown, name: string): SubflowDialer {
  const { dial, label } = (dialer ?? {}) as Partial<SubflowDialer>
  if (typeof dial !== 'function')
    throw new OptionError(
      `${name} has no dial(): it must be a SubflowDialer, such as tcpDialer({ label: 'wifi', host, port })`,
    )
  if (typeof label !== 'string')
    throw new OptionError(`${name} has no label: a SubflowDialer needs one, as in { label: 'wifi', dial }`)
  return dialer as SubflowDialer
}

/** A stream that a peer has opened, such as a socket. */
export interface IncomingStream extends Duplex {
  /** Local address, if the stream has one. */
  readonly localAddress?: string | undefined
  /** Local port, if the stream has one. */
  readonly localPort?: number | undefined
  /** Address of the peer, if the stream has one. Limits of handshakes count by it. */
  readonly remoteAddress?: string | undefined
  /** Port of the peer, if the stream has one. */
  readonly remotePort?: number | undefined
  /** Called with `true`, if it exists. */
  setNoDelay?(noDelay?: boolean): unknown
  /** Used to reset the stream if it exists; otherwise `destroy()` is. */
  resetAndDestroy?(): unknown
}

/** An emitter of accepted sockets. */
export interface SocketSource {
  /** Adds a listener for accepted sockets. */
  on(event: 'connection', listener: (stream: IncomingStream) => void): unknown
  /** Removes such a listener. */
  off(event: 'connection', listener: (stream: IncomingStream) => void): unknown
}

/** A source of streams for a `MultipathListener`. Every `net.Server` is one. */
export interface SubflowServer extends SocketSource {
  /** Whether it accepts streams. A listener that closes calls `close` while this is true. */
  readonly listening: boolean
  /**
   * The accepted sockets, if they are not the streams themselves, as with TLS. A listener counts each as a handshake until
   * a stream with the same addresses arrives, and closes it after `handshakeTimeoutMs`.
   */
  readonly sockets?: SocketSource | undefined
  /** Stops accepting streams. Open ones live on. */
  close(): unknown
}

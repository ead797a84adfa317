// SPDX-License-Identifier: Apache-2.0
/** One way to open a byte stream to the peer, and to be given those that it opens. */
import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import type { PathPolicy } from '../core/path.js'
import type { StatsTracker } from '../core/tracker.js'
import { OptionError } from '../errors.js'

/** Options of a path, whatever its transport. */
export interface PathOptions extends PathPolicy {
  /** Identity of the path in events, errors and statistics. Default: where it leads. */
  readonly label?: string | undefined
  /** Follows the path over all its reconnects. */
  readonly tracker?: StatsTracker | undefined
}

/** What a dial needs to know. */
export interface DialOptions {
  /**
   * Its abort, before the stream is there, rejects the dial with its reason and closes what was begun; afterwards the
   * stream is the caller's.
   */
  readonly signal: AbortSignal
  /**
   * To be called with each socket as soon as there is one, so that `unref()` of a connection that is still dialling holds
   * for it. A dialer that does not call it keeps the process up while it dials.
   */
  readonly onSocket?: ((socket: EventEmitter) => void) | undefined
}

/** Dials one path. Go: dialer.go, Dialer. */
export interface SubflowDialer {
  /** Identity of the path in events, errors and statistics. */
  readonly label: string
  /** Follows the path over all its reconnects. */
  readonly tracker?: StatsTracker | undefined
  /** What the path is for, and what it may cost. */
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

/** A stream that a peer has opened. Sockets have the rest too. */
export interface IncomingStream extends Duplex {
  /** Local address, where the stream has one. */
  readonly localAddress?: string | undefined
  /** Local port, where the stream has one. */
  readonly localPort?: number | undefined
  /** Handshakes are limited by it. */
  readonly remoteAddress?: string | undefined
  /** Port of the peer, where the stream has one. */
  readonly remotePort?: number | undefined
  /** Called with `true`, where it exists. */
  setNoDelay?(noDelay?: boolean): unknown
  /** Used to reset the stream, where it exists; `destroy()` otherwise. */
  resetAndDestroy?(): unknown
}

/** What tells of sockets as it accepts them. */
export interface SocketSource {
  /** Adds a listener for accepted sockets. */
  on(event: 'connection', listener: (stream: IncomingStream) => void): unknown
  /** Removes such a listener. */
  off(event: 'connection', listener: (stream: IncomingStream) => void): unknown
}

/** What brings streams to a `MultipathListener`. Every `net.Server` is one. */
export interface SubflowServer extends SocketSource {
  /** Whether streams may come. A listener that closes calls `close` while this is true. */
  readonly listening: boolean
  /**
   * Where the streams are not the sockets that the system accepts: those. A listener counts them as handshakes until a
   * stream with the same addresses comes, and closes them after `handshakeTimeoutMs`.
   */
  readonly sockets?: SocketSource | undefined
  /** Brings no more streams; those that are open live on. */
  close(): unknown
}

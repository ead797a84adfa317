// SPDX-License-Identifier: Apache-2.0
/** One way to open a byte stream to the peer, and to be given those that it opens. */
import type { Duplex } from 'node:stream'
import type { PathPolicy } from '../core/path.js'
import type { StatsTracker } from '../core/tracker.js'

/** Options of a path, whatever its transport. */
export interface PathOptions extends PathPolicy {
  /** Identity of the path in events, errors and statistics. Default: where it leads. */
  readonly label?: string | undefined
  /** Follows the path over all its reconnects. */
  readonly tracker?: StatsTracker | undefined
}

/** Dials one path. Go: dialer.go, Dialer. */
export interface SubflowDialer {
  /** Identity of the path in events, errors and statistics. */
  readonly label: string
  /** Follows the path over all its reconnects. */
  readonly tracker?: StatsTracker | undefined
  /** What the path is for, and what it may cost. */
  readonly policy?: PathPolicy | undefined
  /**
   * Opens a stream. An abort of `signal` before that rejects with its reason and closes what was begun;
   * afterwards the stream is the caller's.
   */
  dial(options: { signal: AbortSignal }): Promise<Duplex>
}

/** A stream that a peer has opened. Sockets have the rest too. */
export interface IncomingStream extends Duplex {
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
  /** Handshakes are limited by it. */
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  setNoDelay?(noDelay?: boolean): unknown
  resetAndDestroy?(): unknown
}

/** What tells of sockets as it accepts them. */
export interface SocketSource {
  on(event: 'connection', listener: (stream: IncomingStream) => void): unknown
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

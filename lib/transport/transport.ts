/** One way to open a byte stream to the peer. */
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

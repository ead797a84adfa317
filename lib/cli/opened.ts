// SPDX-License-Identifier: Apache-2.0
/** A connection and what has to be closed after it. */
import type { ConnOptions, MultipathConn, MultipathDialer, PathSource, SubflowDialer } from '../index.js'
import type { CliIo } from './cli-io.js'
import type { LiveSession } from './live/live-session.js'
import type { Registry } from './live/registry.js'
import type { Log } from './streams/log.js'

export interface Opened {
  readonly conn: MultipathConn
  readonly live: LiveSession
  /** Of one that was dialled. */
  readonly dialer?: MultipathDialer
  /** Likewise: makes further paths of what `--to` takes. @throws {Error} */
  readonly pathsOf?: (text: string) => readonly SubflowDialer[] | PathSource
  /** Of one that was accepted: `take` gets the connections that come besides. Without it, they are reset. */
  readonly onOther?: (take: (conn: MultipathConn) => void) => void
  readonly close: () => Promise<void>
}

/** What the ways to open one need. */
export interface Surroundings {
  readonly io: CliIo
  readonly log: Log
  readonly registry: Registry
}

/**
 * Subflows that one connection may have: every local address to every target, times the multiplier, is soon
 * more than the library's default.
 */
export const MOST_SUBFLOWS = 256

/**
 * Bytes that wait for a slow reader. A Go peer closes 33 ms after its last byte and loses what has not been taken
 * in by then, so as much is taken in as its own ring holds: 4,096 frames of the 32 KiB that bondcat writes.
 */
const RECEIVE_BYTES = 128 * 1024 * 1024

/** For a greeting, milliseconds. */
export const GREETING_MS = 10_000

/** Options of the connection, whichever side opens it. */
export const CONN_OPTIONS: Readonly<ConnOptions & { allowHalfOpen: boolean }> = {
  allowHalfOpen: true,
  maxSubflows: MOST_SUBFLOWS,
  maxUnreadBytes: RECEIVE_BYTES,
  maxReorderBytes: RECEIVE_BYTES,
}

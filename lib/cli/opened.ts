/** A connection and what has to be closed after it. */
import type { ConnOptions, MultipathConn } from '../index.js'

export interface Opened {
  readonly conn: MultipathConn
  readonly close: () => Promise<void>
}

/**
 * Subflows that one connection may have: every local address to every target, times the multiplier, is soon
 * more than the library's default.
 */
export const MOST_SUBFLOWS = 256

/**
 * A Go peer that has sent its last byte closes after 33 ms of quiet, and loses what its kernel still holds then:
 * twice the 500 frames of 32 KiB that bondcat has on their way are always taken in, however slow the reader.
 */
const RECEIVE_BYTES = 32 * 1024 * 1024

/** Options of the connection, whichever side opens it. */
export const CONN_OPTIONS: Readonly<ConnOptions & { allowHalfOpen: boolean }> = {
  allowHalfOpen: true,
  maxSubflows: MOST_SUBFLOWS,
  maxUnreadBytes: RECEIVE_BYTES,
  maxReorderBytes: RECEIVE_BYTES,
}

// SPDX-License-Identifier: Apache-2.0
/** Options of a session. */
import type { Clock } from '../clock.js'
import { OptionError } from '../errors.js'
import type { OptionTable, Resolved } from '../options.js'
import { checkBoolean, checkClock, refuseUnknown, resolveOptions } from '../options.js'
import { INITIAL_WINDOW_BYTES } from './frame.js'

/** Clients open streams with odd ids, servers with even ones: the two ends must differ. */
export type MuxRole = 'client' | 'server'

/** Limits of a session, and its times. */
export interface MuxNumbers {
  /** Streams that the peer may have open at once; one more is refused. */
  maxStreams?: number | undefined
  /** Streams of the peer that wait to be accepted; one more is refused. */
  maxBacklog?: number | undefined
  /** Streams of ours that wait for the peer's ack; further ones wait their turn. Go accepts 256 at once. */
  maxOpening?: number | undefined
  /** Largest payload of a frame that we send. While several streams have something to send, a turn is 16 KiB at most. */
  maxFrameBytes?: number | undefined
  /** How far the receive window of one stream may grow. */
  maxStreamWindowBytes?: number | undefined
  /** By how much the receive windows of all streams together may exceed the 256 KiB that each begins with. */
  maxSessionWindowBytes?: number | undefined
  /** Bytes of all streams that arrived and were not read; beyond, the stream that has the most is reset. */
  maxUnreadBytes?: number | undefined
  /**
   * Streams per second that the peer begins and resets before anything was written to them, or that a limit refuses, once
   * there were `maxStreams` and `maxBacklog` of them; one more ends the session.
   */
  maxResetsPerSecond?: number | undefined
  /**
   * Frames of the peer per second that bring nothing: pings, answers to none, data frames without data, credit that is not
   * needed, frames without data of unknown streams. As many may come at once; one more ends the session.
   */
  maxIdleFramesPerSecond?: number | undefined
  /** Our pings without an answer yet; one more is refused. */
  maxPings?: number | undefined
  /** Answers and refusals that wait because the peer does not read; beyond, the session fails. */
  maxWaitingAnswers?: number | undefined
  /** After so long without a byte from the peer it is asked for one, milliseconds. Infinity: never. */
  keepAliveMs?: number | undefined
  /** A ping that is not answered within this time, with nothing else from the peer, ends the session, milliseconds. */
  keepAliveTimeoutMs?: number | undefined
  /** A stream that the peer does not ack within this time is reset, milliseconds. */
  openTimeoutMs?: number | undefined
  /** How long a stream that we closed waits for the peer to close it too, milliseconds. */
  closeTimeoutMs?: number | undefined
  /** How long the connection below may take to close once the session is over, milliseconds. */
  lingerMs?: number | undefined
}

export interface MuxOptions extends MuxNumbers {
  /** Which end this is: the other one must take the other role. */
  role: MuxRole
  /** Whether streams stay writable after the peer's end, as in `net.createServer`. Default: false. */
  allowHalfOpen?: boolean | undefined
  /** Source of time; for tests. */
  clock?: Clock | undefined
}

export type ResolvedMuxNumbers = Resolved<MuxNumbers>

const MIB = 1024 * 1024
const DAY_MS = 86_400_000

// Go (mux.go, DefaultConfig): backlog 256, keep-alive 30 s, open 75 s, close 5 min.
export const MUX_TABLE: OptionTable<MuxNumbers> = {
  maxStreams: { default: 1024, min: 0, max: 1_000_000 },
  maxBacklog: { default: 256, min: 1, max: 1_000_000 },
  maxOpening: { default: 256, min: 1, max: 1_000_000 },
  maxFrameBytes: { default: 65_536, min: 1, max: INITIAL_WINDOW_BYTES },
  maxStreamWindowBytes: { default: 16 * MIB, min: INITIAL_WINDOW_BYTES, max: 1024 * MIB },
  maxSessionWindowBytes: { default: 64 * MIB, min: 0, max: 65_536 * MIB },
  maxUnreadBytes: { default: 128 * MIB, min: INITIAL_WINDOW_BYTES, max: 65_536 * MIB },
  maxResetsPerSecond: { default: 64, min: 1, max: Infinity },
  maxIdleFramesPerSecond: { default: 8192, min: 1, max: Infinity },
  maxPings: { default: 16, min: 1, max: 65_536 },
  maxWaitingAnswers: { default: 4096, min: 1, max: 1_000_000 },
  keepAliveMs: { default: 30_000, min: 10, max: Infinity },
  keepAliveTimeoutMs: { default: 30_000, min: 10, max: DAY_MS },
  openTimeoutMs: { default: 75_000, min: 10, max: Infinity },
  closeTimeoutMs: { default: 300_000, min: 10, max: Infinity },
  lingerMs: { default: 5000, min: 10, max: DAY_MS },
}

/** @throws {OptionError} */
export function resolveMuxOptions(options: MuxOptions): ResolvedMuxNumbers {
  refuseUnknown(options, MUX_TABLE, ['role', 'allowHalfOpen', 'clock'])
  const role: unknown = (options as Partial<MuxOptions> | undefined)?.role
  if (role !== 'client' && role !== 'server')
    throw new OptionError(`role must be "client" or "server", got ${JSON.stringify(role)}`)
  checkBoolean('allowHalfOpen', options.allowHalfOpen)
  checkClock(options.clock)
  return resolveOptions<MuxNumbers>(MUX_TABLE, options)
}

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
  /** Streams that the peer may have open at once. Further ones are refused. Default: 1,024; 0 to 1,000,000. */
  maxStreams?: number | undefined
  /** Streams of the peer that wait to be accepted. Further ones are refused. Default: 256; 1 to 1,000,000. */
  maxBacklog?: number | undefined
  /**
   * Our streams that wait for the peer's ack. Further ones are queued. Go accepts 256 at once. Default: 256; 1 to
   * 1,000,000.
   */
  maxOpening?: number | undefined
  /**
   * Largest payload of a frame that we send, bytes. While several streams have data to send, a turn is at most 16 KiB.
   * Default: 64 KiB; 1 to 256 KiB.
   */
  maxFrameBytes?: number | undefined
  /** Largest receive window of one stream, bytes. Default: 16 MiB; 256 KiB to 1 GiB. */
  maxStreamWindowBytes?: number | undefined
  /**
   * Bytes by which the receive windows of all streams together may exceed their initial 256 KiB each. Default: 64 MiB; 0 to
   * 64 GiB.
   */
  maxSessionWindowBytes?: number | undefined
  /**
   * Unread bytes of all streams together. Beyond the limit, the stream with the largest share is reset. Default: 128 MiB;
   * 256 KiB to 64 GiB.
   */
  maxUnreadBytes?: number | undefined
  /**
   * Streams per second that the peer opens and resets before data was written to them, or that a limit refuses. They count
   * only after the first `maxStreams` and `maxBacklog` of them. One more ends the session. Default: 64; 1 or more.
   */
  maxResetsPerSecond?: number | undefined
  /**
   * Frames per second of the peer that have no effect: pings, answers without a ping, data frames without data, needless
   * credit, and frames without data for unknown streams. The same number may arrive at once. One more ends the session.
   * Default: 8,192; 1 or more.
   */
  maxIdleFramesPerSecond?: number | undefined
  /** Our pings that wait for an answer. Further ones are refused. Default: 16; 1 to 65,536. */
  maxPings?: number | undefined
  /**
   * Answers and refusals that wait because the peer does not read. Beyond the limit, the session fails. Default: 4,096; 1
   * to 1,000,000.
   */
  maxWaitingAnswers?: number | undefined
  /** Silence of the peer after which a ping is sent, milliseconds. Infinity: never. Default: 30,000; 10 or more. */
  keepAliveMs?: number | undefined
  /**
   * Time limit for an answer to that ping, or any other byte of the peer, milliseconds. After it, the session ends.
   * Default: 30,000; 10 to 86,400,000.
   */
  keepAliveTimeoutMs?: number | undefined
  /** Time limit for the peer's ack of a stream, milliseconds. After it, the stream is reset. Default: 75,000; 10 or more. */
  openTimeoutMs?: number | undefined
  /** Time that a stream waits, after we closed it, for the peer to close it, milliseconds. Default: 300,000; 10 or more. */
  closeTimeoutMs?: number | undefined
  /**
   * Time that the connection below may take to close after the end of the session, milliseconds. Default: 5,000; 10 to
   * 86,400,000.
   */
  lingerMs?: number | undefined
}

export interface MuxOptions extends MuxNumbers {
  /** Which end this is: the other one must take the other role. */
  role: MuxRole
  /** Whether streams stay writable after the peer's end, as in `net.createServer`. Default: false. */
  allowHalfOpen?: boolean | undefined
  /** Source of time, for tests. */
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

// SPDX-License-Identifier: Apache-2.0
/** Options of a dialer. */
import type { Clock } from '../clock.js'
import { systemClock } from '../clock.js'
import type { ConnInit } from '../conn/multipath-conn.js'
import type { TraceTarget } from '../conn/trace-sink.js'
import { checkTrace, traceOf } from '../conn/trace-sink.js'
import type { ConnOptions } from '../core/options.js'
import { CONN_OPTIONS } from '../core/options.js'
import type { AcceptedPeer } from '../core/peer-profile.js'
import { acceptedPeer } from '../core/peer-profile.js'
import type { Scheduler } from '../core/scheduler.js'
import type { SchedulerName } from '../core/schedulers/by-name.js'
import { checkSchedulerName, schedulerOf } from '../core/schedulers/by-name.js'
import type { JoinAuth } from '../core/join-keys.js'
import { joinSecurity } from '../conn/join-keys.js'
import { OptionError } from '../errors.js'
import type { OptionTable, Resolved } from '../options.js'
import { checkBoolean, checkClock, refuseUnknown, resolveOptions } from '../options.js'
import { MAX_NAME_BYTES } from '../wire/settings.js'

/** Numbers that only a dialer needs. */
export interface DialerNumbers {
  /** Time limit to open a stream, and again for its handshake, milliseconds. Default: 10,000; 1 to 600,000. */
  handshakeTimeoutMs?: number | undefined
  /** Time during which only the path with the lowest known RTT is tried, milliseconds. Default: 100; 0 to 60,000. */
  headStartMs?: number | undefined
  /**
   * Longest wait before the first redial of a path, milliseconds. The limit doubles with each further redial. Default: 200;
   * 1 to 600,000.
   */
  redialMinMs?: number | undefined
  /** Longest wait before any redial, milliseconds. Default: 30,000; 1 to 3,600,000. */
  redialMaxMs?: number | undefined
  /** Consecutive failures after which a path is given up for this connection. Default: ∞; 0 or more. */
  redialRetries?: number | undefined
}

export interface DialerOptions extends ConnOptions, DialerNumbers {
  /** Whether the connection stays writable after the peer's end, as in `net.connect`. Default: false. */
  allowHalfOpen?: boolean | undefined
  /**
   * Accepted peers: `any`, or `ours` to refuse Go peers. A Go peer cannot signal the end of its data. If others may
   * change bytes on a path, use `ours`, because a connection that was cut off looks like the end of a Go peer. With
   * `ours`, a peer that sends data or closes before it has announced itself causes ERR_MULTIPATH_PEER. Default: `any`.
   */
  peer?: AcceptedPeer | undefined
  /**
   * Whether each subflow must prove that it belongs to the connection before its data counts. With `prefer`, every peer
   * that supports the proof must give it: those of this package, from this version on. With `require`, other peers are
   * refused (ERR_MULTIPATH_AUTH). With `off`, knowledge of the connection ID is enough to join. Default: `prefer`.
   */
  joinAuth?: JoinAuth | undefined
  /**
   * A secret that both sides know, from 16 to 65,536 bytes: a peer that does not know it gets ERR_MULTIPATH_AUTH before
   * any byte is delivered, even if it controls the whole network. The secret must be random (`openssl rand -hex 32`),
   * because a peer can try guesses offline. With a secret, `joinAuth` is `require`, and the first bytes arrive a round
   * trip later. Default: none.
   */
  secret?: string | Uint8Array | undefined
  /** Chooses the path of each frame that we send: a name, or a scheduler of your own. Default: `lowest-rtt`. */
  scheduler?: SchedulerName | Scheduler | undefined
  /**
   * Name of the scheduler that the peer is to use for what it sends, if it is one of ours and accepts that
   * (`acceptPeerPolicy`). Default: the peer's own choice.
   */
  peerScheduler?: SchedulerName | undefined
  /**
   * Target of the trace of each connection: a file, or a function that gets each line (docs/trace.md). Default: the
   * file in the environment variable MULTIPATH_TRACE, or none.
   */
  trace?: TraceTarget | undefined
  /**
   * A name for this side, for logs of the listener (`conn.peerName`), of at most 64 bytes. The peer cannot verify it.
   * Go peers do not get it. Default: none.
   */
  name?: string | undefined
  /** Source of time, for tests. */
  clock?: Clock | undefined
}

const DIALER_NUMBERS: OptionTable<DialerNumbers> = {
  handshakeTimeoutMs: { default: 10_000, min: 1, max: 600_000 },
  headStartMs: { default: 100, min: 0, max: 60_000 },
  redialMinMs: { default: 200, min: 1, max: 600_000 },
  redialMaxMs: { default: 30_000, min: 1, max: 3_600_000 },
  redialRetries: { default: Infinity, min: 0, max: Infinity },
}

export const DIALER_TABLE: OptionTable<ConnOptions & DialerNumbers> = { ...CONN_OPTIONS, ...DIALER_NUMBERS }

const OTHERS = [
  'allowHalfOpen',
  'peer',
  'joinAuth',
  'secret',
  'scheduler',
  'peerScheduler',
  'trace',
  'name',
  'clock',
]

/** Whether a dialer has an option of that name. */
export function isDialerOption(name: string): boolean {
  return name in DIALER_TABLE || OTHERS.includes(name)
}

/**
 * What a connection needs to begin.
 *
 * @throws {OptionError}
 */
export function connInit(options: DialerOptions = {}): ConnInit {
  return {
    options: resolveDialerOptions(options),
    scheduler: schedulerOf(options.scheduler),
    clock: options.clock ?? systemClock,
    random: Math.random,
    allowHalfOpen: options.allowHalfOpen ?? false,
    accepts: acceptedPeer(options.peer),
    facts: { name: checkName(options.name), scheduler: wantedScheduler(options) },
    joins: joinSecurity(options),
    trace: traceOf(options.trace, 'dialer'),
  }
}

/** @throws {OptionError} */
function wantedScheduler({ peerScheduler }: DialerOptions): SchedulerName | undefined {
  return peerScheduler === undefined ? undefined : checkSchedulerName(peerScheduler)
}

/** @throws {OptionError} */
function checkName(name: unknown): string | undefined {
  if (name === undefined) return undefined
  if (typeof name !== 'string' || Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw new OptionError(`name must be a string of at most ${MAX_NAME_BYTES} bytes`)
  return name
}

/** @throws {OptionError} */
export function resolveDialerOptions(options: DialerOptions = {}): Resolved<ConnOptions & DialerNumbers> {
  refuseUnknown(options, DIALER_TABLE, OTHERS)
  checkBoolean('allowHalfOpen', options.allowHalfOpen)
  acceptedPeer(options.peer)
  joinSecurity(options)
  checkClock(options.clock)
  schedulerOf(options.scheduler)
  checkTrace(options.trace)
  checkName(options.name)
  wantedScheduler(options)
  return resolveOptions(DIALER_TABLE, options)
}

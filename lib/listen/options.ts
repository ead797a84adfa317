// SPDX-License-Identifier: Apache-2.0
/** Options of a listener. */
import type { Clock } from '../clock.js'
import type { TraceTarget } from '../conn/trace-sink.js'
import { checkTrace } from '../conn/trace-sink.js'
import type { ConnOptions } from '../core/options.js'
import { CONN_OPTIONS } from '../core/options.js'
import type { AcceptedPeer } from '../core/peer-profile.js'
import { acceptedPeer } from '../core/peer-profile.js'
import type { Scheduler } from '../core/scheduler.js'
import type { SchedulerName } from '../core/schedulers/by-name.js'
import { schedulerOf } from '../core/schedulers/by-name.js'
import { OptionError } from '../errors.js'
import type { OptionTable, Resolved } from '../options.js'
import { checkBoolean, checkClock, refuseUnknown, resolveOptions } from '../options.js'
import type { AddressLists } from './address-lists.js'
import { checkLists } from './address-lists.js'
import { descriptorShare } from './descriptors.js'
import type { AuthorizeJoin } from './join-request.js'
import type { TrustedProxies } from './trusted-proxies.js'

/** Numbers that only a listener needs. */
export interface ListenerNumbers {
  /** Time limit of a handshake, milliseconds. */
  handshakeTimeoutMs?: number | undefined
  /**
   * Sockets at once, shared evenly by the servers that are a `net.Server` and have no `maxConnections` of their own; one
   * more is closed unread. Default: three quarters of the descriptors that the process may have open, where the system
   * says how many. It bounds the defaults of `maxConnections`, `maxPendingHandshakes` and
   * `maxPendingHandshakesPerAddress`: all, a third and a twelfth of it.
   */
  maxSockets?: number | undefined
  /** Handshakes under way; for one more, the oldest from the address that has the most is closed. */
  maxPendingHandshakes?: number | undefined
  /** Handshakes under way of one address, or one IPv6 network of 64 bits; for one more, its oldest is closed. */
  maxPendingHandshakesPerAddress?: number | undefined
  /** Connections that are not closed yet; those that ask for more are closed without an answer. */
  maxConnections?: number | undefined
  /** Connections that wait for `accept`; those that ask for more are closed without an answer. */
  maxBacklog?: number | undefined
  /**
   * Joins of one address to one connection per second, once it has had `maxSubflows` of them; one more is closed without
   * an answer. Only those count that were let in. A Go client joins once with each path, ours waits longer after each
   * failure.
   */
  maxJoinsPerSecond?: number | undefined
  /**
   * Hellos of one address that are refused per second, once there were `maxPendingHandshakesPerAddress` of them: unknown
   * CIDs, wrong versions, refused joins and joins too many. Further streams of it are closed before anything of them is
   * read, with a `tls.Server` before its handshake. Each connection that it opened and that stands adds as much again.
   */
  maxRefusalsPerSecond?: number | undefined
  /**
   * A connection of which nothing was read, written or acked for so long is destroyed with ERR_MULTIPATH_IDLE, up to a
   * quarter later, milliseconds. Off, as with `net.Server`: a live peer that has nothing to say for a day may be welcome.
   */
  idleTimeoutMs?: number | undefined
}

export interface ListenerOptions extends ConnOptions, ListenerNumbers, AddressLists {
  /**
   * Asked for each stream that knows the CID of a connection and wants to join it, with what is known of it and of the
   * connection's first stream. `false`, an error, and no answer within `handshakeTimeoutMs` of the handshake refuse it.
   * Default: whoever knows the CID may join.
   */
  authorizeJoin?: AuthorizeJoin | undefined
  /** Whether connections stay writable after the peer's end, as in `net.createServer`. Default: false. */
  allowHalfOpen?: boolean | undefined
  /**
   * Which peers are taken: `any`, or `ours` alone. A Go peer cannot say that it has finished: where somebody on a path
   * may change bytes, none should be taken, since an end that is cut off looks like one of its ends. With `ours`, a peer
   * that sends anything or goes before it has announced itself is a violation, ERR_MULTIPATH_PEER. Default: `any`.
   */
  peer?: AcceptedPeer | undefined
  /** Which paths carry what we send: a name, or a scheduler of one's own. Default: `lowest-rtt`. */
  scheduler?: SchedulerName | Scheduler | undefined
  /**
   * Where a trace of each connection goes: a file, or a function that gets each line (docs/trace.md).
   * Default: the file that the environment names as MULTIPATH_TRACE, or none.
   */
  trace?: TraceTarget | undefined
  /**
   * Balancers, as a `net.BlockList` or as addresses and networks: a stream from there has to begin with a PROXY header
   * (version 1 or 2), and counts as the client's that it names. Of all others none is read. Not with TLS servers:
   * docs/fleet.md. Default: none.
   */
  trustedProxies?: TrustedProxies | undefined
  /**
   * In a worker of `node:cluster`: a subflow of another worker's connection is handed over to it. The primary calls
   * `relaySubflows`. One listener of each worker, with the same servers in the same order, none of them of TLS:
   * docs/fleet.md. Default: false.
   */
  cluster?: boolean | undefined
  /** Source of time; for tests. */
  clock?: Clock | undefined
}

const LISTENER_NUMBERS: OptionTable<ListenerNumbers> = {
  handshakeTimeoutMs: { default: 10_000, min: 1, max: 600_000 },
  maxSockets: { default: Infinity, min: 1, max: Infinity },
  maxPendingHandshakes: { default: 1024, min: 1, max: 1_000_000 },
  maxPendingHandshakesPerAddress: { default: 256, min: 1, max: 1_000_000 },
  maxConnections: { default: 65_536, min: 1, max: Infinity },
  maxBacklog: { default: 1024, min: 1, max: 1_000_000 },
  maxJoinsPerSecond: { default: 16, min: 1, max: Infinity },
  maxRefusalsPerSecond: { default: 16, min: 1, max: Infinity },
  idleTimeoutMs: { default: Infinity, min: 4, max: Infinity },
}

export const LISTENER_TABLE: OptionTable<ConnOptions & ListenerNumbers> = {
  ...CONN_OPTIONS,
  ...LISTENER_NUMBERS,
}

/** Of all descriptors, for sockets of peers. The rest is left to the program. */
const SOCKETS_PART = 3 / 4

const OTHERS = [
  ...['allowHalfOpen', 'peer', 'scheduler', 'trace', 'clock'],
  ...['blockList', 'allowList', 'authorizeJoin', 'trustedProxies', 'cluster'],
]

/** @throws {OptionError} */
export function resolveListenerOptions(
  options: ListenerOptions = {},
): Resolved<ConnOptions & ListenerNumbers> {
  refuseUnknown(options, LISTENER_TABLE, OTHERS)
  checkLists(options)
  if (options.authorizeJoin !== undefined && typeof (options.authorizeJoin as unknown) !== 'function')
    throw new OptionError('authorizeJoin must be a function')
  checkBoolean('allowHalfOpen', options.allowHalfOpen)
  checkBoolean('cluster', options.cluster)
  acceptedPeer(options.peer)
  checkClock(options.clock)
  schedulerOf(options.scheduler)
  checkTrace(options.trace)
  const { maxSockets = descriptorShare(SOCKETS_PART), ...others } = resolveGiven(options)
  return resolveOptions(LISTENER_TABLE, { ...boundBySockets(maxSockets), ...others, maxSockets })
}

/** The options that were given, each in its range. */
function resolveGiven(options: ListenerOptions): Partial<Resolved<ConnOptions & ListenerNumbers>> {
  const all = Object.entries(resolveOptions(LISTENER_TABLE, options))
  return Object.fromEntries(all.filter(([name]) => options[name as keyof ListenerOptions] !== undefined))
}

/** Defaults of those limits that each cost a socket, where there are `maxSockets` of them. */
export function boundBySockets(
  maxSockets: number,
): Pick<ListenerNumbers, 'maxConnections' | 'maxPendingHandshakes' | 'maxPendingHandshakesPerAddress'> {
  const bounded = (name: keyof ListenerNumbers, part: number): number =>
    Math.min(LISTENER_NUMBERS[name].default, Math.max(1, Math.floor(maxSockets / part)))
  return {
    maxConnections: bounded('maxConnections', 1),
    maxPendingHandshakes: bounded('maxPendingHandshakes', 3),
    maxPendingHandshakesPerAddress: bounded('maxPendingHandshakesPerAddress', 12),
  }
}

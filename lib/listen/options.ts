// SPDX-License-Identifier: Apache-2.0
/** Options of a listener. */
import type { Clock } from '../clock.js'
import type { TraceTarget } from '../conn/trace-sink.js'
import { checkTrace } from '../conn/trace-sink.js'
import type { ConnInit } from '../conn/multipath-conn.js'
import type { ConnOptions } from '../core/options.js'
import { CONN_OPTIONS } from '../core/options.js'
import type { AcceptedPeer } from '../core/peer-profile.js'
import { acceptedPeer } from '../core/peer-profile.js'
import type { Scheduler } from '../core/scheduler.js'
import type { SchedulerName } from '../core/schedulers/by-name.js'
import { schedulerOf } from '../core/schedulers/by-name.js'
import type { JoinAuth } from '../core/join-keys.js'
import { joinSecurity } from '../conn/join-keys.js'
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
  /** Time limit of a handshake, milliseconds. Default: 10,000; 1 to 600,000. */
  handshakeTimeoutMs?: number | undefined
  /**
   * Sockets at once. The servers that are a `net.Server` without `maxConnections` share this number evenly, and
   * close further sockets unread. Default: three quarters of the descriptors that the process may open, if the
   * system tells the number. The limit also bounds the defaults of `maxConnections` (all of it),
   * `maxPendingHandshakes` (a third) and `maxPendingTlsHandshakes` (a sixth).
   */
  maxSockets?: number | undefined
  /**
   * Pending handshakes. For a further one, the oldest handshake of the address with the largest number is closed. Default:
   * 4,096; 1 to 1,000,000.
   */
  maxPendingHandshakes?: number | undefined
  /**
   * Pending handshakes of TLS, which cost more, and are each followed by one of ours. One address, or one IPv6 /64 network,
   * may have a quarter of them. For a further one, the oldest is closed, as with `maxPendingHandshakes`. Default: 1,024; 1
   * to 1,000,000.
   */
  maxPendingTlsHandshakes?: number | undefined
  /**
   * Connections that are not closed yet. Requests for further ones are closed without an answer. Default: 65,536; 1 or
   * more.
   */
  maxConnections?: number | undefined
  /**
   * Connections that wait for `accept`. Requests for further ones are closed without an answer. Default: 1,024; 1 to
   * 1,000,000.
   */
  maxBacklog?: number | undefined
  /**
   * Accepted joins of one address to one connection per second, after the first `maxSubflows`. Further ones are closed
   * without an answer. A Go client joins once with each path, and our dialer waits longer after each failure. Default: 16;
   * 1 or more.
   */
  maxJoinsPerSecond?: number | undefined
  /**
   * Refused hellos of one address, or one IPv6 /64 network, per second, after the first `maxRefusalsAtOnce`: unknown CIDs,
   * wrong versions, refused joins and too many joins. Further streams of the address are closed unread, with a `tls.Server`
   * before its handshake. Each open connection that the address has opened adds the same number again. Default: 16; 1 or
   * more.
   */
  maxRefusalsPerSecond?: number | undefined
  /** Refused hellos of one address before `maxRefusalsPerSecond` applies. Default: 256; 1 to 1,000,000. */
  maxRefusalsAtOnce?: number | undefined
  /**
   * Connections that are suspended at once (`holdMs`). For a further one, the one suspended longest ago ends. Default:
   * 10,000; 0 or more.
   */
  maxSuspended?: number | undefined
  /**
   * Bytes that all suspended connections hold together: unread, and not yet acked. Beyond the limit, the one suspended
   * longest ago ends. Default: 256 MiB; 0 or more.
   */
  maxSuspendedBytes?: number | undefined
  /**
   * Time after which a connection without reads, writes or acks is destroyed with ERR_MULTIPATH_IDLE, milliseconds. It may
   * take up to a quarter longer. The option is off by default, as with `net.Server`, because a live peer may be silent for
   * a day. Default: ∞; 4 or more.
   */
  idleTimeoutMs?: number | undefined
}

export interface ListenerOptions extends ConnOptions, ListenerNumbers, AddressLists {
  /**
   * Called for each stream that presents the CID of a connection, with information about this stream and the first
   * stream of the connection. `false`, an error, or no answer within `handshakeTimeoutMs` refuses the join. Default:
   * every stream with the CID may join.
   */
  authorizeJoin?: AuthorizeJoin | undefined
  /** Whether connections stay writable after the peer's end, as in `net.createServer`. Default: false. */
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
   * Whether a multipath-net dialer may control how this side sends: tier, weight, caps and pause of each of its paths,
   * and a scheduler (`peerScheduler`). Its labels are always shown. Default: true.
   */
  acceptPeerPolicy?: boolean | undefined
  /**
   * Target of the trace of each connection: a file, or a function that gets each line (docs/trace.md). Default: the
   * file in the environment variable MULTIPATH_TRACE, or none.
   */
  trace?: TraceTarget | undefined
  /**
   * Balancers, as a `net.BlockList` or as addresses and networks. A stream from a balancer must begin with a PROXY
   * header (version 1 or 2), and gets the client address of that header. Headers from other addresses are not read.
   * Not for TLS servers: docs/fleet.md. Default: none.
   */
  trustedProxies?: TrustedProxies | undefined
  /**
   * In a worker of `node:cluster`: hands a subflow of a different worker's connection over to that worker. The
   * primary calls `relaySubflows`. Each worker has one listener, with the same servers in the same order, and
   * without TLS: docs/fleet.md. Default: false.
   */
  cluster?: boolean | undefined
  /** Source of time, for tests. */
  clock?: Clock | undefined
}

const LISTENER_NUMBERS: OptionTable<ListenerNumbers> = {
  handshakeTimeoutMs: { default: 10_000, min: 1, max: 600_000 },
  maxSockets: { default: Infinity, min: 1, max: Infinity },
  maxPendingHandshakes: { default: 4096, min: 1, max: 1_000_000 },
  maxPendingTlsHandshakes: { default: 1024, min: 1, max: 1_000_000 },
  maxConnections: { default: 65_536, min: 1, max: Infinity },
  maxBacklog: { default: 1024, min: 1, max: 1_000_000 },
  maxJoinsPerSecond: { default: 16, min: 1, max: Infinity },
  maxRefusalsPerSecond: { default: 16, min: 1, max: Infinity },
  maxRefusalsAtOnce: { default: 256, min: 1, max: 1_000_000 },
  maxSuspended: { default: 10_000, min: 0, max: Infinity },
  maxSuspendedBytes: { default: 256 * 1024 * 1024, min: 0, max: Infinity },
  idleTimeoutMs: { default: Infinity, min: 4, max: Infinity },
}

export const LISTENER_TABLE: OptionTable<ConnOptions & ListenerNumbers> = {
  ...CONN_OPTIONS,
  ...LISTENER_NUMBERS,
}

/** Of all descriptors, for sockets of peers. The rest is left to the program. */
const SOCKETS_PART = 3 / 4

const OTHERS = [
  ...['allowHalfOpen', 'peer', 'joinAuth', 'secret', 'scheduler', 'acceptPeerPolicy', 'trace', 'clock'],
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
  checkBoolean('acceptPeerPolicy', options.acceptPeerPolicy)
  acceptedPeer(options.peer)
  joinSecurity(options)
  checkClock(options.clock)
  schedulerOf(options.scheduler)
  checkTrace(options.trace)
  const { maxSockets = descriptorShare(SOCKETS_PART), ...others } = resolveGiven(options)
  return resolveOptions(LISTENER_TABLE, { ...boundBySockets(maxSockets), ...others, maxSockets })
}

/** What the options say of each connection that are no numbers. */
export type ConnKind = Pick<ConnInit, 'accepts' | 'allowHalfOpen' | 'joins' | 'acceptsPeerPolicy'>

export function connKind(options: ListenerOptions): ConnKind {
  const { peer: accepts = 'any', allowHalfOpen = false, acceptPeerPolicy: acceptsPeerPolicy } = options
  return { accepts, allowHalfOpen, acceptsPeerPolicy, joins: joinSecurity(options) }
}

/** The options that were given, each in its range. */
function resolveGiven(options: ListenerOptions): Partial<Resolved<ConnOptions & ListenerNumbers>> {
  const all = Object.entries(resolveOptions(LISTENER_TABLE, options))
  return Object.fromEntries(all.filter(([name]) => options[name as keyof ListenerOptions] !== undefined))
}

/** Defaults of those limits that each cost a socket, where there are `maxSockets` of them. */
export function boundBySockets(
  maxSockets: number,
): Pick<ListenerNumbers, 'maxConnections' | 'maxPendingHandshakes' | 'maxPendingTlsHandshakes'> {
  const bounded = (name: keyof ListenerNumbers, part: number): number =>
    Math.min(LISTENER_NUMBERS[name].default, Math.max(1, Math.floor(maxSockets / part)))
  return {
    maxConnections: bounded('maxConnections', 1),
    maxPendingHandshakes: bounded('maxPendingHandshakes', 3),
    maxPendingTlsHandshakes: bounded('maxPendingTlsHandshakes', 6),
  }
}

// SPDX-License-Identifier: Apache-2.0
/** Public names, nothing else. */
export type { SubflowChange, SubflowEventName } from './conn/attach.js'
export type { ConnEvents } from './conn/conn-events.js'
export type { DatagramStream } from './conn/datagram-stream.js'
export type { UnorderedMessageStream } from './conn/unordered-messages.js'
export { MultipathConn } from './conn/multipath-conn.js'
export type { NetConn } from './conn/net-conn.js'
export { DeadlineError } from './conn/net-conn.js'
export type { ConnPath, PathState } from './conn/path-view.js'
export type { PathStats } from './conn/path-stats.js'
export type { Carried, SubflowStats } from './conn/subflow-stats.js'
export type { Resumed } from './conn/suspension-events.js'
export type { TraceTarget } from './conn/trace-sink.js'
export type { Clock } from './clock.js'
export type {
  DatagramOptions,
  DatagramSendOptions,
  DatagramStats,
} from './core/datagrams/datagram-options.js'
export type { Busyness, Eligibility, Exclusion } from './core/eligibility.js'
export type { CloseReason, SubflowState } from './core/health.js'
export type { ConnLimits, ConnOptions } from './core/options.js'
export type { ParallelPolicy, PathNumbers, PathPolicy, Tier } from './core/path.js'
export type { Scheduler, Snapshot, SubflowView } from './core/scheduler.js'
export type { JoinAuth } from './core/join-keys.js'
export type { AcceptedPeer } from './core/peer-profile.js'
export type { SchedulerName } from './core/schedulers/by-name.js'
export { schedulers } from './core/schedulers/by-name.js'
export type { StatsTracker } from './core/tracker.js'
export { NullTracker } from './core/tracker.js'
export type {
  DiagnosticsMessages,
  DialMessage,
  ResumedMessage,
  SubflowMessage,
  SuspendedMessage,
} from './diagnostics.js'
export type { DialerEvents, PathFailureEvent } from './dial/multipath-dialer.js'
export { MultipathDialer } from './dial/multipath-dialer.js'
export type { DialerOptions } from './dial/options.js'
export type { ErrorCode, PathFailure, SystemDetail } from './errors.js'
export {
  DialError,
  HoldError,
  MultipathError,
  OptionError,
  RemoteProtocolError,
  ResetError,
} from './errors.js'
export type { AuthorizeJoin, JoinRequest, PeerFacts } from './listen/join-request.js'
export type { RelayOptions } from './listen/cluster-relay.js'
export { relaySubflows } from './listen/cluster-relay.js'
export { descriptorLimit, descriptorShare } from './listen/descriptors.js'
export type { FullOf } from './listen/capacity.js'
export type { ListenerEvents } from './listen/listener-events.js'
export { MultipathListener } from './listen/multipath-listener.js'
export type { ListenPlace, ServerEvents, ServerOptions } from './listen/multipath-server.js'
export { createServer, MultipathServer } from './listen/multipath-server.js'
export type { AddressLists } from './listen/address-lists.js'
export type { ListenerOptions } from './listen/options.js'
export type { TrustedProxies } from './listen/trusted-proxies.js'
export type { MessageOptions, MessageStream } from './messages/messages.js'
export type { ConnectArguments, ConnectOptions, SocketOptions } from './net.js'
export { connect, createConnection, MultipathSocket } from './net.js'
export type { PathSource, PathSourceListener } from './transport/path-source.js'
export type { AddressPair, Pairing } from './paths/address-pairs.js'
export type { FoundPairs } from './paths/find-address-pairs.js'
export { findAddressPairs } from './paths/find-address-pairs.js'
export { interfacePaths } from './paths/interface-paths.js'
export type { InterfacePathsOptions } from './paths/interface-paths-options.js'
export type { Family, LocalAddress, LocalAddressFilter } from './paths/local-addresses.js'
export { localAddresses } from './paths/local-addresses.js'
export type { Matcher } from './paths/matcher.js'
export type { FoundAddress, Lookup, Target } from './paths/target-addresses.js'
export type { TcpDialerOptions } from './transport/tcp.js'
export { tcpDialer } from './transport/tcp.js'
export type { Origins } from './transport/origins.js'
export type { PinOptions } from './transport/pins.js'
export type { ProxyDialerOptions } from './transport/proxy.js'
export { proxyDialer } from './transport/proxy.js'
export type { TlsDialerOptions } from './transport/tls.js'
export { tlsDialer } from './transport/tls.js'
export type {
  DialOptions,
  IncomingStream,
  PathOptions,
  SocketSource,
  SubflowDialer,
  SubflowServer,
} from './transport/transport.js'
export type { UnixDialerOptions } from './transport/unix.js'
export { unixDialer } from './transport/unix.js'
export type { WebSocketDialerOptions, WebSocketTlsOptions } from './transport/websocket.js'
export { webSocketDialer } from './transport/websocket.js'
export type {
  WebSocketAcceptor,
  WebSocketAcceptorEvents,
  WebSocketServerOptions,
} from './transport/websocket-server.js'
export { webSocketServer } from './transport/websocket-server.js'
export type { VarInt } from './wire/varint.js'
export { readVarInt, varIntLen, writeVarInt } from './wire/varint.js'

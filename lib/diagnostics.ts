// SPDX-License-Identifier: Apache-2.0
/** The messages on channels of `node:diagnostics_channel`, for those who subscribe. They are published by conn/ and dial/. */
import type { SubflowChange } from './conn/attach.js'
import type { MultipathConn } from './conn/multipath-conn.js'
import type { Resumed } from './conn/suspension-events.js'
import type { MultipathDialer } from './dial/multipath-dialer.js'

/** A subflow changed its state, on either side. */
export interface SubflowMessage {
  /** The connection that has the subflow. */
  readonly conn: MultipathConn
  /** The change of its state. */
  readonly change: SubflowChange
}

/** A connection lost its last subflow, and is held. */
export interface SuspendedMessage {
  /** The connection that is held. */
  readonly conn: MultipathConn
}

/** A suspended connection has a subflow again. */
export interface ResumedMessage extends SuspendedMessage, Resumed {}

/** The dial of a connection, on each of the channels of `tracingChannel('multipath:dial')`. */
export interface DialMessage {
  /** The dialer at work. */
  readonly dialer: MultipathDialer
  /** The connection that it establishes. */
  readonly conn: MultipathConn
  /** Why it failed: a `DialError`, or the reason of its signal. */
  readonly error?: unknown
}

/** What is published, by the name of the channel. */
export interface DiagnosticsMessages {
  /** A subflow is up. */
  'multipath:subflow:open': SubflowMessage
  /** A subflow owes an answer for longer than its path explains. */
  'multipath:subflow:suspect': SubflowMessage
  /** A suspect subflow has answered. */
  'multipath:subflow:recovered': SubflowMessage
  /** A subflow is closed. */
  'multipath:subflow:close': SubflowMessage
  /** A connection has lost its last subflow, and is held. */
  'multipath:connection:suspended': SuspendedMessage
  /** A suspended connection has a subflow again. */
  'multipath:connection:resumed': ResumedMessage
  /** A tracing channel: `start`, `end`, `asyncStart`, `asyncEnd` and `error`. */
  'multipath:dial': DialMessage
}

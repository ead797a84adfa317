// SPDX-License-Identifier: Apache-2.0
/** The messages on channels of `node:diagnostics_channel`, for those who subscribe. They are published by conn/ and dial/. */
import type { SubflowChange } from './conn/attach.js'
import type { MultipathConn } from './conn/multipath-conn.js'
import type { Resumed } from './conn/suspension-events.js'
import type { MultipathDialer } from './dial/multipath-dialer.js'

/** A subflow changed its state, on either side. */
export interface SubflowMessage {
  readonly conn: MultipathConn
  readonly change: SubflowChange
}

/** A connection lost its last subflow, and is held. */
export interface SuspendedMessage {
  readonly conn: MultipathConn
}

/** A suspended connection has a subflow again. */
export interface ResumedMessage extends SuspendedMessage, Resumed {}

/** The dial of a connection, on each of the channels of `tracingChannel('multipath:dial')`. */
export interface DialMessage {
  readonly dialer: MultipathDialer
  readonly conn: MultipathConn
  /** Why it failed: a `DialError`, or the reason of its signal. */
  readonly error?: unknown
}

/** What is published, by the name of the channel. */
export interface DiagnosticsMessages {
  'multipath:subflow:open': SubflowMessage
  'multipath:subflow:suspect': SubflowMessage
  'multipath:subflow:recovered': SubflowMessage
  'multipath:subflow:close': SubflowMessage
  'multipath:connection:suspended': SuspendedMessage
  'multipath:connection:resumed': ResumedMessage
  /** A tracing channel: `start`, `end`, `asyncStart`, `asyncEnd` and `error`. */
  'multipath:dial': DialMessage
}

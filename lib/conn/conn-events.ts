// SPDX-License-Identifier: Apache-2.0
/** What a connection tells of: the names of its events and the arguments of their listeners. */
import type { Readable } from 'node:stream'
import { SocketSurface } from '../stream/socket-surface.js'
import type { SubflowChange, SubflowEventName } from './attach.js'
import type { Resumed } from './suspension-events.js'

/** Events of a connection: those of its subflows, of its own, and those of a `Duplex` and of `net.Socket`. */
export interface ConnEvents extends Record<SubflowEventName, [change: SubflowChange]> {
  /** A subflow is up: the handshake is done, and the peer has answered on it. */
  'subflow-open': [change: SubflowChange]
  /** A subflow owes an answer for longer than its path explains. Its data is sent again on other paths. */
  'subflow-suspect': [change: SubflowChange]
  /** A suspect subflow has answered, and carries data again. */
  'subflow-recovered': [change: SubflowChange]
  /** A subflow is closed; `reason` says why. */
  'subflow-close': [change: SubflowChange]
  /** The last subflow is gone, and the connection is held (`holdMs`). */
  suspended: []
  /** A subflow is back. */
  resumed: [resumed: Resumed]
  /** The connection is established: its first subflow is up. On the side that dialled. */
  connect: []
  /** After `connect`, once the data that was written before has left. */
  ready: []
  /** Nothing was read or written for the time given to `setTimeout`. */
  timeout: []
  /** The connection is closed; `hadError` tells whether it failed. */
  close: [hadError: boolean]
  /** The connection has failed, and closes: see docs/errors.md. */
  error: [error: Error]
  /** Bytes from the peer, or text after `setEncoding`. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- As Node's: it depends on `setEncoding`.
  data: [chunk: any]
  /** The peer has ended its data, and all of it was read. */
  end: []
  /** After `end()`, the peer has acked all data and the end. */
  finish: []
  /** After `write()` has returned `false`: more may be written. */
  drain: []
  /** `pause()` was called while data was flowing. */
  pause: []
  /** `resume()` was called, or a `data` listener was added. */
  resume: []
  /** There is something to `read()`, or the end. */
  readable: []
  /** Something was piped into the connection. */
  pipe: [source: Readable]
  /** A pipe into the connection was removed. */
  unpipe: [source: Readable]
}

/**
 * A name whose listener may take anything, as with a `Duplex`: programs for `net` annotate `error` in their own ways, and
 * wait for an event without arguments by the `resolve` of a promise.
 */
type Other<Name> = Name extends SubflowEventName | 'resumed' ? never : Name
type Listener<Name extends keyof ConnEvents> = (...args: ConnEvents[Name]) => void
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- As Node's.
type AnyListener = (...args: any[]) => void

/** Gives the events of a `Duplex` the types of `ConnEvents`. */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- What is merged are the methods of EventEmitter.
export abstract class EventSurface extends SocketSurface {}

// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- What is merged are the methods of EventEmitter.
export interface EventSurface {
  /** Adds a listener of an event of {@link ConnEvents}. */
  addListener<Name extends keyof ConnEvents>(event: Name, listener: Listener<Name>): this
  /** Adds a listener of any other event. */
  addListener<Name extends string | symbol>(event: Other<Name>, listener: AnyListener): this
  /** Adds a listener of an event of {@link ConnEvents}. */
  on<Name extends keyof ConnEvents>(event: Name, listener: Listener<Name>): this
  /** Adds a listener of any other event. */
  on<Name extends string | symbol>(event: Other<Name>, listener: AnyListener): this
  /** Adds a listener that is called once of an event of {@link ConnEvents}. */
  once<Name extends keyof ConnEvents>(event: Name, listener: Listener<Name>): this
  /** Adds a listener that is called once of any other event. */
  once<Name extends string | symbol>(event: Other<Name>, listener: AnyListener): this
  /** Adds a listener before all others of an event of {@link ConnEvents}. */
  prependListener<Name extends keyof ConnEvents>(event: Name, listener: Listener<Name>): this
  /** Adds a listener before all others of any other event. */
  prependListener<Name extends string | symbol>(event: Other<Name>, listener: AnyListener): this
  /** Adds a listener before all others, that is called once of an event of {@link ConnEvents}. */
  prependOnceListener<Name extends keyof ConnEvents>(event: Name, listener: Listener<Name>): this
  /** Adds a listener before all others, that is called once of any other event. */
  prependOnceListener<Name extends string | symbol>(event: Other<Name>, listener: AnyListener): this
  /** Removes a listener of an event of {@link ConnEvents}. */
  off<Name extends keyof ConnEvents>(event: Name, listener: Listener<Name>): this
  /** Removes a listener of any other event. */
  off<Name extends string | symbol>(event: Other<Name>, listener: AnyListener): this
  /** Removes a listener of an event of {@link ConnEvents}. */
  removeListener<Name extends keyof ConnEvents>(event: Name, listener: Listener<Name>): this
  /** Removes a listener of any other event. */
  removeListener<Name extends string | symbol>(event: Other<Name>, listener: AnyListener): this
  /** Calls the listeners of an event of {@link ConnEvents}. */
  emit<Name extends keyof ConnEvents>(event: Name, ...args: ConnEvents[Name]): boolean
  /** Calls the listeners of any other event. */
  emit<Name extends string | symbol>(event: Other<Name>, ...args: unknown[]): boolean
}

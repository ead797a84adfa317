// SPDX-License-Identifier: Apache-2.0
/** What a connection tells of: the names of its events and the arguments of their listeners. */
import type { Readable } from 'node:stream'
import { SocketSurface } from '../stream/socket-surface.js'
import type { SubflowChange, SubflowEventName } from './attach.js'
import type { Resumed } from './suspension-events.js'

/** Events of a connection: those of its subflows, of its own, and those of a `Duplex` and of `net.Socket`. */
export interface ConnEvents extends Record<SubflowEventName, [change: SubflowChange]> {
  /** The last subflow is gone, and the connection is held (`holdMs`). */
  suspended: []
  /** A subflow is back. */
  resumed: [resumed: Resumed]
  /** The first subflow is there; of a connection that has been dialled. */
  connect: []
  /** After `connect`, and after what was written meanwhile has left. */
  ready: []
  /** Nothing was read or written for as long as `setTimeout` says. */
  timeout: []
  /** It is closed; `hadError` tells whether by an error. */
  close: [hadError: boolean]
  /** It failed, and closes: see docs/errors.md. */
  error: [error: Error]
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- As Node's: it depends on `setEncoding`.
  data: [chunk: any]
  /** The peer has ended, and all that it sent is read. */
  end: []
  /** Our end and all before it is acked. */
  finish: []
  drain: []
  pause: []
  resume: []
  readable: []
  pipe: [source: Readable]
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
  addListener<Name extends keyof ConnEvents>(event: Name, listener: Listener<Name>): this
  addListener<Name extends string | symbol>(event: Other<Name>, listener: AnyListener): this
  on<Name extends keyof ConnEvents>(event: Name, listener: Listener<Name>): this
  on<Name extends string | symbol>(event: Other<Name>, listener: AnyListener): this
  once<Name extends keyof ConnEvents>(event: Name, listener: Listener<Name>): this
  once<Name extends string | symbol>(event: Other<Name>, listener: AnyListener): this
  prependListener<Name extends keyof ConnEvents>(event: Name, listener: Listener<Name>): this
  prependListener<Name extends string | symbol>(event: Other<Name>, listener: AnyListener): this
  prependOnceListener<Name extends keyof ConnEvents>(event: Name, listener: Listener<Name>): this
  prependOnceListener<Name extends string | symbol>(event: Other<Name>, listener: AnyListener): this
  off<Name extends keyof ConnEvents>(event: Name, listener: Listener<Name>): this
  off<Name extends string | symbol>(event: Other<Name>, listener: AnyListener): this
  removeListener<Name extends keyof ConnEvents>(event: Name, listener: Listener<Name>): this
  removeListener<Name extends string | symbol>(event: Other<Name>, listener: AnyListener): this
  emit<Name extends keyof ConnEvents>(event: Name, ...args: ConnEvents[Name]): boolean
  emit<Name extends string | symbol>(event: Other<Name>, ...args: unknown[]): boolean
}

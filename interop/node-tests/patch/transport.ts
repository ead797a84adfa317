// SPDX-License-Identifier: Apache-2.0
/** What takes the place of TCP under `net`. */
import type { Duplex } from 'node:stream'
import type { EventEmitter } from 'node:events'

export type Options = Record<string, unknown>
export type Listener = ((...args: unknown[]) => void) | null | undefined

/** A server with the surface of net.Server. */
export type AnyServer = EventEmitter & Record<string, never>

export interface Transport {
  /** As net.connect. */
  connect(...args: unknown[]): Duplex
  /** As new net.Socket: not connecting yet. */
  socket(options: Options): Duplex
  /** As net.createServer. */
  createServer(options: Options, listener: Listener): AnyServer
  /** What net.Socket makes. */
  readonly socketPrototype: object
  isSocket(value: unknown): boolean
  isServer(value: unknown): boolean
}

// SPDX-License-Identifier: Apache-2.0
/** One server of a listener: the streams that it brings, and what they are called. */
import type { EventEmitter } from 'node:events'
import { Server } from 'node:net'
import { discard } from '../ignore.js'
import type { IncomingStream, SubflowServer } from '../transport/transport.js'
import { dropReset, endsOf, keepAddresses } from './addresses.js'
import type { Capacity } from './capacity.js'
import type { SocketGuardInit } from './socket-guard.js'
import { SocketGuard } from './socket-guard.js'

export interface AcceptorInit {
  readonly guard: SocketGuardInit
  /** Sockets at once; Infinity for any number. Only where the server is one of Node, and has no number of its own. */
  readonly maxSockets: number
  readonly onStream: (stream: IncomingStream) => void
}

export class Acceptor {
  readonly #server: SubflowServer
  readonly #isTls: boolean
  /** Only where something else comes before the hello. */
  readonly #guard: SocketGuard | undefined
  readonly #capacity: Capacity
  readonly #onStream: (stream: IncomingStream) => void
  #unnamed = 0

  constructor(server: SubflowServer, { guard, maxSockets, onStream }: AcceptorInit) {
    this.#server = server
    this.#isTls = 'setSecureContext' in server
    if (this.#isTls) this.#guard = new SocketGuard(server, guard, true)
    else if (server.sockets !== undefined) this.#guard = new SocketGuard(server.sockets, guard, false)
    this.#capacity = guard.capacity
    this.#onStream = onStream
    server.on(this.#event, this.#serverOnStream)
    this.#refusals?.on('tlsClientError', this.#serverOnTlsError).on('refused', this.#serverOnRefused)
    const { sockets = server } = server
    if (!(sockets instanceof Server)) return
    if (maxSockets !== Infinity) (sockets as Partial<Server>).maxConnections ??= maxSockets
    sockets.on('drop', this.#serverOnDrop)
  }

  #detach(): void {
    this.#server.off(this.#event, this.#serverOnStream)
    this.#guard?.detach()
    this.#refusals?.off('tlsClientError', this.#serverOnTlsError).off('refused', this.#serverOnRefused)
    const { sockets = this.#server } = this.#server
    if (sockets instanceof Server) sockets.off('drop', this.#serverOnDrop)
  }

  /**
   * Takes no more streams. A server tells of its closing only after its last socket; its port is free at once. One of
   * Node may not listen yet, and still look up its host: closed now, it never will.
   */
  close(): void {
    this.#detach()
    if (this.#server.listening || this.#server instanceof Server) this.#server.close()
  }

  /** Identity of a stream: its addresses, or where it has none, a number. */
  labelOf(stream: IncomingStream): string {
    if (stream.remoteAddress !== undefined) return endsOf(stream)
    return `${this.#unixPath === undefined ? 'stream' : `unix:${this.#unixPath}`}#${++this.#unnamed}`
  }

  get #event(): 'connection' {
    return (this.#isTls ? 'secureConnection' : 'connection') as 'connection'
  }

  get #unixPath(): string | undefined {
    const address = (this.#server as Partial<Server>).address?.()
    return typeof address === 'string' ? address : undefined
  }

  /** What tells of sockets that came to nothing: a server of TLS, or one of WebSockets on a port of its own. */
  get #refusals(): EventEmitter | undefined {
    return this.#guard === undefined ? undefined : (this.#server as unknown as EventEmitter)
  }

  /** A peer that gives up has other codes: a dialer may do so whenever its connection is over. */
  readonly #serverOnTlsError = (error: NodeJS.ErrnoException, stream: IncomingStream): void => {
    if (error.code?.startsWith('ERR_SSL_') === true) this.#guard?.wrong(stream)
  }

  readonly #serverOnRefused = (stream: IncomingStream): void => this.#guard?.wrong(stream)

  readonly #serverOnDrop = (): void => this.#capacity.dropped()

  readonly #serverOnStream = (stream: IncomingStream): void => {
    const isKnown = keepAddresses(stream, this.#server)
    this.#guard?.release(stream)
    if (!isKnown) {
      dropReset(stream)
      return
    }
    if (this.#guard === undefined && this.#capacity.isExceeded()) {
      discard(stream)
      return
    }
    stream.setNoDelay?.(true)
    this.#onStream(stream)
  }
}

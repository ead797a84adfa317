// SPDX-License-Identifier: Apache-2.0
/** One server of a listener: the streams that it brings, and what they are called. */
import type { Server } from 'node:net'
import type { IncomingStream, SubflowServer } from '../transport/transport.js'
import type { SocketGuardInit } from './socket-guard.js'
import { SocketGuard } from './socket-guard.js'

export class Entrance {
  readonly #server: SubflowServer
  readonly #isTls: boolean
  /** Only where something else comes before the hello. */
  readonly #guard: SocketGuard | undefined
  readonly #onStream: (stream: IncomingStream) => void
  #unnamed = 0

  constructor(server: SubflowServer, guard: SocketGuardInit, onStream: (stream: IncomingStream) => void) {
    this.#server = server
    this.#isTls = 'setSecureContext' in server
    if (this.#isTls) this.#guard = new SocketGuard(server, guard, 'TLS handshake')
    else if (server.sockets !== undefined)
      this.#guard = new SocketGuard(server.sockets, guard, 'request for a WebSocket')
    this.#onStream = onStream
    server.on(this.#event, this.#serverOnStream)
  }

  /** Takes no more streams; the server goes on. */
  detach(): void {
    this.#server.off(this.#event, this.#serverOnStream)
    this.#guard?.detach()
  }

  /** A server tells of its closing only after its last socket; its port is free at once. */
  close(): void {
    if (this.#server.listening) this.#server.close()
  }

  /** Identity of a stream: its addresses, or where it has none, a number. */
  labelOf({ localAddress, localPort, remoteAddress, remotePort }: IncomingStream): string {
    if (remoteAddress !== undefined) return `${localAddress}:${localPort}|${remoteAddress}:${remotePort}`
    return `${this.#unixPath === undefined ? 'stream' : `unix:${this.#unixPath}`}#${++this.#unnamed}`
  }

  get #event(): 'connection' {
    return (this.#isTls ? 'secureConnection' : 'connection') as 'connection'
  }

  get #unixPath(): string | undefined {
    const address = (this.#server as Partial<Server>).address?.()
    return typeof address === 'string' ? address : undefined
  }

  readonly #serverOnStream = (stream: IncomingStream): void => {
    this.#guard?.release(stream)
    stream.setNoDelay?.(true)
    this.#onStream(stream)
  }
}

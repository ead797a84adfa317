// SPDX-License-Identifier: Apache-2.0
/** Accepts WebSockets as subflows, on a port of its own or on an HTTP server that does other things too. */
import { EventEmitter, once } from 'node:events'
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { createServer } from 'node:net'
import type { Duplex } from 'node:stream'
import { OptionError } from '../errors.js'
import { discard, ignore } from '../ignore.js'
import type { OriginCheck, Origins } from './origins.js'
import { originCheck } from './origins.js'
import { checkPort, checkStrings } from './path-options.js'
import { readRequest } from './request-head.js'
import type { IncomingStream, SocketSource, SubflowServer } from './transport.js'
import type { UpgradeAnswer } from './websocket-handshake.js'
import { answerTo, isUpgrade, refusal } from './websocket-handshake.js'
import { WebSocketStream } from './websocket-stream.js'

/** Options of `webSocketServer`. */
export interface WebSocketServerOptions {
  /** Port to listen on; 0 for any free port. Give either this or `server`. */
  readonly port?: number | undefined
  /** Address to listen on; only with `port`. Default: all. */
  readonly host?: string | undefined
  /** A server to share, which may listen already or later, and is never closed. */
  readonly server?: HttpServer | HttpsServer | undefined
  /** Path of the accepted URL. Default: every path. */
  readonly path?: string | undefined
  /**
   * Origins of web pages that may connect; others are answered with 403. Default: none. Programs send no origin and are
   * always accepted. A function that throws counts as a refusal.
   */
  readonly origins?: Origins | undefined
}

/** Events of a {@link WebSocketAcceptor}. */
export interface WebSocketAcceptorEvents {
  /** A WebSocket has completed its handshake, and its stream is open. */
  connection: [stream: IncomingStream]
  /** A request was invalid, or not for a WebSocket, and was answered with an error. */
  refused: [socket: Duplex]
  /** An error of the server that listens on `port`. */
  error: [error: Error]
}

/** Who sends no request gets no longer, milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000

/** A server of WebSockets for a `MultipathListener`, created by `webSocketServer`. */
export class WebSocketAcceptor extends EventEmitter<WebSocketAcceptorEvents> implements SubflowServer {
  readonly #server: Server
  /** A server of HTTP, which does other things too. */
  readonly #isShared: boolean
  readonly #path: string | undefined
  readonly #mayCome: OriginCheck
  #isClosed = false

  /** @internal */
  constructor(server: Server, options: WebSocketServerOptions) {
    super()
    this.#server = server
    this.#isShared = options.server !== undefined
    this.#path = options.path
    this.#mayCome = originCheck(options.origins)
    if (this.#isShared) server.on('upgrade', this.#serverOnUpgrade)
    else server.on('connection', this.#serverOnConnection).on('error', this.#serverOnError)
  }

  /** Sockets of a port of our own; a server of yours may have others. */
  get sockets(): SocketSource | undefined {
    return this.#isShared ? undefined : this.#server
  }

  get listening(): boolean {
    return !this.#isClosed
  }

  /** Address of the server. */
  address(): AddressInfo | string | null {
    return this.#server.address()
  }

  close(): this {
    if (this.#isClosed) return this
    this.#isClosed = true
    this.#server.off('upgrade', this.#serverOnUpgrade)
    if (!this.#isShared) this.#server.close()
    return this
  }

  readonly #serverOnError = (error: Error): void => {
    this.emit('error', error)
  }

  /** One request of each socket: whatever follows one that asks for no WebSocket stays unread. */
  readonly #serverOnConnection = (socket: Socket): void => {
    readRequest(socket, REQUEST_TIMEOUT_MS, (read) => {
      if (this.#isClosed) socket.destroy()
      else if ('head' in read) this.#refuse(socket, read)
      else if (isUpgrade(read.request)) this.#serverOnUpgrade(read.request, socket, read.rest)
      else this.#refuse(socket, refusal('426 Upgrade Required', 'Upgrade: websocket'))
    })
  }

  readonly #serverOnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (this.#path !== undefined && request.url?.split('?', 1)[0] !== this.#path) {
      // Another handler may answer it. Where there is none, the client would wait for ever.
      if (!this.#isShared || this.#server.listenerCount('upgrade') === 1)
        this.#refuse(socket, refusal('404 Not Found'))
      return
    }
    const answer = this.#mayCome(request) ? answerTo(request) : refusal('403 Forbidden')
    if (answer.isAccepted) this.#open(socket, head, answer)
    else this.#refuse(socket, answer)
  }

  #refuse(socket: Duplex, { head }: UpgradeAnswer): void {
    this.emit('refused', socket)
    socket.on('error', ignore)
    socket.once('finish', () => socket.destroy())
    socket.end(`${head}\r\n\r\n`)
  }

  #open(socket: Duplex, head: Buffer, answer: UpgradeAnswer): void {
    socket.write(`${answer.head}\r\n\r\n`)
    if (head.length > 0) socket.unshift(head)
    const stream: IncomingStream = new WebSocketStream(socket, true)
    if (!this.emit('connection', stream)) discard(stream)
  }
}

/**
 * Creates a server of subflows over WebSockets, once it listens.
 *
 * @throws {OptionError} for a wrong option; what the system says of `port`
 */
export async function webSocketServer(options: WebSocketServerOptions): Promise<WebSocketAcceptor> {
  const { port, host, server } = options
  check(options)
  if (server !== undefined) return new WebSocketAcceptor(server, options)
  // As a server of HTTP: a client that has ended its side may still be answered.
  const own = createServer({ allowHalfOpen: true, noDelay: true })
  await once(own.listen(port, host), 'listening')
  return new WebSocketAcceptor(own, options)
}

function check({ port, host, server, path, origins }: WebSocketServerOptions): void {
  checkStrings({ host, path })
  originCheck(origins)
  if (path !== undefined && !path.startsWith('/'))
    throw new OptionError(`path must begin with /, got ${path}`)
  if ((port === undefined) === (server === undefined))
    throw new OptionError('either port or server must be given')
  if (server === undefined) checkPort(port)
  else if (typeof (server as Partial<Server>).on !== 'function' || host !== undefined)
    throw new OptionError('server must be an http.Server or https.Server, and cannot be combined with host')
}

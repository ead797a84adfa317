// SPDX-License-Identifier: Apache-2.0
/** Accepts WebSockets as subflows, on a port of its own or on an HTTP server that does other things too. */
import { EventEmitter, once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { OptionError } from '../errors.js'
import { ignore } from '../ignore.js'
import type { OriginCheck, Origins } from './origins.js'
import { originCheck } from './origins.js'
import { checkPort, checkStrings } from './path-options.js'
import type { IncomingStream, SocketSource, SubflowServer } from './transport.js'
import type { UpgradeAnswer } from './websocket-handshake.js'
import { answerTo, refusal } from './websocket-handshake.js'
import { WebSocketStream } from './websocket-stream.js'

export interface WebSocketServerOptions {
  /** Listens here; 0 for any port. Either this or `server`. */
  readonly port?: number | undefined
  /** Listens on this address alone; only with `port`. */
  readonly host?: string | undefined
  /** Shares this server, listening already or later, and never closes it. */
  readonly server?: Server | HttpsServer | undefined
  /** Path of the URL that is answered. Default: every one. */
  readonly path?: string | undefined
  /**
   * Pages of the web that may come; others are answered 403. Default: none. Programs send no origin, and always
   * may. A function that throws answers no.
   */
  readonly origins?: Origins | undefined
}

/** Events of a {@link WebSocketAcceptor}. */
export interface WebSocketAcceptorEvents {
  connection: [stream: IncomingStream]
  /** Of the server that listens on `port`. */
  error: [error: Error]
}

/** Who sends no request gets no longer, milliseconds. */
const REQUEST_TIMEOUT_MS = 10_000
/** Node looks only now and then who is late, milliseconds. */
const CHECK_MS = 1000

/** A server that a `MultipathListener` takes beside those of TCP and TLS. Made by `webSocketServer`. */
export class WebSocketAcceptor extends EventEmitter<WebSocketAcceptorEvents> implements SubflowServer {
  readonly #http: Server
  readonly #isShared: boolean
  readonly #path: string | undefined
  readonly #mayCome: OriginCheck
  #isClosed = false

  /** @internal */
  constructor(http: Server, options: WebSocketServerOptions) {
    super()
    this.#http = http
    this.#isShared = options.server !== undefined
    this.#path = options.path
    this.#mayCome = originCheck(options.origins)
    http.on('upgrade', this.#httpOnUpgrade)
    if (!this.#isShared) http.on('error', this.#httpOnError)
  }

  /** Those of a port of our own: what else a server of yours does is none of ours. */
  get sockets(): SocketSource | undefined {
    return this.#isShared ? undefined : this.#http
  }

  get listening(): boolean {
    return !this.#isClosed
  }

  /** The HTTP server's. */
  address(): AddressInfo | string | null {
    return this.#http.address()
  }

  close(): this {
    if (this.#isClosed) return this
    this.#isClosed = true
    this.#http.off('upgrade', this.#httpOnUpgrade)
    if (!this.#isShared) this.#http.close()
    return this
  }

  readonly #httpOnError = (error: Error): void => {
    this.emit('error', error)
  }

  readonly #httpOnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (this.#path !== undefined && request.url?.split('?', 1)[0] !== this.#path) {
      // Another handler may answer it. Where there is none, the client would wait for ever.
      if (!this.#isShared || this.#http.listenerCount('upgrade') === 1)
        refuse(socket, refusal('404 Not Found'))
      return
    }
    const answer = this.#mayCome(request) ? answerTo(request) : refusal('403 Forbidden')
    if (answer.isAccepted) this.#open(socket, head, answer)
    else refuse(socket, answer)
  }

  #open(socket: Duplex, head: Buffer, answer: UpgradeAnswer): void {
    socket.write(`${answer.head}\r\n\r\n`)
    if (head.length > 0) socket.unshift(head)
    const stream: IncomingStream = new WebSocketStream(socket, true)
    if (!this.emit('connection', stream)) stream.on('error', ignore).destroy()
  }
}

/**
 * A server of subflows over WebSockets.
 *
 * @throws {OptionError} for a wrong option; what the system says of `port`
 */
export async function webSocketServer(options: WebSocketServerOptions): Promise<WebSocketAcceptor> {
  const { port, host, server } = options
  check(options)
  if (server !== undefined) return new WebSocketAcceptor(server, options)
  const own = createServer(
    {
      headersTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_MS,
    },
    answerOnce(),
  )
  await once(own.listen(port, host), 'listening')
  return new WebSocketAcceptor(own, options)
}

/** Thousands of requests may follow at once: behind the first, whose answer closes the socket, none counts or is read. */
function answerOnce(): (request: IncomingMessage, response: ServerResponse) => void {
  const answered = new WeakSet<Socket>()
  return ({ socket }, response) => {
    if (answered.has(socket)) return
    answered.add(socket)
    socket.pause()
    response.writeHead(426, { connection: 'close', upgrade: 'websocket' }).end()
  }
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
    throw new OptionError('server must be an http.Server or https.Server, and stands without host')
}

function refuse(socket: Duplex, { head }: UpgradeAnswer): void {
  socket.on('error', ignore)
  socket.once('finish', () => socket.destroy())
  socket.end(`${head}\r\n\r\n`)
}

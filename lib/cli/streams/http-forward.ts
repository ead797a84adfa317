// SPDX-License-Identifier: Apache-2.0
/**
 * Plain HTTP requests to a proxy, with an absolute URI (RFC 9112, section 3.2.2). Node's own strict parser reads them and
 * the answers, and writes both anew: what is ambiguous never gets through, so that no request can hide in another.
 */
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, Server, ServerResponse } from 'node:http'
import { createServer, request as httpRequest } from 'node:http'
import type { Socket } from 'node:net'
import type { MuxStream } from '../../mux/index.js'
import { ignore } from '../../ignore.js'
import type { HostPort } from '../parse.js'
import { placeOf } from './allow-list.js'
import { HttpClients, NEXT_HEAD_MS } from './http-clients.js'
import { isProxyLogin, STATUS } from './http-handshake.js'
import type { Outcome } from './pass-on.js'
import type { CheckLogin } from './proxy-handshake.js'

/** A stream that leads to `place`, or why there is none. */
export type OpenTarget = (
  place: HostPort,
  signal: AbortSignal,
  client: Socket,
) => Promise<MuxStream | Exclude<Outcome, 'ok'>>

export interface HttpForwardInit {
  readonly login: CheckLogin
  readonly open: OpenTarget
  /** Told why a client was refused. */
  readonly onRefused: (client: Socket, reason: string) => void
}

const DEFAULT_PORT = 80
/** Of this hop alone (RFC 9110, section 7.6.1), beside those that `Connection` names. */
const HOP_HEADERS: readonly string[] = [
  ...[
    'connection',
    'keep-alive',
    'proxy-connection',
    'proxy-authenticate',
    'proxy-authorization',
    'te',
    'trailer',
  ],
  ...['transfer-encoding', 'upgrade', 'expect'],
]

export class HttpForward {
  readonly #init: HttpForwardInit
  readonly #server: Server
  readonly #clients: HttpClients

  constructor(init: HttpForwardInit) {
    this.#init = init
    this.#clients = new HttpClients((socket) => init.onRefused(socket, 'its request took too long'))
    this.#server = createServer({ keepAliveTimeout: NEXT_HEAD_MS, noDelay: true }, (request, response) => {
      void this.#clients.asked(request.socket, response).then(() => this.#forward(request, response))
    })
    this.#server.on('clientError', (error: Error, socket: Socket) => {
      init.onRefused(socket, error.message)
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
      else socket.destroy()
    })
  }

  /** Takes a socket over; `head` has come from it already. Resolves when it is closed. */
  take(socket: Socket, head: Buffer): Promise<void> {
    socket.unshift(head)
    this.#clients.add(socket)
    this.#server.emit('connection', socket)
    return new Promise((resolve) => {
      if (socket.closed) resolve()
      else socket.once('close', () => resolve())
    })
  }

  /** Each socket is closed behind the answer that is under way. */
  close(): void {
    this.#clients.close()
  }

  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request
    if (socket.destroyed) return
    const left = new AbortController()
    response.once('close', () => left.abort())
    const place = this.#placeOf(request, response)
    if (place === undefined) return
    const stream = await this.#init.open(place, left.signal, socket)
    if (typeof stream === 'string') {
      refuse(response, STATUS[stream])
      return
    }
    stream.on('error', ignore)
    if (left.signal.aborted) {
      stream.destroy()
      return
    }
    left.signal.addEventListener('abort', () => stream.destroy())
    try {
      exchange(request, response, send(request, stream))
    } catch {
      // Node does not write what it has read, such as a header that is not allowed in a request.
      stream.destroy()
      refuse(response, STATUS['bad-request'])
    }
  }

  /** `undefined`: it has been refused. */
  #placeOf(request: IncomingMessage, response: ServerResponse): HostPort | undefined {
    const { login, onRefused } = this.#init
    if (!isProxyLogin(login, request.headers['proxy-authorization'])) {
      onRefused(request.socket, 'its user or password is wrong or missing')
      const challenge = { 'Proxy-Authenticate': 'Basic realm="multipath"' }
      refuse(response, '407 Proxy Authentication Required', challenge)
      return undefined
    }
    const url = parseTarget(request.url)
    const host = url?.hostname.replace(/^\[(.*)\]$/, '$1') ?? ''
    const place = placeOf(host, Number(url?.port || DEFAULT_PORT))
    if (place !== undefined) return place
    onRefused(request.socket, 'its request does not name http://HOST/')
    refuse(response, STATUS['bad-request'])
    return undefined
  }
}

function parseTarget(target: string | undefined): URL | undefined {
  const url = target !== undefined && URL.canParse(target) ? new URL(target) : undefined
  return url?.protocol === 'http:' && url.hostname !== '' ? url : undefined
}

/** The request anew, as for the server itself. */
function send(request: IncomingMessage, stream: MuxStream): ClientRequest {
  const url = new URL(request.url!)
  const headers = endToEnd(request)
  headers.push('Host', url.host, 'Connection', 'close')
  if (request.headers['transfer-encoding'] !== undefined) headers.push('Transfer-Encoding', 'chunked')
  return httpRequest({
    method: request.method,
    path: `${url.pathname}${url.search}`,
    headers: headers as unknown as OutgoingHttpHeaders,
    setHost: false,
    createConnection: () => stream,
  })
}

/** If one side is cut short, the other side is too, so that a part is never taken for the whole. */
function exchange(request: IncomingMessage, response: ServerResponse, upstream: ClientRequest): void {
  request.on('error', () => upstream.destroy())
  request.pipe(upstream)
  const cutShort = (): void => void request.socket.resetAndDestroy()
  upstream.on('error', () => {
    if (response.headersSent) cutShort()
    else refuse(response, STATUS.failed)
  })
  const refuseAnswer = (): void => {
    upstream.destroy()
    refuse(response, STATUS.failed)
  }
  // The client has not asked for one.
  upstream.on('upgrade', refuseAnswer)
  upstream.on('response', (answer) => {
    try {
      response.writeHead(answer.statusCode!, answer.statusMessage, endToEnd(answer))
    } catch {
      // Node does not write all that it has read: a code under 100, or a control character.
      refuseAnswer()
      return
    }
    // An end would pass for that of an answer without a length.
    answer.on('error', cutShort)
    answer.pipe(response)
  })
}

/** Names and values in turn, without those of this hop and `Host`. */
function endToEnd({ rawHeaders, headers }: IncomingMessage): string[] {
  const named = (headers.connection ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
  const kept: string[] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase()
    if (name !== 'host' && !HOP_HEADERS.includes(name) && !named.includes(name))
      kept.push(rawHeaders[at]!, rawHeaders[at + 1]!)
  }
  return kept
}

function refuse(response: ServerResponse, status: string, headers: OutgoingHttpHeaders = {}): void {
  if (response.headersSent || response.destroyed) return
  response.shouldKeepAlive = false
  response.writeHead(Number(status.slice(0, 3)), status.slice(4), { ...headers, 'Content-Length': 0 })
  response.end()
}

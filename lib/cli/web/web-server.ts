// SPDX-License-Identifier: Apache-2.0
/** `--web`: the page of a command over HTTP, its state, and what may be asked of the command there. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { ignore } from '../../ignore.js'
import type { CtlRequest } from '../ctl/protocol.js'
import { MAX_REQUEST_BYTES, parseRequest } from '../ctl/protocol.js'
import { listenHttp, REQUEST_MS } from '../listen-http.js'
import type { HostPort } from '../parse.js'
import { judge } from './guard.js'
import type { PageFile } from './page-files.js'
import { readPageFiles } from './page-files.js'
import { MOST_VIEWERS, Viewers } from './viewers.js'

const MOST_CONNECTIONS = 32

/** Everything comes from here, and nothing of it stands in the HTML. */
const CSP = [
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:",
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
].join('; ')
const HEADERS = {
  'content-security-policy': CSP,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}

/** Whoever has the page steers paths; files and signals are for the socket of the user. */
const ACTIONS: ReadonlySet<string> = new Set([
  ...['paths-add', 'paths-remove', 'paths-pause', 'paths-resume', 'paths-set', 'scheduler', 'drain'],
])

export interface WebInit {
  readonly bind: HostPort
  /** Of at least 16 bytes. */
  readonly token: Uint8Array
  /** The state now. */
  readonly status: () => unknown
  /** The result. @throws {Error} with what is wrong */
  readonly perform: (request: CtlRequest) => unknown
}

export interface WebServer {
  /** Where it listens. */
  readonly place: string
  /** Cuts off everybody. */
  readonly close: () => void
}

/** @throws {CliError} where it cannot listen */
export async function serveWeb(init: WebInit): Promise<WebServer> {
  const site = new Site(init)
  const server: Server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS, keepAliveTimeout: REQUEST_MS },
    site.answer,
  )
  server.maxConnections = MOST_CONNECTIONS
  const place = await listenHttp(server, init.bind, '--web')
  return {
    place,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

class Site {
  readonly #init: WebInit
  readonly #files: ReadonlyMap<string, PageFile> = readPageFiles()
  readonly #viewers: Viewers

  constructor(init: WebInit) {
    this.#init = init
    this.#viewers = new Viewers(() => JSON.stringify(init.status()))
  }

  readonly answer = (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', ignore)
    const verdict = judge(request, this.#init.token, (path) => this.#files.has(path))
    switch (verdict.kind) {
      case 'refused':
        say(response, verdict.code, `${verdict.text}\n`)
        return
      case 'file': {
        const { type, bytes } = this.#files.get(verdict.path)!
        say(response, 200, bytes, type)
        return
      }
      case 'events':
        this.#show(request, response)
        return
      case 'action':
        void this.#act(request, response)
    }
  }

  #show({ method }: IncomingMessage, response: ServerResponse): void {
    if (this.#viewers.isFull) {
      say(response, 503, `${MOST_VIEWERS} viewers are connected; close one of them\n`)
      return
    }
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' })
    if (method === 'HEAD') response.end()
    else this.#viewers.add(response)
  }

  async #act(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text = await bodyOf(request)
    if (text === undefined) {
      say(response, 413, `a request has at most ${MAX_REQUEST_BYTES} bytes\n`)
      return
    }
    try {
      const asked = parseRequest(text)
      if (!ACTIONS.has(asked.cmd)) throw new Error(`cmd must be one of ${[...ACTIONS].join(', ')}`)
      sayJson(response, 200, { ok: true, result: this.#init.perform(asked) ?? {} })
    } catch (error) {
      sayJson(response, 400, { ok: false, error: (error as Error).message })
    }
  }
}

/** `undefined` for one that is too long: the rest of it is not read. Never settles for one that is cut off. */
function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  return new Promise((resolve) => {
    request.on('error', ignore)
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      chunks.push(chunk)
      if (length <= MAX_REQUEST_BYTES) return
      request.pause()
      resolve(undefined)
    })
    request.once('end', () => resolve(Buffer.concat(chunks).toString()))
  })
}

function sayJson(response: ServerResponse, code: number, value: unknown): void {
  say(response, code, JSON.stringify(value), 'application/json')
}

/** A request whose body was not read takes the connection with it. */
function say(
  response: ServerResponse,
  code: number,
  body: string | Buffer,
  type = 'text/plain; charset=utf-8',
): void {
  if (code >= 401) response.setHeader('connection', 'close')
  response.writeHead(code, { ...HEADERS, 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

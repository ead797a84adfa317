// SPDX-License-Identifier: Apache-2.0
/** `--metrics`: the state of a command for Prometheus, and whether it lives and is ready, over HTTP. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer } from 'node:http'
import { listenHttp, REQUEST_MS } from '../listen-http.js'
import type { Status } from '../live/status.js'
import type { HostPort } from '../parse.js'
import { prometheusText } from './prometheus.js'

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
const MOST_CONNECTIONS = 64

/**
 * @param status - the state now
 * @param isReady - whether the command can do its work
 * @returns the server, and where it listens
 * @throws {CliError} where it cannot listen
 */
export async function serveMetrics(
  bind: HostPort,
  status: () => Status,
  isReady: () => boolean,
): Promise<{ readonly server: Server; readonly place: string }> {
  const server = createServer(
    { requestTimeout: REQUEST_MS, keepAliveTimeout: REQUEST_MS },
    (request, response) => answer(request, response, status, isReady),
  )
  server.maxConnections = MOST_CONNECTIONS
  return { server, place: await listenHttp(server, bind, '--metrics') }
}

function answer(
  { method, url = '/' }: IncomingMessage,
  response: ServerResponse,
  status: () => Status,
  isReady: () => boolean,
): void {
  if (method !== 'GET' && method !== 'HEAD') {
    say(response, 405, 'only GET is allowed\n')
    return
  }
  switch (url.split('?')[0]) {
    case '/metrics':
      say(response, 200, prometheusText(status()))
      return
    case '/healthz':
      say(response, 200, 'ok\n')
      return
    case '/readyz':
      if (isReady()) say(response, 200, 'ready\n')
      else say(response, 503, 'no path is up\n')
      return
    default:
      say(response, 404, 'there are /metrics, /healthz and /readyz\n')
  }
}

function say(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'content-type': CONTENT_TYPE })
  response.end(text)
}

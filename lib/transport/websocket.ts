/** A WebSocket as a path, for networks that let nothing else through. */
import type { Agent, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions } from 'node:tls'
import type { WebSocket } from 'ws'
import { OptionError } from '../errors.js'
import type { Ws } from './load-ws.js'
import { loadWs } from './load-ws.js'
import { opened } from './opening.js'
import { checkStrings, pathOf, withoutPath } from './path-options.js'
import type { PathOptions, SubflowDialer } from './transport.js'
import { WEB_SOCKET_OPTIONS, WebSocketStream } from './websocket-stream.js'

/** What `wss:` takes of the options of `tls.connect`. */
export type WebSocketTlsOptions = Pick<
  ConnectionOptions,
  | 'ca'
  | 'cert'
  | 'checkServerIdentity'
  | 'ciphers'
  | 'key'
  | 'maxVersion'
  | 'minVersion'
  | 'passphrase'
  | 'pfx'
  | 'rejectUnauthorized'
  | 'servername'
>

export interface WebSocketDialerOptions extends PathOptions, WebSocketTlsOptions {
  /** `ws:` or `wss:`. User and password in it become basic authentication. */
  readonly url: string | URL
  /** Sent with the request. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Opens the connection, through a proxy perhaps. */
  readonly agent?: Agent | undefined
  /** Decides which uplink the path takes. */
  readonly localAddress?: string | undefined
}

/**
 * A path over a WebSocket. Needs the package `ws`, which is loaded by the first dial.
 *
 * @throws {OptionError} for a URL, label or address that is none
 */
export function webSocketDialer(options: WebSocketDialerOptions): SubflowDialer {
  const { url, ...settings } = withoutPath<WebSocketDialerOptions>(options)
  const { localAddress, servername } = settings
  const target = urlOf(url)
  checkStrings({ label: options.label, localAddress, servername })
  // Secrets may stand in the rest of it.
  const place = `${target.protocol}//${target.host}${target.pathname}`
  return {
    ...pathOf(options, localAddress === undefined ? place : `${localAddress}|${place}`),
    dial: async ({ signal }) => {
      signal.throwIfAborted()
      return open(await loadWs(), target, settings, signal)
    },
  }
}

function open(
  ws: Ws,
  url: URL,
  settings: Omit<WebSocketDialerOptions, keyof PathOptions | 'url'>,
  signal: AbortSignal,
): Promise<Duplex> {
  let socket: Socket | undefined
  const start = (): WebSocket => {
    const webSocket = new ws.WebSocket(url, { ...settings, ...WEB_SOCKET_OPTIONS })
    return webSocket.once('upgrade', (response: IncomingMessage) => {
      socket = response.socket
    })
  }
  return opened(
    {
      open: start,
      event: 'open',
      take: (webSocket) => new WebSocketStream(webSocket, socket!),
      close: (webSocket) => {
        webSocket.terminate()
      },
    },
    signal,
  )
}

/** The message leaves out what was given: secrets may stand in it. */
function urlOf(url: unknown): URL {
  const text = String(url)
  const target = URL.canParse(text) ? new URL(text) : undefined
  if ((target?.protocol !== 'ws:' && target?.protocol !== 'wss:') || target.hash !== '')
    throw new OptionError('url must be a URL as ws://host:port/path or wss://host/path')
  return target
}

/** A WebSocket as a path, for networks that let nothing else through. */
import type { Agent, ClientRequest, IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions, PeerCertificate, TLSSocket } from 'node:tls'
import type { ClientOptions, WebSocket } from 'ws'
import { OptionError, toError } from '../errors.js'
import type { Ws } from './load-ws.js'
import { loadWs } from './load-ws.js'
import { opened } from './opening.js'
import { checkStrings, pathOf, withoutPath } from './path-options.js'
import type { PinOptions, Pins } from './pins.js'
import { assertPinned, pinsOf } from './pins.js'
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

export interface WebSocketDialerOptions extends PathOptions, PinOptions, WebSocketTlsOptions {
  /** `ws:` or `wss:`. User and password in it become basic authentication. */
  readonly url: string | URL
  /** Sent with the request. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Opens the connection, through a proxy perhaps. */
  readonly agent?: Agent | undefined
  /** Decides which uplink the path takes. */
  readonly localAddress?: string | undefined
}

/** What the package `ws` gets. */
type Client = Omit<WebSocketDialerOptions, keyof PathOptions | keyof PinOptions | 'url'> &
  Pick<ClientOptions, 'finishRequest' | 'generateMask'>

/**
 * A path over a WebSocket. Needs the package `ws`, which is loaded by the first dial.
 *
 * @throws {OptionError} for a URL, label, address or fingerprint that is none
 */
export function webSocketDialer(options: WebSocketDialerOptions): SubflowDialer {
  const { url, fingerprints, ...settings } = withoutPath<WebSocketDialerOptions>(options)
  const { localAddress, servername } = settings
  const target = urlOf(url)
  checkStrings({ label: options.label, localAddress, servername })
  const pins = pinsOf(fingerprints)
  if (pins !== undefined && target.protocol !== 'wss:') throw new OptionError('fingerprints need wss:')
  const client: Client = {
    ...settings,
    ...(target.protocol === 'wss:' && { generateMask: maskNothing }),
    ...(pins !== undefined && onlyTo(pins)),
  }
  // Secrets may stand in the rest of it.
  const place = `${target.protocol}//${target.host}${target.pathname}`
  return {
    ...pathOf(options, localAddress === undefined ? place : `${localAddress}|${place}`),
    dial: async ({ signal }) => {
      signal.throwIfAborted()
      return open(await loadWs(), target, client, signal)
    },
  }
}

/**
 * A mask keeps those who choose what is sent from choosing the bytes on the wire, which a proxy may take for requests
 * (RFC 6455, section 10.3). Over TLS no proxy sees them, and masks would take most of the time: `ws` skips zeros.
 */
function maskNothing(mask: Buffer): void {
  mask.fill(0)
}

/** Sends the request, and the secrets in it, only to a peer whose certificate is pinned. */
function onlyTo(pins: Pins): Client {
  const finishRequest = (request: ClientRequest): void => {
    const finish = (socket: Socket): void => {
      try {
        assertPinned(socket, pins)
        request.end()
      } catch (error) {
        request.destroy(toError(error))
      }
    }
    request.once('socket', (socket) => {
      // An agent may bring a socket that has shaken hands before, or one without TLS.
      if (isBeforeCertificate(socket)) socket.once('secureConnect', () => finish(socket))
      else finish(socket)
    })
  }
  return { rejectUnauthorized: false, finishRequest }
}

function isBeforeCertificate(socket: Socket): boolean {
  const certificate = (socket as Partial<TLSSocket>).getPeerCertificate?.() as
    | Partial<PeerCertificate>
    | undefined
  return certificate !== undefined && certificate.fingerprint256 === undefined
}

function open(ws: Ws, url: URL, client: Client, signal: AbortSignal): Promise<Duplex> {
  let socket: Socket | undefined
  const start = (): WebSocket => {
    const webSocket = new ws.WebSocket(url, { ...client, ...WEB_SOCKET_OPTIONS })
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

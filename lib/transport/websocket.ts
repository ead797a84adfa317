// SPDX-License-Identifier: Apache-2.0
/** A WebSocket as a path, for networks that let nothing else through. */
import type { Agent, ClientRequest, IncomingMessage } from 'node:http'
import { request as httpRequest } from 'node:http'
import type { RequestOptions } from 'node:https'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions, PeerCertificate, TLSSocket } from 'node:tls'
import { MultipathError, OptionError, toError } from '../errors.js'
import { ignore } from '../ignore.js'
import { opened } from './opening.js'
import type { Names } from './path-options.js'
import { checkStrings, pathOf, refuseUnknownOptions, withoutPath } from './path-options.js'
import type { PinOptions, Pins } from './pins.js'
import { assertPinned, pinsOf } from './pins.js'
import { printable } from './printable.js'
import { withoutRenegotiation } from './renegotiation.js'
import type { DialOptions, PathOptions, SubflowDialer } from './transport.js'
import { assertAccepted, newKey, upgradeHeaders } from './websocket-handshake.js'
import { WebSocketStream } from './websocket-stream.js'

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
  /** Headers of the request. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** An agent that opens the connection, for example through a proxy. */
  readonly agent?: Agent | undefined
  /** Local address of the path, which selects its uplink. */
  readonly localAddress?: string | undefined
}

const WEBSOCKET_NAMES: Names<Omit<WebSocketDialerOptions, keyof PathOptions>> = {
  url: true,
  headers: true,
  agent: true,
  localAddress: true,
  fingerprints: true,
  ca: true,
  cert: true,
  checkServerIdentity: true,
  ciphers: true,
  key: true,
  maxVersion: true,
  minVersion: true,
  passphrase: true,
  pfx: true,
  rejectUnauthorized: true,
  servername: true,
}

/** What a dial needs to know. */
interface Target {
  /** With `http:` or `https:`. */
  readonly url: URL
  readonly settings: RequestOptions
  readonly headers: Readonly<Record<string, string>> | undefined
  readonly pins: Pins | undefined
}

/** What the server opened. */
interface Upgrade {
  readonly response: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

/**
 * Returns a path over a WebSocket.
 *
 * @throws {OptionError} for an invalid URL, label, address or fingerprint, or an unknown option
 */
export function webSocketDialer(options: WebSocketDialerOptions): SubflowDialer {
  refuseUnknownOptions(options, WEBSOCKET_NAMES)
  const { url, fingerprints, headers, ...settings } = withoutPath<WebSocketDialerOptions>(options)
  const { localAddress, servername } = settings
  const { protocol, host, pathname, href } = urlOf(url)
  checkStrings({ label: options.label, localAddress, servername })
  const pins = pinsOf(fingerprints)
  if (pins !== undefined && protocol !== 'wss:')
    throw new OptionError('fingerprints can be used only with a wss: url')
  const target: Target = {
    url: new URL(href.replace(/^ws/, 'http')),
    settings: {
      // An agent shares its sockets only between requests of the same options.
      ...(settings.agent === undefined ? withoutRenegotiation<RequestOptions>(settings) : settings),
      ...(pins !== undefined && { rejectUnauthorized: false }),
    },
    headers,
    pins,
  }
  // Secrets may stand in the rest of it.
  const place = `${protocol}//${host}${pathname}`
  return {
    ...pathOf(options, localAddress === undefined ? place : `${localAddress}|${place}`),
    dial: async (dial) => open(target, dial),
  }
}

function open(target: Target, dial: DialOptions): Promise<Duplex> {
  const key = newKey()
  let upgrade: Upgrade | undefined
  const start = (): ClientRequest => {
    const request = requestTo(target, key)
    if (dial.onSocket !== undefined) request.once('socket', dial.onSocket)
    return request.once('upgrade', (response: IncomingMessage, socket: Duplex, head: Buffer) => {
      upgrade = { response, socket, head }
    })
  }
  return opened(
    {
      open: start,
      event: 'upgrade',
      take: (request) => streamOf(upgrade!, key, request.getHeader('sec-websocket-protocol')),
      close: (request) => {
        request.destroy()
        upgrade?.socket.on('error', ignore).destroy()
      },
    },
    dial,
  )
}

function requestTo({ url, settings, headers, pins }: Target, key: string): ClientRequest {
  const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(url, {
    ...settings,
    // A WebSocket keeps its socket: there is nothing to share with other requests.
    agent: settings.agent ?? false,
    headers: { ...headers, ...upgradeHeaders(key) },
  })
  request.once('response', ({ statusCode, statusMessage = '' }: IncomingMessage) => {
    const status = `${statusCode} ${printable(statusMessage)}`.trimEnd()
    request.destroy(
      new MultipathError('ERR_MULTIPATH_HANDSHAKE', `the server answered with status ${status}`),
    )
  })
  if (pins === undefined) request.end()
  else endTo(pins, request)
  return request
}

function streamOf({ response, socket, head }: Upgrade, key: string, protocols: unknown): Duplex {
  assertAccepted(response, key, protocols)
  if (head.length > 0) socket.unshift(head)
  return new WebSocketStream(socket, false)
}

/** Sends the request, and the secrets in it, only to a peer whose certificate is pinned. */
function endTo(pins: Pins, request: ClientRequest): void {
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

function isBeforeCertificate(socket: Socket): boolean {
  const certificate = (socket as Partial<TLSSocket>).getPeerCertificate?.() as
    | Partial<PeerCertificate>
    | undefined
  return certificate !== undefined && certificate.fingerprint256 === undefined
}

/** The message leaves out what was given: secrets may stand in it. */
function urlOf(url: unknown): URL {
  const text = String(url)
  const target = URL.canParse(text) ? new URL(text) : undefined
  if ((target?.protocol !== 'ws:' && target?.protocol !== 'wss:') || target.hash !== '')
    throw new OptionError('url must be a URL such as ws://host:port/path or wss://host/path')
  return target
}

// SPDX-License-Identifier: Apache-2.0
/** The handshake of RFC 6455, section 4: what a client asks, and what a server answers. */
import { createHash, randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { MultipathError } from '../errors.js'

/** RFC 6455, section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const VERSION = '13'
/** 16 bytes in base64. */
const KEY = /^[+/\dA-Za-z]{22}==$/
/** RFC 9110, section 5.6.2. */
export const TOKEN: RegExp = /^[\w!#$%&'*+.^`|~-]+$/

/** What a request needs beside its own headers. */
export function upgradeHeaders(key: string): Record<string, string> {
  return {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': key,
    'Sec-WebSocket-Version': VERSION,
  }
}

export function newKey(): string {
  return randomBytes(16).toString('base64')
}

/**
 * @param protocols - that were asked for
 * @throws ERR_MULTIPATH_HANDSHAKE for an answer that does not open a WebSocket
 */
export function assertAccepted(
  { statusCode, headers }: IncomingMessage,
  key: string,
  protocols: unknown,
): void {
  const protocol = headers['sec-websocket-protocol']
  const asked = typeof protocols === 'string' ? listOf(protocols) : []
  if (statusCode !== 101 || headers.upgrade?.toLowerCase() !== 'websocket')
    throw handshakeError('the server did not upgrade to a WebSocket')
  if (headers['sec-websocket-accept'] !== acceptOf(key))
    throw handshakeError('the server answered with an invalid Sec-WebSocket-Accept')
  if (headers['sec-websocket-extensions'] !== undefined)
    throw handshakeError('the server answered with a WebSocket extension that was not requested')
  if (protocol !== undefined && !asked.includes(protocol))
    throw handshakeError('the server answered with a subprotocol that was not requested')
}

/** The answer to a request. */
export interface UpgradeAnswer {
  readonly isAccepted: boolean
  /** Up to its empty line, without it. */
  readonly head: string
}

/** Whether a request asks for another protocol (RFC 9110, section 7.8). */
export function isUpgrade({ headers }: IncomingMessage): boolean {
  const options = listOf(headers.connection ?? '').map((option) => option.toLowerCase())
  return headers.upgrade !== undefined && options.includes('upgrade')
}

/** Extensions are never accepted, and of the subprotocols the first is: browsers close without one. */
export function answerTo({ method, headers }: IncomingMessage): UpgradeAnswer {
  const key = headers['sec-websocket-key']
  const [protocol] = listOf(headers['sec-websocket-protocol'] ?? '')
  if (method !== 'GET') return refusal('405 Method Not Allowed', 'Allow: GET')
  if (headers['sec-websocket-version'] !== VERSION)
    return refusal('426 Upgrade Required', `Sec-WebSocket-Version: ${VERSION}`)
  const isValid = headers.upgrade?.toLowerCase() === 'websocket' && key !== undefined && KEY.test(key)
  if (!isValid || (protocol !== undefined && !TOKEN.test(protocol))) return refusal('400 Bad Request')
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptOf(key)}`,
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
  ]
  return { isAccepted: true, head: lines.join('\r\n') }
}

export function refusal(status: string, ...headers: readonly string[]): UpgradeAnswer {
  const lines = [`HTTP/1.1 ${status}`, 'Connection: close', 'Content-Length: 0', ...headers]
  return { isAccepted: false, head: lines.join('\r\n') }
}

function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64')
}

function listOf(header: string): string[] {
  return header
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
}

function handshakeError(message: string): MultipathError {
  return new MultipathError('ERR_MULTIPATH_HANDSHAKE', message)
}

// SPDX-License-Identifier: Apache-2.0
/** HTTP CONNECT as its proxy speaks it (RFC 9110, section 9.3.6), with basic authentication (RFC 7617). */
import type { CheckLogin, ProxyHandshake } from './proxy-handshake.js'
import { ProxyRefusal } from './proxy-handshake.js'
import type { Answer } from './stream-request.js'

const MAX_HEAD_BYTES = 8192
const REQUEST_LINE = /^([A-Z]+) ([^ \r\n]+) HTTP\/1\.[01]\r\n/
const PLACE = /^(?:\[(?<address>[^\]]+)\]|(?<name>[^:[\]]+)):(?<port>\d{1,5})$/

/** The status line of each outcome, without the version. */
export const STATUS: { readonly [Kind in Answer | 'unavailable']: string } = {
  ok: '200 Connection established',
  'not-allowed': '403 Forbidden',
  'not-found': '502 Name not found',
  unreachable: '502 Unreachable',
  refused: '502 Connection refused',
  timeout: '504 Gateway Timeout',
  limit: '503 Too many streams',
  'address-in-use': '502 Bad Gateway',
  'bad-request': '400 Bad Request',
  failed: '502 Bad Gateway',
  unavailable: '504 No path to the other end',
}

export function* httpHandshake(login: CheckLogin): ProxyHandshake {
  const head = (yield { lengthOf: headLength }).toString('latin1')
  const [line = '', method, target = ''] = REQUEST_LINE.exec(head) ?? []
  if (method === undefined) throw new ProxyRefusal('it does not speak HTTP/1', refusal(STATUS['bad-request']))
  if (method !== 'CONNECT')
    throw new ProxyRefusal(
      `it requests ${method}, not CONNECT`,
      refusal('405 Method Not Allowed', 'Allow: CONNECT'),
    )
  if (!isProxyLogin(login, fieldOf(head.slice(line.length), 'proxy-authorization')))
    throw new ProxyRefusal(
      'its user or password is wrong or missing',
      refusal('407 Proxy Authentication Required', 'Proxy-Authenticate: Basic realm="multipath"'),
    )
  const { address, name, port } = PLACE.exec(target)?.groups ?? {}
  const host = address ?? name
  if (host === undefined)
    throw new ProxyRefusal('its request does not name HOST:PORT', refusal(STATUS['bad-request']))
  return {
    protocol: 'http',
    host,
    port: Number(port),
    answer: (answer) => (answer === 'ok' ? success() : refusal(STATUS[answer])),
  }
}

/** The first field called `name`, without white space around it. Patterns would try every way to share out a run of blanks. */
function fieldOf(fields: string, name: string): string | undefined {
  const line = fields.split('\r\n').find((each) => each.toLowerCase().startsWith(`${name}:`))
  return line?.slice(name.length + 1).trim()
}

function headLength(bytes: Buffer): number | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0 ? bytes.length >= MAX_HEAD_BYTES : end + 4 > MAX_HEAD_BYTES)
    throw new ProxyRefusal(
      'the head of its request is too long',
      refusal('431 Request Header Fields Too Large'),
    )
  return end < 0 ? undefined : end + 4
}

/** @param sent - the value of Proxy-Authorization */
export function isProxyLogin(login: CheckLogin, sent: string | undefined): boolean {
  if (login === undefined) return true
  const [, encoded] = /^basic[ \t]+([A-Za-z0-9+/=]+)$/i.exec(sent ?? '') ?? []
  if (encoded === undefined) return false
  const [, user, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? []
  return user !== undefined && password !== undefined && login(user, password)
}

function success(): Buffer {
  return Buffer.from(`HTTP/1.1 ${STATUS.ok}\r\n\r\n`)
}

function refusal(status: string, ...headers: string[]): Buffer {
  const lines = [`HTTP/1.1 ${status}`, ...headers, 'Content-Length: 0', 'Connection: close']
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`)
}

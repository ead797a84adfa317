// SPDX-License-Identifier: Apache-2.0
/**
 * The head of one HTTP/1.1 request, and nothing behind it. Node's parser handles all that a socket brings at once,
 * thousands of requests in one turn of the event loop.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { UpgradeAnswer } from './websocket-handshake.js'
import { refusal, TOKEN } from './websocket-handshake.js'
import { ignore } from '../ignore.js'

/** As many as Node's own parser takes. */
const MAX_REQUEST_BYTES = 16_384
const END = '\r\n\r\n'
const REQUEST_LINE = /^([A-Z]+) ([!-~]+) HTTP\/1\.1$/
/** RFC 9112, section 5: no white space before the colon, and no line that goes on. */
const FIELD = /^([^\s:]+):([\t -~\u0080-\u00ff]*)$/

/** A request, with the bytes that came behind its head; or what to answer instead of taking it. */
export type RequestRead = { readonly request: IncomingMessage; readonly rest: Buffer } | UpgradeAnswer

/** Reads the first request of `socket`, which is paused then. A socket that closes before calls nothing back. */
export function readRequest(socket: Socket, timeoutMs: number, onRead: (read: RequestRead) => void): void {
  let bytes: Buffer = Buffer.alloc(0)
  const settle = (read: RequestRead): void => {
    clearTimeout(timer)
    socket.off('data', socketOnData).off('end', socketOnEnd).pause()
    onRead(read)
  }
  const timer = setTimeout(() => settle(refusal('408 Request Timeout')), timeoutMs).unref()
  const socketOnData = (chunk: Buffer): void => {
    const searchFrom = Math.max(0, bytes.length - END.length + 1)
    bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk])
    const read = decodeRequest(bytes, socket, searchFrom)
    if (read !== undefined) settle(read)
  }
  const socketOnEnd = (): void => void socket.destroy()
  socket.on('data', socketOnData)
  socket.on('end', socketOnEnd)
  socket.on('error', ignore)
  socket.once('close', () => clearTimeout(timer))
}

/**
 * Decodes the request at the beginning of `bytes`: `undefined` while its head is not whole.
 *
 * @param searchFrom - no end of a head begins before this byte
 */
export function decodeRequest(bytes: Buffer, socket: Socket, searchFrom = 0): RequestRead | undefined {
  const end = bytes.subarray(0, MAX_REQUEST_BYTES).indexOf(END, searchFrom, 'latin1')
  if (end < 0)
    return bytes.length < MAX_REQUEST_BYTES ? undefined : refusal('431 Request Header Fields Too Large')
  const [line = '', ...fields] = bytes.toString('latin1', 0, end).split('\r\n')
  const [, method, url] = REQUEST_LINE.exec(line) ?? []
  const rawHeaders = rawHeadersOf(fields)
  if (method === undefined || rawHeaders === undefined) return refusal('400 Bad Request')
  const headers = headersOf(rawHeaders)
  if (!isAlone(headers)) return refusal('400 Bad Request')
  const known = { method, url, headers, rawHeaders, ...HTTP_1_1 }
  const request = Object.assign(new IncomingMessage(socket), known)
  return { request, rest: bytes.subarray(end + END.length) }
}

const HTTP_1_1 = { httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1, complete: true }

/** Names and values in turn; `undefined` where a line is no header. */
function rawHeadersOf(lines: readonly string[]): string[] | undefined {
  const raw: string[] = []
  for (const line of lines) {
    const [, name = '', value = ''] = FIELD.exec(line) ?? []
    if (!TOKEN.test(name)) return undefined
    raw.push(name, value.trim())
  }
  return raw
}

function headersOf(raw: readonly string[]): IncomingHttpHeaders {
  const headers = new Map<string, string>()
  for (let n = 0; n < raw.length; n += 2) {
    const name = raw[n]!.toLowerCase()
    const before = headers.get(name)
    const joint = name === 'cookie' ? '; ' : ', '
    headers.set(name, before === undefined ? raw[n + 1]! : `${before}${joint}${raw[n + 1]!}`)
  }
  return Object.fromEntries(headers)
}

/** It names one host, and has no body: a proxy in front could take the bytes behind it for something else. */
function isAlone({
  host,
  'content-length': length = '0',
  'transfer-encoding': coding,
}: IncomingHttpHeaders): boolean {
  return host !== undefined && !host.includes(',') && length === '0' && coding === undefined
}

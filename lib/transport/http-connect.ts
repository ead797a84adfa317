// SPDX-License-Identifier: Apache-2.0
/** CONNECT as the client of an HTTP proxy speaks it (RFC 9110, section 9.3.6). The proxy resolves names. */
import type { Conversation } from './conversation.js'
import { refusal } from './conversation.js'
import { placeOf } from './path-options.js'
import { printable } from './printable.js'
import type { Login, Target } from './proxy-url.js'

const STATUS_LINE = /^HTTP\/1\.\d (\d{3})(?: ([^\r\n]*))?\r\n/
const PROXY = 'the proxy'

export function* httpConnect({ host, port }: Target, login: Login | undefined): Conversation {
  const place = placeOf(host, port)
  const lines = [`CONNECT ${place} HTTP/1.1`, `Host: ${place}`]
  if (login !== undefined) lines.push(`Proxy-Authorization: Basic ${base64(login)}`)
  const answer = yield { send: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), lengthOf: headLength }
  const [, code, reason = ''] = STATUS_LINE.exec(answer.toString('latin1')) ?? []
  if (code === undefined) throw refusal(PROXY, 'does not speak HTTP')
  if (!code.startsWith('2'))
    throw refusal(PROXY, `answered with status ${code} ${printable(reason)}`.trimEnd())
}

function headLength(bytes: Buffer): number | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  return end < 0 ? undefined : end + 4
}

function base64({ user, password }: Login): string {
  return Buffer.from(`${user}:${password}`).toString('base64')
}
